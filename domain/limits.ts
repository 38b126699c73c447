// What limits the platform of this panel can hold, as the worker found out at its start.

import type { Context } from './context.ts';

const name = 'platform.memory-limit';

/** The worker asks its platform; the server, which has none, reads the answer here. */
export async function rememberMemoryLimit(ctx: Pick<Context, 'db'>, hasMemoryLimit: boolean): Promise<void> {
  await ctx.db.setting.upsert({ where: { name }, create: { name, value: hasMemoryLimit }, update: { value: hasMemoryLimit } });
}

/** Whether a memory limit holds on this machine; not known counts as no. */
export const hasMemoryLimit = async (ctx: Pick<Context, 'db'>): Promise<boolean> => (await ctx.db.setting.findUnique({ where: { name } }))?.value === true;
