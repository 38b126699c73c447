// Empties the database of an experiment. No verified backup, no wipe: the order is the code.

import { backupReasons } from '../../domain/backups.ts';
import { setState } from '../../domain/instance-state.ts';
import { refreshRoute } from '../../domain/routes.ts';
import { specOf } from '../../domain/specs.ts';
import { backupStep } from '../backup-step.ts';
import { forgetOldData } from '../forget-old-data.ts';
import type { JobRun } from '../job-run.ts';
import { startSteps, startWithNewData, stopSteps } from './start-stop.ts';

export async function resetDatabase(run: JobRun): Promise<void> {
  const { ctx, instance, signal, step, write } = run;
  // Stopped before the dump: no row may be written between the backup and the wipe.
  await stopSteps(run);
  try {
    await backupStep(run, backupReasons.beforeReset);
    await step('reset', 'Reset the database', () => ctx.platform.resetDatabase(specOf(ctx, instance), { signal, onOutput: write }));
    await forgetOldData(run);
  } catch (error) {
    // Whatever went wrong, the experiment is as it was or empty and backed up: it answers again.
    if (instance.intent === 'run' && !signal.aborted) await startSteps(run);
    throw error;
  }
  if (instance.intent === 'run') return startWithNewData(run);
  await refreshRoute(ctx, instance.id, signal);
  await setState(ctx, instance.id, { state: 'stopped' });
}
