// What the platform of this panel can do, as the worker found out at its start: the server, which has no platform, reads it here.

import { z } from 'zod';
import { measureNames } from '../contracts/metrics.ts';
import type { Capabilities } from '../platforms/platform.ts';
import type { Context } from './context.ts';
import { asJson } from './database.ts';

const name = 'platform.capabilities';
const storedSchema = z.object({
  memoryLimit: z.boolean(),
  diskLimit: z.boolean(),
  playsBots: z.boolean().catch(false),
  measures: z.array(z.enum(measureNames)).catch([]),
  isolationNote: z.string(),
});
type Stored = z.infer<typeof storedSchema>;

/** Keeps what the worker's platform answered. */
export async function rememberCapabilities(
  ctx: Pick<Context, 'db'>,
  { memoryLimit, diskLimit, playsBots, measures, isolationNote }: Capabilities,
): Promise<void> {
  const value = asJson({ memoryLimit, diskLimit, playsBots, measures: [...measures], isolationNote } satisfies Stored);
  await ctx.db.setting.upsert({ where: { name }, create: { name, value }, update: { value } });
}

/** What is not known counts as not there. */
export async function readCapabilities(ctx: Pick<Context, 'db'>): Promise<Stored> {
  const row = await ctx.db.setting.findUnique({ where: { name } });
  return storedSchema.catch({ memoryLimit: false, diskLimit: false, playsBots: false, measures: [], isolationNote: '' }).parse(row?.value);
}
