// Cancelling: a queued job ends at once, a running one is asked to end and does so before its next step.

import { AppError } from '../contracts/errors.ts';
import { isCancellable, jobKinds, type JobKind } from '../contracts/jobs.ts';
import { canOnInstance } from '../contracts/roles.ts';
import { isJobOver, type JobState } from '../contracts/states.ts';
import type { Job } from '../prisma/client/client.ts';
import { standingOf, withPeople, type Person } from './access.ts';
import { record } from './audit.ts';
import type { Context } from './context.ts';
import { asJson, type Transaction } from './database.ts';
import { announceInstance } from './instances.ts';
import { showJob } from './jobs.ts';
import { readSteps, type JobRow } from './present-job.ts';
import { findVisibleJob } from './start-job.ts';

/**
 * Ends a job that waits, or marks one that runs: the worker sees the mark, and no further step begins.
 * A second person who cancels the same job changes nothing.
 * @returns the job's row; `isRunning` says that the worker has to hear of it
 * @throws not_found, not_allowed, too_late_to_cancel when it is past the point of no return or over
 */
export async function cancelJob(ctx: Context, person: Person, jobId: string): Promise<{ job: JobRow; isRunning: boolean }> {
  const { instanceId, kind } = await findVisibleJob(ctx, person, jobId);
  // A job of no instance does its work person by person: it has no step to stop before.
  if (instanceId === null) throw new AppError('too_late_to_cancel', { kind: jobKinds[kind as JobKind] ?? kind });
  const instance = await ctx.db.instance.findUniqueOrThrow({ where: { id: instanceId }, include: withPeople });
  if (!canOnInstance(standingOf(person, instance), 'instance.cancel-job')) throw new AppError('not_allowed');
  const isRunning = await ctx.db.$transaction(async (tx) => {
    // The beginning of a step is an update of the same row: one of the two comes first.
    await tx.$queryRaw`SELECT 1 FROM "job" WHERE "id" = ${jobId} FOR UPDATE`;
    const job = await tx.job.findUniqueOrThrow({ where: { id: jobId } });
    if (job.cancelledAt && !isJobOver(job.state as JobState)) return true;
    if (!isCancellable({ ...job, steps: readSteps(job.steps) })) throw new AppError('too_late_to_cancel', { kind: jobKinds[job.kind as JobKind] ?? job.kind });
    await tx.job.update({ where: { id: jobId }, data: { cancelledAt: new Date(), cancelledByName: person.name } });
    if (job.state === 'queued') await endQueued(tx, job, person.name);
    await record(tx, person, { action: 'job.cancel', subject: instance.name, instanceId: instance.id, detail: { kind: job.kind, jobId } });
    return job.state === 'running';
  });
  const job = await showJob(ctx, jobId);
  await announceInstance(ctx, instance.id);
  return { job, isRunning };
}

async function endQueued(tx: Transaction, job: Job, actor: string): Promise<void> {
  const endedAt = new Date();
  await tx.job.update({ where: { id: job.id }, data: { state: 'cancelled', endedAt, errorCode: 'job_cancelled', errorDetails: asJson({ actor }) } });
  if (job.deploymentId) await tx.deployment.update({ where: { id: job.deploymentId }, data: { state: 'cancelled', endedAt } });
}
