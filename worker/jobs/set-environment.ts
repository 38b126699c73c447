// Gives a running experiment the environment that was stored, by a restart; a stopped one has it at its next start.

import { specOf } from '../../domain/specs.ts';
import type { JobRun } from '../job-run.ts';
import { startSteps, stopSteps } from './start-stop.ts';

/** Safe to repeat: the environment is read from the rows, never from the job's input. */
export async function setEnvironment(run: JobRun): Promise<void> {
  const { ctx, instance } = run;
  if (instance.currentDeploymentId === null || instance.intent === 'stop') {
    await run.step('keep', 'Kept for the next start', () => ctx.platform.configure(specOf(ctx, instance)));
    return;
  }
  await stopSteps(run);
  await startSteps(run);
}
