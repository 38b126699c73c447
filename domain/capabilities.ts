// What the platforms of this panel can do, as the worker found out: the server, which has no platform, reads it here.

import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { measureNames } from '../contracts/metrics.ts';
import { movePlatforms, type MovePlatform } from '../contracts/moving.ts';
import type { Capabilities, Platform } from '../platforms/platform.ts';
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
const none = { memoryLimit: false, diskLimit: false, playsBots: false, measures: [], isolationNote: '' };
/** By kind of platform; `problem`: why no instance can run there just now. */
const allSchema = z.record(z.string(), storedSchema.extend({ problem: z.string().nullable() }));
export type KnownCapabilities = z.infer<typeof storedSchema> & {
  /** Where an instance of this platform could be moved now. */
  readonly canMoveTo: MovePlatform | null;
};

/** Asks the worker's platforms and keeps what they answer; when that is what stands there already, nothing is written. */
export async function rememberCapabilities(ctx: Pick<Context, 'db'>, platform: Pick<Platform, 'kind' | 'capabilities' | 'moving'>): Promise<void> {
  const offers = (await platform.moving?.list()) ?? [{ kind: platform.kind, capabilities: await platform.capabilities(), problem: null }];
  const value = asJson(Object.fromEntries(offers.map(({ kind, capabilities, problem }) => [kind, { ...picked(capabilities), problem }])));
  const known = await ctx.db.setting.findUnique({ where: { name } });
  if (isDeepStrictEqual(known?.value, value)) return;
  await ctx.db.setting.upsert({ where: { name }, create: { name, value }, update: { value } });
}

const picked = ({ memoryLimit, diskLimit, playsBots, measures, isolationNote }: Capabilities): z.infer<typeof storedSchema> => ({
  memoryLimit,
  diskLimit,
  playsBots,
  measures: [...measures],
  isolationNote,
});

/** Of the platform of one instance. What is not known counts as not there. */
export async function readCapabilities(ctx: Pick<Context, 'db'>, { platform }: { readonly platform: string }): Promise<KnownCapabilities> {
  const row = await ctx.db.setting.findUnique({ where: { name } });
  const all = allSchema.catch({}).parse(row?.value);
  const { problem: _, ...own } = all[platform] ?? { ...none, problem: null };
  const others = movePlatforms.some((kind) => kind === platform) ? movePlatforms.filter((kind) => kind !== platform && all[kind]?.problem === null) : [];
  return { ...own, canMoveTo: others[0] ?? null };
}
