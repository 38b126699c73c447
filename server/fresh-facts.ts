// What is going on inside an experiment at this moment, for decisions that must not rest on what was seen a while ago.

import { doneSchema } from '../contracts/worker.ts';
import type { Context } from '../domain/context.ts';
import type { Instance } from '../prisma/client/client.ts';
import type { makeGitAccess } from '../domain/git-access.ts';
import { askWorker } from './ask-worker.ts';

/**
 * The instance with facts that were read after this was called. Without the worker they are the last ones: whatever is
 * decided then waits for the worker, too.
 */
export async function withFreshFacts<I extends Instance>(ctx: Pick<Context, 'config' | 'db'>, instance: I): Promise<I> {
  if (instance.state !== 'running' && instance.state !== 'unhealthy') return instance;
  await look(ctx, instance.id);
  const { facts, state } = await ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id }, select: { facts: true, state: true } });
  return { ...instance, facts, state };
}

const look = async (ctx: Pick<Context, 'config'>, instanceId: string): Promise<void> => {
  await askWorker(ctx, { kind: 'look', instanceId }, doneSchema).catch(() => undefined);
};

type GitAccess = ReturnType<typeof makeGitAccess>;

/** The rules of git, with a look into the experiment before a push is judged by who is in a session. */
export const guardedByFacts = (ctx: Pick<Context, 'config'>, access: GitAccess): GitAccess => ({
  ...access,
  judgePush: async (person, repository, push) => {
    await look(ctx, repository.instanceId);
    return access.judgePush(person, repository, push);
  },
});

const toldAt = new Map<string, number>();
const tellMs = 1000;

/** Tells the worker that somebody looks at the seats, or that a crowd goes in; at most once a second, and not waited for. */
export function watchFacts(ctx: Pick<Context, 'config'>, { id }: Pick<Instance, 'id'>): void {
  const now = performance.now();
  if (now - (toldAt.get(id) ?? -Infinity) < tellMs) return;
  toldAt.set(id, now);
  askWorker(ctx, { kind: 'watch', instanceId: id }, doneSchema).catch(() => undefined);
}
