// What the front door is to show for each instance, worked out from the rows.

import type { FrontDoorRoute } from '../platforms/front-door.ts';
import type { FormerAddress, Instance } from '../prisma/client/client.ts';
import { asAddressed, cookieNameOf, instanceUrl, isServed, routeAddressOf } from './addresses.ts';
import { doorCertificatesOf, type CertificateFor } from './certificates.ts';
import type { WorkerContext } from './context.ts';

/** An instance's row with the addresses that still lead to it. */
export type RoutedInstance = Instance & { readonly formerAddresses: readonly FormerAddress[] };
/** What `routeOf` needs besides the row. */
export const withFormer = { formerAddresses: { orderBy: { createdAt: 'asc' } } } as const;

/** The route of one instance: to oTree when it is meant to run and was deployed, else a page that says why not; null where the platform has a front door of its own. */
export function routeOf(ctx: Pick<WorkerContext, 'config' | 'platform'>, instance: RoutedInstance, certificateFor: CertificateFor): FrontDoorRoute | null {
  const socket = ctx.platform.upstreamSocket(instance.id);
  if (socket === null) return null;
  const isDeployed = instance.currentDeploymentId !== null;
  const isMeantToRun = isDeployed && instance.intent === 'run';
  const former = instance.formerAddresses.map((one) => asAddressed(instance, one)).filter((one) => isServed(ctx.config, one));
  return {
    instanceId: instance.id,
    address: routeAddressOf(ctx.config, instance, certificateFor),
    redirects: former.map((one) => routeAddressOf(ctx.config, one, certificateFor)),
    url: instanceUrl(ctx.config, instance),
    upstreamSocket: isMeantToRun ? socket : null,
    fallback: !isDeployed ? 'waiting' : isMeantToRun ? 'moment' : 'stopped',
    cookieName: cookieNameOf(instance.id),
    maxBodyMib: ctx.config.MAX_UPLOAD_MIB,
  };
}

/** Brings one instance's route in line with its row. */
export async function refreshRoute(ctx: WorkerContext, instanceId: string, signal: AbortSignal): Promise<void> {
  const instance = await ctx.db.instance.findUnique({ where: { id: instanceId }, include: withFormer });
  await ctx.frontDoor.applyOne(instanceId, !instance || instance.deletedAt ? null : routeOf(ctx, instance, await doorCertificatesOf(ctx)), signal);
}

/** Closes an address of before; its port or name is free only after the front door has let go of it. */
export async function closeFormerAddress(ctx: WorkerContext, former: Pick<FormerAddress, 'id' | 'instanceId'>, signal: AbortSignal): Promise<void> {
  const instance = await ctx.db.instance.findUniqueOrThrow({ where: { id: former.instanceId }, include: withFormer });
  const formerAddresses = instance.formerAddresses.filter(({ id }) => id !== former.id);
  await ctx.frontDoor.applyOne(instance.id, routeOf(ctx, { ...instance, formerAddresses }, await doorCertificatesOf(ctx)), signal);
  await ctx.db.formerAddress.deleteMany({ where: { id: former.id } });
}

/** Brings all routes in line. */
export async function refreshAllRoutes(ctx: WorkerContext, certificateFor: CertificateFor, signal: AbortSignal): Promise<void> {
  const instances = await ctx.db.instance.findMany({ where: { deletedAt: null, state: { notIn: ['creating', 'failed'] } }, include: withFormer });
  const { refused } = await ctx.frontDoor.apply(
    instances.flatMap((instance) => routeOf(ctx, instance, certificateFor) ?? []),
    signal,
  );
  for (const { instanceId, reason } of refused) ctx.log.error('the front door refused an instance', { instanceId, reason });
}
