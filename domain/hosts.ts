// The machines on which instances run: who is on which, and who may be disturbed when one is emptied.

import type { z } from 'zod';
import { AppError } from '../contracts/errors.ts';
import type { hostListSchema, HostsView, SwarmHostView } from '../contracts/hosts.ts';
import type { Platform } from '../platforms/platform.ts';
import { record } from './audit.ts';
import type { Actor, Context, WorkerContext } from './context.ts';
import { guardMany, peopleInSession } from './guard.ts';

type HostList = NonNullable<z.infer<typeof hostListSchema>>;

/** The platform's hosts. @throws not_found where it knows of one machine only */
export function hostsOf({ platform }: Pick<WorkerContext, 'platform'>): NonNullable<Platform['hosts']> {
  if (platform.hosts === null) throw new AppError('not_found');
  return platform.hosts;
}

/** What the platform knows, for the wire; null where it knows of one machine only. */
export async function listHosts({ platform }: Pick<WorkerContext, 'platform'>): Promise<HostList | null> {
  if (platform.hosts === null) return null;
  const hosts = await platform.hosts.list();
  return {
    isSpread: platform.hosts.isSpread,
    hosts: hosts.map((host) => ({ ...host, instanceIds: [...host.instanceIds], awaySince: host.awaySince?.toISOString() ?? null })),
  };
}

/** The same with the instances' names and how many people are in a session there. */
export async function presentHosts(ctx: Pick<Context, 'db'>, list: HostList): Promise<HostsView> {
  const instances = await ctx.db.instance.findMany({ where: { id: { in: list.hosts.flatMap(({ instanceIds }) => instanceIds) } }, orderBy: { name: 'asc' } });
  const on = (ids: readonly string[]): SwarmHostView['instances'] =>
    instances.filter(({ id }) => ids.includes(id)).map((instance) => ({ name: instance.name, participantsInSession: peopleInSession(instance) }));
  return { isSpread: list.isSpread, hosts: list.hosts.map(({ instanceIds, ...host }) => ({ ...host, instances: on(instanceIds) })) };
}

/** Notes that somebody looked at the command by which a machine joins. */
export async function recordJoinCommand(ctx: Pick<Context, 'db'>, actor: Actor): Promise<void> {
  await record(ctx.db, actor, { action: 'host.show-join-command', subject: 'swarm' });
}

type Change = { readonly id: string; readonly takesInstances: boolean; readonly reason: string | undefined };

/** Whether a host may be emptied, or used again, now; noted before it is done. @throws not_found, people_in_session, host_last */
export async function recordHostChange(ctx: Pick<Context, 'db'>, actor: Actor, { list, change }: { list: HostList; change: Change }): Promise<void> {
  const host = list.hosts.find(({ id }) => id === change.id);
  if (host === undefined) throw new AppError('not_found');
  const instances = await ctx.db.instance.findMany({ where: { id: { in: host.instanceIds } } });
  if (!change.takesInstances) {
    if (!list.hosts.some((other) => other.id !== host.id && other.takesInstances && other.state === 'ready'))
      throw new AppError('host_last', { name: host.name });
    guardMany(instances, change.reason);
  }
  const detail = { instances: instances.map(({ name }) => name), ...(change.reason === undefined ? {} : { reason: change.reason }) };
  await record(ctx.db, actor, { action: change.takesInstances ? 'host.activate' : 'host.drain', subject: host.name, detail });
}

/** Whether a host may be taken from the list; noted before it is done. @throws not_found, host_not_down */
export async function recordHostRemoval(ctx: Pick<Context, 'db'>, actor: Actor, { list, id }: { list: HostList; id: string }): Promise<void> {
  const host = list.hosts.find((one) => one.id === id);
  if (host === undefined) throw new AppError('not_found');
  if (host.state !== 'down') throw new AppError('host_not_down', { name: host.name });
  await record(ctx.db, actor, { action: 'host.remove', subject: host.name, detail: { address: host.address ?? '' } });
}
