// Reads a running job's log as it grows, from PostgreSQL alone, so that it works without Redis too.

import { setTimeout as wait } from 'node:timers/promises';
import type { JobView } from '../contracts/jobs.ts';
import { isJobOver, type JobState } from '../contracts/states.ts';
import type { Context } from './context.ts';
import { readJobLog } from './job-log.ts';
import { presentJob, withInstanceName } from './present-job.ts';

const pollMs = 150;

/** Passes on the log's text until the job is over and all of it was read, or until the signal. Aborting does not touch the job. */
export async function followJob(
  ctx: Pick<Context, 'db'>,
  jobId: string,
  io: { onText: (text: string) => void; signal: AbortSignal },
): Promise<Pick<JobView, 'state' | 'error'>> {
  let after = -1;
  for (;;) {
    const job = await ctx.db.job.findUniqueOrThrow({ where: { id: jobId }, include: withInstanceName });
    const isOver = isJobOver(job.state as JobState);
    for (;;) {
      const piece = await readJobLog(ctx, jobId, after);
      if (piece.text) io.onText(piece.text);
      after = piece.lastSequence;
      if (!piece.isTruncated) break;
    }
    if (isOver || io.signal.aborted) return presentJob(job);
    await wait(pollMs, undefined, { signal: io.signal }).catch(() => undefined);
  }
}
