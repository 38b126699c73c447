// From a job's id to its end: claim, run, end exactly once, leave a true state behind.

import { AppError } from '../contracts/errors.ts';
import type { JobKind } from '../contracts/jobs.ts';
import type { WorkerContext } from '../domain/context.ts';
import { openJobLog } from '../domain/job-log.ts';
import { audienceOf, claimJob, endJob } from '../domain/jobs.ts';
import { observeInstances } from '../domain/observe.ts';
import type { JobRow } from '../domain/present-job.ts';
import { isCancellation, makeRun, type JobRun } from './job-run.ts';
import { watchForCancel } from './cancelling.ts';
import { backUp } from './jobs/back-up.ts';
import { createInstance } from './jobs/create-instance.ts';
import { deleteInstance } from './jobs/delete-instance.ts';
import { deploy } from './jobs/deploy.ts';
import { resetDatabase } from './jobs/reset-database.ts';
import { restore } from './jobs/restore.ts';
import { rollBack } from './jobs/roll-back.ts';
import { restart, setAdminPassword, start, stop } from './jobs/start-stop.ts';

const runners: Readonly<Record<JobKind, (run: JobRun) => Promise<void>>> = {
  'create-instance': createInstance,
  deploy,
  start,
  stop,
  restart,
  'set-admin-password': setAdminPassword,
  'reset-database': resetDatabase,
  restore,
  'roll-back': rollBack,
  'back-up': backUp,
  delete: deleteInstance,
};

/** @returns `later` when another job of the instance goes first */
export async function runJob(ctx: WorkerContext, jobId: string, signal: AbortSignal): Promise<'done' | 'later'> {
  const job = await claimJob(ctx, jobId);
  if (job === 'later') return 'later';
  if (job !== 'over') await runClaimed(ctx, job, signal);
  return 'done';
}

async function runClaimed(ctx: WorkerContext, job: JobRow, signal: AbortSignal): Promise<void> {
  const instance = await ctx.db.instance.findUniqueOrThrow({ where: { id: job.instanceId ?? '' } });
  const log = await openJobLog(ctx, job, await audienceOf(ctx, job));
  const watch = watchForCancel(ctx, job.id, signal);
  const error = await tryRun(makeRun({ ctx, job, instance, signal: watch.signal, log }));
  watch.close();
  if (error) log.write(`\n ✗ ${error.message}\n   ${error.hint}\n`);
  // First the log, then the state of the instance, then the end: whoever sees the end sees the rest.
  await log.close();
  await observeInstances(ctx, { only: instance.id, isJobOver: true });
  await endJob(ctx, job, error ? { state: endOf(error), code: error.code, details: error.details } : { state: 'succeeded' });
}

const endOf = (error: AppError): 'cancelled' | 'failed' => (error.code === 'job_cancelled' ? 'cancelled' : 'failed');

async function tryRun(run: JobRun): Promise<AppError | null> {
  const kind = run.job.kind as JobKind;
  try {
    await runners[kind](run);
    return null;
  } catch (raw) {
    if (run.signal.aborted) return isCancellation(run, raw) ? (run.signal.reason as AppError) : new AppError('job_interrupted');
    if (raw instanceof AppError) return raw;
    run.ctx.log.error('a job failed unexpectedly', { jobId: run.job.id, kind, error: raw instanceof Error ? (raw.stack ?? raw.message) : String(raw) });
    return new AppError('internal', { requestId: run.job.id }, { cause: raw });
  }
}
