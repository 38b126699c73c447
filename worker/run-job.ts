// From a job's id to its end: claim, run, end exactly once, leave a true state behind.

import { AppError, type ErrorDetails } from '../contracts/errors.ts';
import { dataKinds, panelJobKinds, type JobKind, type PanelJobKind } from '../contracts/jobs.ts';
import type { WorkerContext } from '../domain/context.ts';
import { hideValues } from '../domain/environment-variables.ts';
import { openJobLog } from '../domain/job-log.ts';
import { audienceOf, claimJob, endJob } from '../domain/jobs.ts';
import { observeInstances } from '../domain/observe.ts';
import { lookAnew } from '../domain/observe-facts.ts';
import type { JobRow } from '../domain/present-job.ts';
import { loadStartable } from '../domain/specs.ts';
import { isCancellation, makePanelRun, type JobRun, type PanelRun } from './job-run.ts';
import { watchForCancel } from './cancelling.ts';
import { adopt } from './jobs/adopt.ts';
import { backUp } from './jobs/back-up.ts';
import { changeAddress, giveUpAddress } from './jobs/change-address.ts';
import { createCourse } from './jobs/create-course.ts';
import { issueCertificate } from './jobs/issue-certificate.ts';
import { createInstance } from './jobs/create-instance.ts';
import { deleteCourse } from './jobs/delete-course.ts';
import { deleteInstance } from './jobs/delete-instance.ts';
import { deploy } from './jobs/deploy.ts';
import { resetDatabase } from './jobs/reset-database.ts';
import { scale } from './jobs/scale.ts';
import { move } from './jobs/move.ts';
import { runBots } from './jobs/run-bots.ts';
import { restore } from './jobs/restore.ts';
import { rollBack } from './jobs/roll-back.ts';
import { restart, start, stop, takeUpSettings } from './jobs/start-stop.ts';

const runners: Readonly<Record<Exclude<JobKind, PanelJobKind>, (run: JobRun) => Promise<void>>> = {
  'create-instance': createInstance,
  adopt,
  deploy,
  start,
  stop,
  restart,
  'set-admin-password': takeUpSettings,
  'reset-database': resetDatabase,
  restore,
  'roll-back': rollBack,
  'back-up': backUp,
  delete: deleteInstance,
  'set-environment': takeUpSettings,
  scale,
  'change-address': changeAddress,
  'give-up-address': giveUpAddress,
  'run-bots': runBots,
  move,
};

/** Jobs of no instance. */
const panelRunners: Readonly<Record<PanelJobKind, (run: PanelRun) => Promise<void>>> = {
  'create-course': createCourse,
  'delete-course': deleteCourse,
  'issue-certificate': issueCertificate,
};

/** @returns `later` when another job of the instance goes first */
export async function runJob(ctx: WorkerContext, jobId: string, signal: AbortSignal): Promise<'done' | 'later'> {
  const job = await claimJob(ctx, jobId);
  if (job === 'later') return 'later';
  if (job !== 'over') await runClaimed(ctx, job, signal);
  return 'done';
}

async function runClaimed(ctx: WorkerContext, job: JobRow, signal: AbortSignal): Promise<void> {
  const log = await openJobLog(ctx, job, await audienceOf(ctx, job));
  const watch = watchForCancel(ctx, job.id, signal);
  const run = makePanelRun({ ctx, job, signal: watch.signal, log });
  const error = await tryRun(run, () => dispatch(run));
  watch.close();
  if (error) log.write(`\n ✗ ${error.message}\n   ${error.hint}\n`);
  // First the log, then the state of the instance, then the end: whoever sees the end sees the rest.
  await log.close();
  if (job.instanceId !== null) {
    await observeInstances(ctx, { only: job.instanceId, isJobOver: true });
    if (dataKinds.some((kind) => kind === job.kind)) await lookAnew(ctx, job.instanceId);
  }
  await endJob(ctx, job, error ? { state: endOf(error), code: error.code, details: error.details } : { state: 'succeeded' });
}

const endOf = (error: AppError): 'cancelled' | 'failed' => (error.code === 'job_cancelled' ? 'cancelled' : 'failed');

async function dispatch(run: PanelRun): Promise<void> {
  const kind = run.job.kind as JobKind;
  const panelKind = panelJobKinds.find((one) => one === kind);
  if (panelKind) return panelRunners[panelKind](run);
  const instance = await loadStartable(run.ctx, run.job.instanceId ?? '');
  const hide = hideValues(run.ctx, instance);
  try {
    await runners[kind as Exclude<JobKind, PanelJobKind>]({ ...run, instance, write: (text) => run.write(hide(text)) });
  } catch (error) {
    throw error instanceof AppError ? withoutValues(error, hide) : error;
  }
}

/** The last line of what an experiment wrote may stand in the error: values of its variables do not. */
function withoutValues(error: AppError, hide: (text: string) => string): AppError {
  const details = Object.entries(error.details).map(([name, value]) => [name, typeof value === 'string' ? hide(value) : value]);
  return new AppError(error.code, Object.fromEntries(details) as ErrorDetails, { cause: error });
}

async function tryRun(run: PanelRun, work: () => Promise<void>): Promise<AppError | null> {
  const { kind } = run.job;
  try {
    await work();
    return null;
  } catch (raw) {
    if (run.signal.aborted) return isCancellation(run, raw) ? (run.signal.reason as AppError) : new AppError('job_interrupted');
    if (raw instanceof AppError) return raw;
    run.ctx.log.error('a job failed unexpectedly', { jobId: run.job.id, kind, error: raw instanceof Error ? (raw.stack ?? raw.message) : String(raw) });
    return new AppError('internal', { requestId: run.job.id }, { cause: raw });
  }
}
