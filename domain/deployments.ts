// Deployments: asked for by a push, seen by the worker, remembered with what they resolved to.

import { AppError } from '../contracts/errors.ts';
import type { DeploymentView } from '../contracts/instances.ts';
import type { DriftChoice } from '../contracts/jobs.ts';
import type { Deployment, DeploymentSource, Instance, Job, Prisma } from '../prisma/client/client.ts';
import { record } from './audit.ts';
import { systemActor, type Actor, type Context } from './context.ts';
import { newId } from './ids.ts';
import { announceInstance } from './instances.ts';
import { announceJob, requestJob } from './jobs.ts';
import { presentDeployment } from './present-instance.ts';
import { commitFolder, findDeployHead, type CommitInfo } from './repositories.ts';

type Source = CommitInfo & { readonly branch: string };

/** Writes the deployment and its job in one transaction. @throws job_in_progress when the instance is being deleted */
export async function requestDeployment(
  ctx: Context,
  actor: Actor,
  request: { instance: Pick<Instance, 'id' | 'name'>; source: Source; reason?: string; onDrift?: DriftChoice; by?: DeploymentSource },
): Promise<Job> {
  const { instance, source, onDrift, by = 'push' } = request;
  const job = await ctx.db.$transaction(async (tx) => {
    const id = newId();
    await tx.$queryRaw`SELECT 1 FROM "instance" WHERE "id" = ${instance.id} FOR UPDATE`;
    const { _max } = await tx.deployment.aggregate({ where: { instanceId: instance.id }, _max: { number: true } });
    const { commit, message, author, branch } = source;
    await tx.deployment.create({
      data: {
        id,
        instanceId: instance.id,
        number: (_max.number ?? 0) + 1,
        commit,
        message,
        author,
        branch,
        source: by,
        createdById: actor.id,
        createdByName: actor.name,
      },
    });
    await record(tx, actor, {
      action: 'instance.push',
      subject: instance.name,
      instanceId: instance.id,
      detail: { commit, branch, reason: request.reason, onDrift, source: by },
    });
    return requestJob(tx, actor, { kind: 'deploy', instanceId: instance.id, deploymentId: id, input: onDrift ? { onDrift } : {} });
  });
  await announceJob(ctx, job.id);
  await announceInstance(ctx, instance.id);
  return job;
}

/**
 * What a push asks for: the head of the deploy branch, if it moved or if the last deployment of it failed or was cancelled.
 * @returns null when there is nothing to do
 */
export async function deployHead(
  ctx: Context,
  actor: Actor,
  request: { instance: Pick<Instance, 'id' | 'name' | 'deployBranch'>; reason?: string; onDrift?: DriftChoice; by?: DeploymentSource },
): Promise<Job | null> {
  const head = await findDeployHead(ctx.config.layout, request.instance);
  if (!head) return null;
  const last = await ctx.db.deployment.findFirst({
    where: { instanceId: request.instance.id },
    orderBy: { number: 'desc' },
    include: { jobs: { orderBy: { createdAt: 'desc' }, take: 1 } },
  });
  if (last?.commit === head.commit && last.state !== 'failed' && last.state !== 'cancelled') {
    // Its job tidies up for a moment longer: there is nothing left to follow.
    if (last.state === 'succeeded') return null;
    const underWay = last.jobs[0];
    return underWay && (underWay.state === 'queued' || underWay.state === 'running') ? underWay : null;
  }
  return requestDeployment(ctx, actor, { ...request, source: head });
}

/** After a crash between "the ref moved" and "the row is written": heads that no deployment knows are deployed. */
export async function adoptHeads(ctx: Context): Promise<void> {
  const instances = await ctx.db.instance.findMany({ where: { deletedAt: null, state: { notIn: ['creating', 'failed', 'deleting'] } } });
  for (const instance of instances) {
    const head = await findDeployHead(ctx.config.layout, instance);
    if (!head || (await ctx.db.deployment.count({ where: { instanceId: instance.id, commit: head.commit } })) > 0) continue;
    ctx.log.warn('a pushed commit had no deployment; it gets one now', { instance: instance.name, commit: head.commit });
    await requestDeployment(ctx, systemActor, { instance, source: head });
  }
}

/** Puts the bundled experiment into an empty instance. @throws push_refused when something was pushed already */
export async function deploySample(
  ctx: Context,
  actor: Actor,
  request: { instance: Pick<Instance, 'id' | 'name' | 'deployBranch'>; folder: string },
): Promise<Job> {
  if (await findDeployHead(ctx.config.layout, request.instance)) {
    throw new AppError('push_refused', { reason: 'This instance has a project already.', hint: 'Make a new instance for the sample experiment.' });
  }
  await commitFolder(ctx.config.layout, request.instance.id, { folder: request.folder, message: 'Sample experiment: trust game' });
  const job = await deployHead(ctx, actor, { instance: { ...request.instance, deployBranch: null }, by: 'sample' });
  if (!job) throw new AppError('platform_failed', { reason: 'the sample experiment could not be committed' });
  return job;
}

export async function listDeployments(ctx: Context, instance: Pick<Instance, 'id' | 'currentDeploymentId'>): Promise<DeploymentView[]> {
  const rows = await ctx.db.deployment.findMany({
    where: { instanceId: instance.id },
    orderBy: { number: 'desc' },
    take: 100,
    include: { jobs: { select: { id: true }, orderBy: { createdAt: 'desc' }, take: 1 } },
  });
  return rows.map((row) => presentDeployment(row, instance.currentDeploymentId));
}

/** A deployment whose release can run again as it is. @throws not_found, roll_back_refused with a sentence */
export async function findRollBackTarget(ctx: Context, instance: Pick<Instance, 'id' | 'currentDeploymentId'>, deploymentId: string): Promise<Deployment> {
  const deployment = await ctx.db.deployment.findFirst({ where: { id: deploymentId, instanceId: instance.id } });
  if (!deployment) throw new AppError('not_found');
  const reason =
    deployment.id === instance.currentDeploymentId
      ? 'it is the one that is in use.'
      : deployment.state !== 'succeeded'
        ? 'it never ran.'
        : !deployment.isReleaseKept
          ? 'its built release has been cleared away.'
          : deployment.project === null
            ? 'it was built by an older version of the panel, which did not note its rooms and sessions.'
            : null;
  if (reason !== null) throw new AppError('roll_back_refused', { reason });
  return deployment;
}

/** What the newest build of this instance with the same requirements resolved to. */
export async function findLock(ctx: Context, instanceId: string, requirementsHash: string): Promise<string | null> {
  const last = await ctx.db.deployment.findFirst({ where: { instanceId, requirementsHash, lock: { not: null } }, orderBy: { number: 'desc' } });
  return last?.lock ?? null;
}

/** Changes a deployment's row and shows the instance. */
export async function updateDeployment(
  ctx: Context,
  deployment: Pick<Deployment, 'id' | 'instanceId'>,
  data: Partial<Pick<Deployment, 'state' | 'requirementsHash' | 'lock' | 'otreeVersion' | 'isReleaseKept' | 'endedAt'>> & {
    warnings?: string[];
    project?: Prisma.InputJsonValue;
  },
): Promise<void> {
  await ctx.db.deployment.update({ where: { id: deployment.id }, data });
  await announceInstance(ctx, deployment.instanceId);
}
