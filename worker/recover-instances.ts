// After a worker died in the middle of switching: the version and the platform that the row names are those that run.

import type { WorkerContext } from '../domain/context.ts';
import { readSteps } from '../domain/present-job.ts';
import { loadStartable, specOf } from '../domain/specs.ts';
import type { Job } from '../prisma/client/client.ts';

/**
 * Stops what may be the new version and chooses the old one again; clears away what an instance has on another platform than
 * the row's. The next round of observing starts what is meant to run.
 * @param interrupted jobs that ended because the worker before this one was stopped
 */
export async function recoverInstances(ctx: WorkerContext, interrupted: readonly Job[]): Promise<void> {
  const left = (await ctx.platform.moving?.settle(AbortSignal.timeout(120_000))) ?? [];
  for (const problem of left) ctx.log.error('what a move left could not be cleared away yet', { problem });
  const switching = interrupted.filter(
    (job) => (job.kind === 'deploy' || job.kind === 'roll-back') && readSteps(job.steps).some(({ name }) => name === 'switch'),
  );
  for (const instanceId of new Set(switching.flatMap((job) => job.instanceId ?? []))) {
    const wasReset = switching.some((job) => job.instanceId === instanceId && readSteps(job.steps).some(({ name }) => name === 'reset'));
    await recover(ctx, instanceId, wasReset).catch((error: unknown) =>
      ctx.log.error('an instance could not be put right', { instanceId, error: String(error) }),
    );
  }
}

async function recover(ctx: WorkerContext, instanceId: string, wasReset: boolean): Promise<void> {
  const instance = await loadStartable(ctx, instanceId);
  await ctx.platform.stop({ instanceId, osUserId: instance.osUserId }, AbortSignal.timeout(60_000));
  if (instance.currentDeploymentId === null) return;
  const deployment = await ctx.db.deployment.findUniqueOrThrow({ where: { id: instance.currentDeploymentId } });
  const spec = specOf(ctx, instance);
  await ctx.platform.selectRelease(spec, deployment.number);
  // The job may have ended between emptying the database for the new version and starting it: then the tables are the new
  // version's. Only where nothing is in them; what was there is in the backup that the job took before.
  if (wasReset && Object.values((await ctx.platform.databaseFacts(spec)).rowCounts).every((rows) => rows === 0))
    await ctx.platform.resetDatabase(spec, { signal: AbortSignal.timeout(60_000), onOutput: () => {} });
}
