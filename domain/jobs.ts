// Jobs: asked for in one transaction with what they change, claimed by one worker at a time, ended exactly once.

import { AppError, type ErrorCode, type ErrorDetails } from '../contracts/errors.ts';
import { jobKinds, restartableKinds, type JobKind, type Step } from '../contracts/jobs.ts';
import type { Job } from '../prisma/client/client.ts';
import type { Actor, Audience, Context } from './context.ts';
import { asJson, type Transaction } from './database.ts';
import { newId } from './ids.ts';
import { presentJob, withInstanceName, type JobRow } from './present-job.ts';

export type JobRequest = {
  readonly kind: JobKind;
  readonly instanceId: string;
  readonly deploymentId?: string;
  /** What the job needs to know; never a secret. */
  readonly input?: Readonly<Record<string, unknown>>;
};

/**
 * Writes the job's row; call `announceJob` after the commit.
 * An instance does one thing at a time: what conflicts is refused, a deployment alone may queue behind another job.
 * @throws job_in_progress
 */
export async function requestJob(tx: Transaction, actor: Actor, request: JobRequest): Promise<Job> {
  await tx.$queryRaw`SELECT 1 FROM "instance" WHERE "id" = ${request.instanceId} FOR UPDATE`;
  const open = await tx.job.findFirst({ where: { instanceId: request.instanceId, state: { in: ['queued', 'running'] } }, orderBy: { createdAt: 'asc' } });
  const mayQueue = request.kind === 'deploy' && open?.kind !== 'delete';
  if (open && !mayQueue) throw new AppError('job_in_progress', { kind: jobKinds[open.kind as JobKind] ?? open.kind, actor: open.actorName });
  return tx.job.create({
    data: {
      id: newId(),
      kind: request.kind,
      instanceId: request.instanceId,
      deploymentId: request.deploymentId ?? null,
      input: asJson(request.input ?? {}),
      actorId: actor.id,
      actorName: actor.name,
    },
  });
}

/** After the commit: hands the job to the queue and shows it. A queue that is away is made good by the sweeper. */
export async function announceJob(ctx: Context, jobId: string): Promise<JobRow> {
  const job = await ctx.db.job.findUniqueOrThrow({ where: { id: jobId }, include: withInstanceName });
  ctx.events.job(await audienceOf(ctx, job), presentJob(job));
  ctx.queue.add(jobId).catch((error: unknown) => ctx.log.warn('the queue did not take a job; the sweeper will', { jobId, error: String(error) }));
  return job;
}

/** Who may see a job: those who may see its instance. */
export async function audienceOf(ctx: Context, job: Pick<Job, 'instanceId'>): Promise<Audience | null> {
  if (job.instanceId === null) return null;
  const instance = await ctx.db.instance.findUnique({
    where: { id: job.instanceId },
    select: { id: true, ownerId: true, shares: { select: { userId: true } } },
  });
  return instance && { instanceId: instance.id, ownerId: instance.ownerId, sharedWith: instance.shares.map(({ userId }) => userId) };
}

/**
 * Takes a queued job for this worker. One at a time per instance, in the order of asking.
 * @returns the running row, `later` when another job of the instance goes first, `over` when there is nothing to do
 */
