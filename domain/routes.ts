// What the front door is to show for each instance, worked out from the rows.

import type { FrontDoorRoute } from '../platforms/front-door.ts';
import type { Instance } from '../prisma/client/client.ts';
import { cookieNameOf, instanceUrl, routeAddressOf } from './addresses.ts';
import type { WorkerContext } from './context.ts';

/** The route of one instance: to oTree when it is meant to run and was deployed, else a page that says why not; null where the platform has a front door of its own. */
export function routeOf(ctx: Pick<WorkerContext, 'config' | 'platform'>, instance: Instance): FrontDoorRoute | null {
  const socket = ctx.platform.upstreamSocket(instance.id);
  if (socket === null) return null;
  const isDeployed = instance.currentDeploymentId !== null;
  const isMeantToRun = isDeployed && instance.intent === 'run';
  return {
    instanceId: instance.id,
    address: routeAddressOf(ctx.config, instance),
    redirects: [],
    url: instanceUrl(ctx.config, instance),
    upstreamSocket: isMeantToRun ? socket : null,
    fallback: !isDeployed ? 'waiting' : isMeantToRun ? 'moment' : 'stopped',
    cookieName: cookieNameOf(instance.id),
    maxBodyMib: ctx.config.MAX_UPLOAD_MIB,
  };
}

/** Brings one instance's route in line with its row. */
export async function refreshRoute(ctx: WorkerContext, instanceId: string, signal: AbortSignal): Promise<void> {
  const instance = await ctx.db.instance.findUnique({ where: { id: instanceId } });
  await ctx.frontDoor.applyOne(instanceId, !instance || instance.deletedAt ? null : routeOf(ctx, instance), signal);
}

/** Brings all routes in line; at the worker's start. */
export async function refreshAllRoutes(ctx: WorkerContext, signal: AbortSignal): Promise<void> {
  const instances = await ctx.db.instance.findMany({ where: { deletedAt: null, state: { notIn: ['creating', 'failed'] } } });
  const { refused } = await ctx.frontDoor.apply(
    instances.flatMap((instance) => routeOf(ctx, instance) ?? []),
    signal,
  );
  for (const { instanceId, reason } of refused) ctx.log.error('the front door refused an instance', { instanceId, reason });
}
