// A backup by hand.

import { backupReasons } from '../../domain/backups.ts';
import { announceInstance } from '../../domain/instances.ts';
import { backupStep } from '../backup-step.ts';
import type { JobRun } from '../job-run.ts';

export async function backUp(run: JobRun): Promise<void> {
  await backupStep(run, backupReasons.byHand);
  await announceInstance(run.ctx, run.instance.id);
}
