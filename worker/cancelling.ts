// How a running job learns that somebody cancelled it: told over the worker's socket, and found in its row in any case.

import type { Context } from '../domain/context.ts';
import { cancelledBy } from '../domain/jobs.ts';

const pollMs = 500;
/** The running jobs of this process. */
const running = new Map<string, () => Promise<void>>();

/**
 * Gives a signal that aborts with `job_cancelled` when the job is cancelled, or with the worker's own.
 * `close` has to be called when the job has ended.
 */
export function watchForCancel(ctx: Context, jobId: string, workerSignal: AbortSignal): { signal: AbortSignal; close: () => void } {
  const controller = new AbortController();
  const look = async (): Promise<void> => {
    const job = await ctx.db.job.findUnique({ where: { id: jobId }, select: { cancelledAt: true, cancelledByName: true } });
    if (job?.cancelledAt) controller.abort(cancelledBy(job));
  };
  // A database that is away for a moment is asked again.
  const timer = setInterval(() => void look().catch(() => undefined), pollMs);
  running.set(jobId, look);
  return {
    signal: AbortSignal.any([workerSignal, controller.signal]),
    close: () => {
      clearInterval(timer);
      running.delete(jobId);
    },
  };
}

/** Looks at once whether this job was cancelled; one that does not run here is no matter. */
export const lookForCancel = async (jobId: string): Promise<void> => running.get(jobId)?.();
