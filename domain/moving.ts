// Moving an instance to another platform of this machine: when that can be asked for, and what its rows say afterwards.

import { AppError } from '../contracts/errors.ts';
import { moveWords, type MovePlatform } from '../contracts/moving.ts';
import type { BuiltRelease } from '../platforms/release.ts';
import type { Deployment, Instance } from '../prisma/client/client.ts';
import { readCapabilities } from './capabilities.ts';
import type { Context, WorkerContext } from './context.ts';
import { asJson } from './database.ts';
import { readFacts } from './facts.ts';
import { announceInstance } from './instances.ts';

/** @throws move_tied when its data could not come along; move_refused when it is there already, or that platform cannot take it */
export async function demandMovable(ctx: Pick<Context, 'db'>, instance: Pick<Instance, 'platform' | 'facts'>, to: MovePlatform): Promise<void> {
  if (readFacts(instance).hasOwnDatabaseServer) throw new AppError('move_tied');
  if (instance.platform === to) throw new AppError('move_refused', { reason: `it runs ${moveWords[to]} already.` });
  if ((await readCapabilities(ctx, instance)).canMoveTo !== to)
    throw new AppError('move_refused', { reason: `on this machine nothing can run ${moveWords[to]} just now.` });
}

type Moved = { readonly to: MovePlatform; readonly built: { readonly deployment: Pick<Deployment, 'id'>; readonly release: BuiltRelease } | null };

/** From here on it belongs to the other platform, where only the version that was built there can run. */
export async function noteMoved(ctx: WorkerContext, instance: Pick<Instance, 'id'>, { to, built }: Moved): Promise<void> {
  await ctx.db.$transaction(async (tx) => {
    const project = built === null ? {} : { project: asJson(built.release.project) };
    await tx.instance.update({ where: { id: instance.id }, data: { platform: to, ...project } });
    await tx.deployment.updateMany({
      where: { instanceId: instance.id, ...(built ? { id: { not: built.deployment.id } } : {}) },
      data: { isReleaseKept: false },
    });
    if (built === null) return;
    const { requirementsHash, lock, project: described } = built.release;
    const data = { requirementsHash, lock, otreeVersion: described.otreeVersion, isReleaseKept: true, ...project };
    await tx.deployment.update({ where: { id: built.deployment.id }, data });
  });
  ctx.platform.moving?.forget(instance.id);
  await announceInstance(ctx, instance.id);
}
