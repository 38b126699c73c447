// Deletes an instance; its last backup stays for the days that the settings say.

import { rm } from 'node:fs/promises';
import { backupReasons } from '../../domain/backups.ts';
import { halfDeleted, setState } from '../../domain/instance-state.ts';
import { forgetInstance } from '../../domain/instances.ts';
import { backupStep } from '../backup-step.ts';
import type { JobRun } from '../job-run.ts';

export async function deleteInstance(run: JobRun): Promise<void> {
  const { ctx, instance, signal, step } = run;
  const target = { instanceId: instance.id, osUserId: instance.osUserId };
  await setState(ctx, instance.id, { state: 'deleting' });
  try {
    await step('stop', 'Stop the experiment', () => ctx.platform.stop(target, signal));
    const hasData = (await ctx.db.deployment.count({ where: { instanceId: instance.id, state: { in: ['succeeded', 'building'] } } })) > 0;
    // A second run after a crash finds the backup of the first, taken when nothing could write any more.
    const isBackedUp = (await ctx.db.backup.count({ where: { jobId: run.job.id, verifiedAt: { not: null } } })) > 0;
    if (hasData && !isBackedUp) await backupStep(run, backupReasons.beforeDelete);
    await step('address', 'Take its address away', () => ctx.frontDoor.applyOne(instance.id, null, signal));
    await step('destroy', 'Remove processes, files and database', () => ctx.platform.destroy(target, signal));
    await rm(ctx.config.layout.botsDir(instance.id), { recursive: true, force: true });
    await step('forget', 'Free its name', () => forgetInstance(ctx, instance.id));
  } catch (error) {
    await setState(ctx, instance.id, { state: 'unknown', detail: halfDeleted });
    throw error;
  }
}
