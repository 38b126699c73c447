// The last result of the system check, kept as a setting: the page shows it with its age.

import { systemCheckSchema, type SystemCheck } from '../contracts/system-check.ts';
import type { Context } from './context.ts';
import { asJson } from './database.ts';
import { runSystemCheck } from './system-check.ts';
import type { Surroundings } from './system-check-surroundings.ts';

const lastCheck = 'system-check.last';

/** The last result of the panel's own check; null: there is none (or one of another version). */
export async function readLastSystemCheck(ctx: Pick<Context, 'db'>): Promise<SystemCheck | null> {
  const row = await ctx.db.setting.findUnique({ where: { name: lastCheck } });
  const stored = systemCheckSchema.safeParse(row?.value);
  return stored.success ? stored.data : null;
}

const underWay = new WeakMap<object, Promise<SystemCheck>>();

/** Runs the check and keeps its result; whoever asks while one is under way gets that one. */
export function checkAndKeep(ctx: Pick<Context, 'db'>, surroundings: Surroundings): Promise<SystemCheck> {
  const running = underWay.get(ctx.db);
  if (running) return running;
  const fresh = runAndKeep(ctx, surroundings).finally(() => underWay.delete(ctx.db));
  underWay.set(ctx.db, fresh);
  return fresh;
}

async function runAndKeep(ctx: Pick<Context, 'db'>, surroundings: Surroundings): Promise<SystemCheck> {
  const result = await runSystemCheck(surroundings);
  const value = asJson(result);
  await ctx.db.setting.upsert({ where: { name: lastCheck }, create: { name: lastCheck, value }, update: { value } });
  return result;
}
