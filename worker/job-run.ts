// One run of one job: what the job's code gets in hand, and how it tells its story in steps.

import { AppError } from '../contracts/errors.ts';
import type { Step } from '../contracts/jobs.ts';
import type { WorkerContext } from '../domain/context.ts';
import type { JobLogWriter } from '../domain/job-log.ts';
import { beginStep, writeSteps } from '../domain/jobs.ts';
import type { JobRow } from '../domain/present-job.ts';
import type { StartableInstance } from '../domain/specs.ts';

export type JobRun = {
  readonly ctx: WorkerContext;
  readonly job: JobRow;
  /** The instance's row as it was when the job began. */
  readonly instance: StartableInstance;
  /** Aborted when the worker stops or the job is cancelled. */
  readonly signal: AbortSignal;
  /** Adds text to the job's log. */
  readonly write: (text: string) => void;
  /** Runs one named step; its success or failure and its time are seen in every open page. */
  readonly step: <T>(name: string, label: string, work: () => Promise<T>) => Promise<T>;
};

/** A run of a job that belongs to no instance. */
export type PanelRun = Omit<JobRun, 'instance'>;

/** Makes the run of a claimed job, still without its instance. */
export function makePanelRun(parts: Pick<PanelRun, 'ctx' | 'job' | 'signal'> & { log: JobLogWriter }): PanelRun {
  const { ctx, job, log, signal } = parts;
  let steps: readonly Step[] = [];
  const withStep = (step: Step): Step[] =>
    steps.some(({ name }) => name === step.name) ? steps.map((other) => (other.name === step.name ? step : other)) : [...steps, step];
  const end = (step: Step): Promise<void> => {
    steps = withStep(step);
    return writeSteps(ctx, job, steps);
  };
  return {
    ctx,
    job,
    signal,
    write: log.write,
    async step(name, label, work) {
      signal.throwIfAborted();
      const begun = { name, label, startedAt: new Date().toISOString(), endedAt: null };
      const next = withStep({ ...begun, state: 'running' });
      await beginStep(ctx, job, next);
      steps = next;
      log.write(`-----> ${label}\n`);
      try {
        const result = await work();
        await end({ ...begun, state: 'succeeded', endedAt: new Date().toISOString() });
        return result;
      } catch (error) {
        await end({ ...begun, state: 'failed', endedAt: new Date().toISOString() });
        throw error;
      }
    },
  };
}

/** Whether this error is the end that somebody asked for. */
export const isCancellation = (run: Pick<JobRun, 'signal'>, error: unknown): boolean =>
  [run.signal.reason, error].some((raw) => raw instanceof AppError && raw.code === 'job_cancelled');
