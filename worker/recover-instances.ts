// After a worker died in the middle of a job: deployments end, and instances say what is really so.

import type { WorkerContext } from '../domain/context.ts';
import { readSteps } from '../domain/present-job.ts';
import { specOf } from '../domain/specs.ts';
import type { Job } from '../prisma/client/client.ts';

/** @param interrupted jobs that ended because the worker before this one was stopped */
export async function recoverInstances(ctx: WorkerContext, interrupted: readonly Job[]): Promise<void> {
  for (const { deploymentId } of interrupted) {
    if (deploymentId)
      await ctx.db.deployment.updateMany({
        where: { id: deploymentId, state: { in: ['waiting', 'building'] } },
        data: { state: 'failed', endedAt: new Date() },
      });
  }
  for (const instanceId of new Set(interrupted.flatMap((job) => job.instanceId ?? []))) {
    const instance = await ctx.db.instance.findUnique({ where: { id: instanceId } });
    if (!instance?.currentDeploymentId) continue;
    const deployment = await ctx.db.deployment.findUniqueOrThrow({ where: { id: instance.currentDeploymentId } });
    const wasSwitching = interrupted.some(
      (job) => job.instanceId === instanceId && job.kind === 'deploy' && readSteps(job.steps).some(({ name }) => name === 'switch'),
    );
    if (!wasSwitching) continue;
    // It may have died between starting the new release and noting it: what the row says is what runs. The next round starts it.
    await ctx.platform.stop({ instanceId, osUserId: instance.osUserId }, AbortSignal.timeout(60_000));
    await ctx.platform
      .selectRelease(specOf(ctx, instance), deployment.number)
      .catch((error: unknown) => ctx.log.error('a release could not be chosen again', { instanceId, error: String(error) }));
  }
}
