// What is really so: asks the platform for all instances at once, writes what changed, and puts intent and state together.

import { AppError } from '../contracts/errors.ts';
import type { InstanceState } from '../contracts/states.ts';
import type { Observation } from '../platforms/platform.ts';
import type { Instance } from '../prisma/client/client.ts';
import { record } from './audit.ts';
import { systemActor, type WorkerContext } from './context.ts';
import { readFacts, storeFacts, type Facts } from './facts.ts';
import { announceInstance } from './instances.ts';
import { halfDeleted, setState } from './instance-state.ts';
import { announceJob, requestJob } from './jobs.ts';

const unobserved = ['creating', 'failed', 'deleted'];

/** The state that an observation means for this instance. */
export function stateOf(instance: Pick<Instance, 'currentDeploymentId'>, seen: Observation): InstanceState {
  if (instance.currentDeploymentId === null) return 'waiting';
  return seen.state === 'absent' ? 'stopped' : seen.state;
}

/**
 * Observes all instances, or one. While a job runs on an instance, the job writes its state;
 * `isJobOver` says that the caller is that job, at its end.
 */
export async function observeInstances(ctx: WorkerContext, options: { only?: string; isJobOver?: boolean } = {}): Promise<void> {
  const instances = await ctx.db.instance.findMany({ where: { deletedAt: null, state: { notIn: unobserved }, ...(options.only ? { id: options.only } : {}) } });
  if (instances.length === 0) return;
  const begin = new Date();
  const seen = await ctx.platform.observe(instances.map(({ id }) => id));
  const ids = [...seen.keys()];
  const known = ids.filter((id) => seen.get(id)?.state !== 'unknown');
  await ctx.db.instance.updateMany({ where: { id: { in: known } }, data: { observedAt: new Date() } });
  // What was seen may be older than a job that ended meanwhile: the job knows better.
  const jobs = await ctx.db.job.findMany({
    where: { instanceId: { in: ids }, OR: [{ state: 'running' }, { endedAt: { gte: begin } }] },
    select: { instanceId: true },
  });
  const busy = new Set(jobs.map(({ instanceId }) => instanceId));
  for (const instance of instances) {
    const observation = seen.get(instance.id);
    if (!observation) continue;
    await writeNumbers(ctx, instance, observation);
    if (busy.has(instance.id) && !options.isJobOver) continue;
    if (instance.stateDetail === halfDeleted && (observation.state === 'absent' || observation.state === 'unknown')) continue;
    await setState(ctx, instance.id, { state: stateOf(instance, observation), detail: observation.detail });
  }
}

/** Sizes move all the time: only a change of a twentieth is news. */
const hasMoved = (before: number, now: number): boolean => Math.abs(before - now) > before / 20;

async function writeNumbers(ctx: WorkerContext, instance: Instance, seen: Observation): Promise<void> {
  const { webProcesses, restarts, memoryBytes } = seen;
  const before = Number(instance.memoryBytes ?? 0);
  const { diskBytes, hasOwnDatabaseServer, host } = readFacts(instance);
  const news: Partial<Facts> = {
    ...(seen.diskBytes !== null && (diskBytes === null || hasMoved(diskBytes, seen.diskBytes)) ? { diskBytes: seen.diskBytes } : {}),
    ...((seen.hasOwnDatabaseServer ?? hasOwnDatabaseServer) === hasOwnDatabaseServer ? {} : { hasOwnDatabaseServer: seen.hasOwnDatabaseServer }),
    ...((seen.host ?? null) === host ? {} : { host: seen.host ?? null }),
  };
  const hasNews = Object.keys(news).length > 0;
  if (!hasNews && instance.webProcesses === webProcesses && instance.restarts === restarts && !hasMoved(before, memoryBytes ?? 0)) return;
  if (hasNews) await storeFacts(ctx, instance.id, news);
  await ctx.db.instance.update({
    where: { id: instance.id },
    data: { webProcesses, restarts, memoryBytes: memoryBytes === null ? null : BigInt(memoryBytes) },
  });
  await announceInstance(ctx, instance.id);
}

/** What is meant to run and does not is started, what is meant to stop and runs is stopped: as jobs that people see. */
export async function reconcileInstances(ctx: WorkerContext): Promise<void> {
  const astray = await ctx.db.instance.findMany({
    where: {
      deletedAt: null,
      currentDeploymentId: { not: null },
      OR: [
        { intent: 'run', state: 'stopped' },
        { intent: 'stop', state: { in: ['running', 'unhealthy', 'starting', 'crashed'] } },
      ],
    },
  });
  for (const instance of astray) {
    try {
      const job = await ctx.db.$transaction(async (tx) => {
        const [kind, reason] =
          instance.intent === 'run' ? (['start', 'It is meant to run and did not.'] as const) : (['stop', 'It is meant to be stopped and was not.'] as const);
        await record(tx, systemActor, { action: `instance.${kind}`, subject: instance.name, instanceId: instance.id, detail: { reason } });
        return requestJob(tx, systemActor, { kind, instanceId: instance.id });
      });
      await announceJob(ctx, job.id);
    } catch (error) {
      // Somebody is at it already.
      if (!(error instanceof AppError && error.code === 'job_in_progress')) throw error;
    }
  }
}
