// Empties the database of an experiment. No verified backup, no wipe: the order is the code.

import { backupReasons } from '../../domain/backups.ts';
import { specOf } from '../../domain/specs.ts';
import { backupStep } from '../backup-step.ts';
import { forgetOldData } from '../forget-old-data.ts';
import type { JobRun } from '../job-run.ts';
import { replaceData } from '../replace-data.ts';

export const resetDatabase = (run: JobRun): Promise<void> =>
  replaceData(run, async () => {
    const { ctx, instance, signal, step, write } = run;
    await backupStep(run, backupReasons.beforeReset);
    await step('reset', 'Reset the database', () => ctx.platform.resetDatabase(specOf(ctx, instance), { signal, onOutput: write }));
    await forgetOldData(run);
  });
