// One run of one job: what the job's code gets in hand, and how it tells its story in steps.

import type { Step } from '../contracts/jobs.ts';
import type { WorkerContext } from '../domain/context.ts';
import type { JobLogWriter } from '../domain/job-log.ts';
import { writeSteps } from '../domain/jobs.ts';
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
  const steps: Step[] = [];
  const show = (step: Step): Promise<void> => {
    const at = steps.findIndex(({ name }) => name === step.name);
    if (at < 0) steps.push(step);
    else steps[at] = step;
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
      await show({ ...begun, state: 'running' });
      log.write(`-----> ${label}\n`);
      try {
        const result = await work();
        await show({ ...begun, state: 'succeeded', endedAt: new Date().toISOString() });
        return result;
      } catch (error) {
        await show({ ...begun, state: 'failed', endedAt: new Date().toISOString() });
        throw error;
      }
    },
  };
}
