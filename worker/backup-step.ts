// The step that every destructive job begins with.

import { pruneBackups, rowsOf, takeVerifiedBackup, type BackupReason } from '../domain/backups.ts';
import type { Backup } from '../prisma/client/client.ts';
import type { JobRun } from './job-run.ts';

/** Returns only when a verified backup exists. @throws backup_failed */
export async function backupStep({ ctx, job, instance, signal, step, write }: JobRun, reason: BackupReason): Promise<Backup> {
  return step('backup', 'Back up and check that it can be restored', async () => {
    const backup = await takeVerifiedBackup(ctx, { instance, jobId: job.id, reason, signal });
    write(`       ${rowsOf(backup)} rows, ${(Number(backup.sizeBytes) / 1024).toFixed(0)} KiB, SHA-256 ${backup.sha256}, restored once with equal counts\n`);
    await pruneBackups(ctx, instance.id);
    return backup;
  });
}
