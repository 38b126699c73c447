// Exchanging the data of an experiment: stopped first, backed up first, and afterwards as it was meant to be.

import { refreshRoute } from '../domain/routes.ts';
import { setState } from '../domain/instance-state.ts';
import type { JobRun } from './job-run.ts';
import { startSteps, startWithNewData, stopSteps } from './jobs/start-stop.ts';

/** @param exchange backs up, then changes the data; when it fails, the experiment goes on with whatever data there are */
export async function replaceData(run: JobRun, exchange: () => Promise<void>): Promise<void> {
  const { ctx, instance, signal } = run;
  // Stopped before the dump: no row may be written between the backup and the exchange.
  await stopSteps(run);
  try {
    await exchange();
  } catch (error) {
    // A restore is all or nothing, and what is wiped is backed up: either way it can answer again.
    if (instance.intent === 'run' && !signal.aborted) await startSteps(run);
    throw error;
  }
  if (instance.intent === 'run') return startWithNewData(run);
  await refreshRoute(ctx, instance.id, signal);
  await setState(ctx, instance.id, { state: 'stopped' });
}
