// A backup by hand.

import { z } from 'zod';
import { backupReasons } from '../../domain/backups.ts';
import { announceInstance } from '../../domain/instances.ts';
import { backupStep } from '../backup-step.ts';
import type { JobRun } from '../job-run.ts';

const inputSchema = z.object({ note: z.string().default('') }).catch({ note: '' });

export async function backUp(run: JobRun): Promise<void> {
  await backupStep(run, backupReasons.byHand, inputSchema.parse(run.job.input));
  await announceInstance(run.ctx, run.instance.id);
}
