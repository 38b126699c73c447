// After a worker died in the middle of switching versions: the version that the row names is the one that runs.

import type { WorkerContext } from '../domain/context.ts';
import { readSteps } from '../domain/present-job.ts';
import { specOf } from '../domain/specs.ts';
import type { Job } from '../prisma/client/client.ts';

/**
 * Stops what may be the new version and chooses the old one again; the next round of observing starts it.
 * @param interrupted jobs that ended because the worker before this one was stopped
 */
export async function recoverInstances(ctx: WorkerContext, interrupted: readonly Job[]): Promise<void> {
  const switching = interrupted.filter(
    (job) => (job.kind === 'deploy' || job.kind === 'roll-back') && readSteps(job.steps).some(({ name }) => name === 'switch'),
  );
  for (const instanceId of new Set(switching.flatMap((job) => job.instanceId ?? []))) {
    await recover(ctx, instanceId).catch((error: unknown) => ctx.log.error('an instance could not be put right', { instanceId, error: String(error) }));
  }
}

async function recover(ctx: WorkerContext, instanceId: string): Promise<void> {
  const instance = await ctx.db.instance.findUniqueOrThrow({ where: { id: instanceId } });
  await ctx.platform.stop({ instanceId, osUserId: instance.osUserId }, AbortSignal.timeout(60_000));
  if (instance.currentDeploymentId === null) return;
  const deployment = await ctx.db.deployment.findUniqueOrThrow({ where: { id: instance.currentDeploymentId } });
  await ctx.platform.selectRelease(specOf(ctx, instance), deployment.number);
}