export async function claimJob(ctx: Context, jobId: string): Promise<JobRow | 'later' | 'over'> {
  return ctx.db.$transaction(async (tx) => {
    const job = await tx.job.findUnique({ where: { id: jobId } });
    if (!job || job.state !== 'queued') return 'over';
    if (job.instanceId === null) {
      // One at a time for the whole panel: such a job waits for jobs of instances and must leave room for them.
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('arboretum panel jobs'))`;
      if ((await tx.job.count({ where: { instanceId: null, state: 'running', id: { not: job.id } } })) > 0) return 'later';
    } else {
      await tx.$queryRaw`SELECT 1 FROM "instance" WHERE "id" = ${job.instanceId} FOR UPDATE`;
      const before = await tx.job.count({
        where: { instanceId: job.instanceId, id: { not: job.id }, OR: [{ state: 'running' }, { state: 'queued', createdAt: { lt: job.createdAt } }] },
      });
      if (before > 0) return 'later';
    }
    const { count } = await tx.job.updateMany({
      where: { id: jobId, state: 'queued' },
      data: { state: 'running', attempt: { increment: 1 }, startedAt: job.startedAt ?? new Date(), steps: [] },
    });
    if (count === 0) return 'over';
    return tx.job.findUniqueOrThrow({ where: { id: jobId }, include: withInstanceName });
  });
}

/** Writes the steps of a running job; a worker whose claim is no longer the newest is ignored. */
export async function writeSteps(ctx: Context, job: Pick<Job, 'id' | 'attempt'>, steps: readonly Step[]): Promise<void> {
  await updateClaimed(ctx, job, { steps: asJson(steps) });
}

/**
 * Writes the steps with one that begins now. After somebody has asked for the job's end no step begins any more.
 * @throws job_cancelled
 */
export async function beginStep(ctx: Context, job: Pick<Job, 'id' | 'attempt'>, steps: readonly Step[]): Promise<void> {
  if (await updateClaimed(ctx, job, { steps: asJson(steps) }, { cancelledAt: null })) return;
  const row = await ctx.db.job.findUnique({ where: { id: job.id } });
  if (row?.cancelledAt) throw cancelledBy(row);
}

/** The end of a job that somebody cancelled. */
export const cancelledBy = (job: Pick<Job, 'cancelledByName'>): AppError => new AppError('job_cancelled', { actor: job.cancelledByName ?? 'Somebody' });

export type JobEnd = { readonly state: 'succeeded' } | { readonly state: 'failed' | 'cancelled'; readonly code: ErrorCode; readonly details: ErrorDetails };

/** Ends a running job. */
export async function endJob(ctx: Context, job: Pick<Job, 'id' | 'attempt'>, end: JobEnd): Promise<void> {
  const error = end.state === 'succeeded' ? { errorCode: null } : { errorCode: end.code, errorDetails: asJson(end.details) };
  await updateClaimed(ctx, job, { state: end.state, endedAt: new Date(), ...error });
}

type JobChange = Parameters<Context['db']['job']['updateMany']>[0]['data'];

/** @returns whether the claim was still the newest and the condition held */
// oxlint-disable-next-line max-params -- the condition belongs to the one caller that has one
async function updateClaimed(ctx: Context, job: Pick<Job, 'id' | 'attempt'>, data: JobChange, only: { cancelledAt?: null } = {}): Promise<boolean> {
  const { count } = await ctx.db.job.updateMany({ where: { id: job.id, attempt: job.attempt, state: 'running', ...only }, data });
  if (count === 0) return false;
  await showJob(ctx, job.id);
  return true;
}

/** Shows a job's present row to every page that may see it. */
export async function showJob(ctx: Context, jobId: string): Promise<JobRow> {
  const row = await ctx.db.job.findUniqueOrThrow({ where: { id: jobId }, include: withInstanceName });
  ctx.events.job(await audienceOf(ctx, row), presentJob(row));
  return row;
}

/**
 * At the worker's start nobody else runs jobs: what is still `running` was cut off.
 * Kinds that are safe to repeat are queued again, the others end as interrupted.
 * @returns the jobs that ended, so that the caller can put their instances right
 */
export async function recoverJobs(ctx: Context): Promise<Job[]> {
  const cut = await ctx.db.job.findMany({ where: { state: 'running' } });
  const ended: Job[] = [];
  for (const job of cut) {
    if (restartableKinds.includes(job.kind as JobKind)) {
      await ctx.db.job.updateMany({ where: { id: job.id, attempt: job.attempt }, data: { state: 'queued' } });
      continue;
    }
    // First what the job was about, then its end: whoever sees the end sees the rest.
    const isCancelled = job.cancelledAt !== null;
    if (job.deploymentId)
      await ctx.db.deployment.update({ where: { id: job.deploymentId }, data: { state: isCancelled ? 'cancelled' : 'failed', endedAt: new Date() } });
    const end = isCancelled ? cancelledBy(job) : new AppError('job_interrupted');
    await endJob(ctx, job, { state: isCancelled ? 'cancelled' : 'failed', code: end.code, details: end.details });
    ended.push(job);
  }
  return ended;
}

/** Hands every queued row to the queue again: what Redis lost comes back, what it has is not doubled. */
export async function sweepJobs(ctx: Context): Promise<number> {
  const waiting = await ctx.db.job.findMany({ where: { state: 'queued' }, select: { id: true }, orderBy: { createdAt: 'asc' } });
  for (const { id } of waiting) await ctx.queue.add(id);
  return waiting.length;
}
