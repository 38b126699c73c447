// A job's row as people see it.

import { z } from 'zod';
import { describeError, isErrorCode, type ErrorDetails } from '../contracts/errors.ts';
import { jobKinds, stepSchema, type JobKind, type JobView, type Step } from '../contracts/jobs.ts';
import type { JobState } from '../contracts/states.ts';
import type { Instance, Job } from '../prisma/client/client.ts';

export type JobRow = Job & { instance: Pick<Instance, 'name' | 'deletedAt'> | null };
export const withInstanceName = { instance: { select: { name: true, deletedAt: true } } } as const;
/** What is shown of a job; an instance without `deletedAt` is known to be there. */
export type PresentableJob = Omit<Job, 'attempt' | 'cancelledAt' | 'actorId'> & {
  readonly instance: (Pick<Instance, 'name'> & Partial<Pick<Instance, 'deletedAt'>>) | null;
};

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

// Schemas are made once: to make one takes longer than to read a hundred rows with it.
const stepsSchema = z.array(stepSchema).catch([]);

/** Steps as stored; a row of another version that cannot be read has none. */
export const readSteps = (value: unknown): Step[] => stepsSchema.parse(value);

const rollBackInput = z.object({ deploymentId: z.string().nullable() }).catch({ deploymentId: null });

/** @param job with its instance's name */
export function presentJob(job: PresentableJob): JobView {
  return {
    id: job.id,
    kind: job.kind as JobKind,
    title: jobKinds[job.kind as JobKind] ?? job.kind,
    instanceId: job.instanceId,
    instanceName: job.instance?.name ?? null,
    isInstanceGone: Boolean(job.instance?.deletedAt),
    deploymentId: job.deploymentId,
    rollBackTo: job.kind === 'roll-back' ? rollBackInput.parse(job.input).deploymentId : null,
    state: job.state as JobState,
    steps: readSteps(job.steps),
    error: presentJobError(job),
    actorName: job.actorName,
    cancelledByName: job.cancelledByName,
    createdAt: job.createdAt.toISOString(),
    startedAt: iso(job.startedAt),
    endedAt: iso(job.endedAt),
  };
}

/** What went wrong in words; null when nothing did. */
export function presentJobError(job: Pick<Job, 'errorCode' | 'errorDetails'>): JobView['error'] {
  if (job.errorCode === null) return null;
  const code = isErrorCode(job.errorCode) ? job.errorCode : 'internal';
  return { code, ...describeError(code, (job.errorDetails ?? {}) as ErrorDetails) };
}
