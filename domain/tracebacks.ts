// The last error of an experiment: read from the end of its log, so that nobody switches debug on to see one.

import { Prisma, type Instance } from '../prisma/client/client.ts';
import { dataKinds } from '../contracts/jobs.ts';
import type { OwnedInstance } from './access.ts';
import { record } from './audit.ts';
import type { Actor, Context, WorkerContext } from './context.ts';
import { asJson } from './database.ts';
import { announceInstance } from './instances.ts';
import { findTraceback, readStored, since, type StoredTraceback } from './last-traceback.ts';

const tailBytes = 256 * 1024;
const watched = ['running', 'unhealthy', 'crashed', 'starting'];

/** How far this process has read each instance's log, and how far it was written at the last look. */
export type LogPositions = Map<string, { readonly read: string | null; readonly seen: string }>;
type Watched = Pick<Instance, 'id' | 'lastTraceback' | 'currentDeploymentId'>;

/** Looks at what experiments wrote since the last look; one that wrote nothing costs one `stat`. */
export async function observeTracebacks(ctx: WorkerContext, positions: LogPositions): Promise<void> {
  const instances = await ctx.db.instance.findMany({
    where: { deletedAt: null, state: { in: watched }, currentDeploymentId: { not: null } },
    select: { id: true, lastTraceback: true, currentDeploymentId: true },
  });
  for (const id of positions.keys()) if (!instances.some((instance) => instance.id === id)) positions.delete(id);
  for (const instance of instances) await lookAt(ctx, instance, positions);
}

async function lookAt(ctx: WorkerContext, instance: Watched, positions: LogPositions): Promise<void> {
  const { read, seen } = positions.get(instance.id) ?? { read: null, seen: null };
  const { text, position } = await ctx.platform.readLogFrom(instance.id, { position: read, maxBytes: tailBytes });
  const found = findTraceback(read === null ? await sinceChange(ctx, instance, text) : text);
  // Half of it, or of its first line, may still be on its way: it is taken when the log has been quiet for one round.
  const isUnfinished = found?.isAtEnd || (text !== '' && !text.endsWith('\n'));
  if (isUnfinished && position !== seen) return void positions.set(instance.id, { read, seen: position });
  positions.set(instance.id, { read: position, seen: position });
  // After a restart of the worker the end of the log is read again: what is known is not news.
  if (found === null || (read === null && readStored(instance)?.text === found.text)) return;
  const news: StoredTraceback = { at: new Date().toISOString(), text: found.text, isHidden: false };
  await ctx.db.instance.updateMany({ where: { id: instance.id, currentDeploymentId: instance.currentDeploymentId }, data: { lastTraceback: asJson(news) } });
  await announceInstance(ctx, instance.id);
}

/** Errors of the version or of the data before are not these. */
async function sinceChange(ctx: Context, { id, currentDeploymentId }: Watched, log: string): Promise<string> {
  const deployment = await ctx.db.deployment.findUnique({ where: { id: currentDeploymentId ?? '' }, select: { createdAt: true } });
  if (!deployment) return log;
  const change = await ctx.db.job.findFirst({
    where: { instanceId: id, kind: { in: [...dataKinds] }, state: 'succeeded', startedAt: { gt: deployment.createdAt } },
    orderBy: { createdAt: 'desc' },
    select: { startedAt: true },
  });
  return since(log, change?.startedAt ?? deployment.createdAt);
}

/** Hides the error until another one comes; nothing to hide is fine. */
export async function hideTraceback(ctx: Context, actor: Actor, instance: OwnedInstance): Promise<void> {
  const stored = readStored(instance);
  if (stored === null || stored.isHidden) return;
  await ctx.db.$transaction(async (tx) => {
    await tx.instance.update({ where: { id: instance.id }, data: { lastTraceback: asJson({ ...stored, isHidden: true }) } });
    await record(tx, actor, { action: 'instance.hide-traceback', subject: instance.name, instanceId: instance.id });
  });
  await announceInstance(ctx, instance.id);
}

/** What a new deployment writes beside itself: the errors of the one before are gone. */
export const noTraceback = { lastTraceback: Prisma.DbNull } as const;
