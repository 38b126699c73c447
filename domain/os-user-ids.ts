// Operating-system user ids of instances: one each, given by the worker when it runs as root.

import { AppError } from '../contracts/errors.ts';
import type { Instance } from '../prisma/client/client.ts';
import type { WorkerContext } from './context.ts';
import type { Transaction } from './database.ts';

/** Gives the instance an id of its own where the worker can change to it; one that it has stays. @returns the row with it */
export async function giveOsUserId<I extends Instance>(ctx: WorkerContext, instance: I): Promise<I> {
  if (!ctx.config.isRoot || instance.osUserId !== null) return instance;
  return ctx.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('arboretum os user ids'))`;
    const osUserId = await freeOsUserId(tx, ctx.config.INSTANCE_USER_IDS);
    await tx.instance.update({ where: { id: instance.id }, data: { osUserId } });
    return { ...instance, osUserId };
  });
}

async function freeOsUserId(tx: Transaction, [firstOsUserId, lastOsUserId]: readonly [number, number]): Promise<number> {
  const { _max } = await tx.instance.aggregate({ _max: { osUserId: true } });
  const next = Math.max(firstOsUserId, (_max.osUserId ?? 0) + 1);
  if (next <= lastOsUserId) return next;
  const taken = new Set((await tx.instance.findMany({ where: { osUserId: { not: null } }, select: { osUserId: true } })).map(({ osUserId }) => osUserId));
  for (let id = firstOsUserId; id <= lastOsUserId; id += 1) if (!taken.has(id)) return id;
  throw new AppError('platform_failed', { reason: 'every user id of INSTANCE_USER_IDS is in use' });
}
