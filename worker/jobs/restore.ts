// Puts the data of a backup back. The present data are backed up first; no verified backup, no restore: the order is the code.

import { z } from 'zod';
import { backupReasons, findIntactBackup, rowsOf } from '../../domain/backups.ts';
import { specOf } from '../../domain/specs.ts';
import type { Backup } from '../../prisma/client/client.ts';
import { backupStep } from '../backup-step.ts';
import { forgetOldData } from '../forget-old-data.ts';
import type { JobRun } from '../job-run.ts';
import { replaceData } from '../replace-data.ts';

const inputSchema = z.object({ backupId: z.string() });

export async function restore(run: JobRun): Promise<void> {
  const { ctx, instance, step } = run;
  const { backupId } = inputSchema.parse(run.job.input);
  const backup = await step('check', 'Check the file of the backup', () => findIntactBackup(ctx, instance.id, backupId));
  await replaceData(run, async () => {
    await backupStep(run, backupReasons.beforeRestore, { inUse: backup.id });
    await exchange(run, backup);
  });
}

async function exchange(run: JobRun, backup: Backup): Promise<void> {
  const { ctx, instance, signal, step, write } = run;
  await step('restore', 'Restore into a fresh database, count, and change places', async () => {
    await ctx.platform.restoreDatabase(specOf(ctx, instance), { file: backup.file, rowCounts: backup.rowCounts as Record<string, number> }, signal);
    write(`       ${rowsOf(backup)} rows of ${backup.createdAt.toISOString().slice(0, 16).replace('T', ' ')} UTC are back, with equal counts\n`);
    await forgetOldData(run);
  });
}
