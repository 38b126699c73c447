// Gives an instance other limits, or no process at all: limits are set when the processes start.

import type { JobRun } from '../job-run.ts';
import { stop, takeUpSettings } from './start-stop.ts';

/** 0 processes are a stop, 1 is a restart with the new limits; both are stored with the request. */
export async function scale(run: JobRun): Promise<void> {
  const { memoryMib, diskMib, intent } = run.instance;
  const words = (limit: number | null): string => (limit === null ? 'the panel’s setting' : `${limit} MiB`);
  run.write(`       web processes ${intent === 'run' ? 1 : 0}, memory ${words(memoryMib)}, disk ${words(diskMib)}\n`);
  await (intent === 'stop' && run.instance.currentDeploymentId !== null ? stop(run) : takeUpSettings(run));
}
