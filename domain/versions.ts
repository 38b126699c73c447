// Versions of what the panel stands on: noted by the worker at its start, shown on the About page.

import { z } from 'zod';
import type { About } from '../contracts/system.ts';
import type { Context } from './context.ts';
import { asJson } from './database.ts';

const setting = 'about.versions';
const noted = z.record(z.string(), z.string());

/** Remembers versions that only the worker can ask for, for example `{ Redis: '7.0.15' }`. */
export async function noteVersions(ctx: Pick<Context, 'db'>, versions: Readonly<Record<string, string>>): Promise<void> {
  const value = asJson(versions);
  await ctx.db.setting.upsert({ where: { name: setting }, create: { name: setting, value }, update: { value } });
}

/** Everything but the panel's own version. What nobody has noted yet is left out. */
export async function readVersions(ctx: Pick<Context, 'db' | 'config'>): Promise<Pick<About, 'parts' | 'otree'>> {
  const [row, postgres] = await Promise.all([
    ctx.db.setting.findUnique({ where: { name: setting } }),
    ctx.db.$queryRaw<{ server_version: string }[]>`SHOW server_version`,
  ]);
  const others = noted.catch({}).parse(row?.value);
  const parts = { Node: process.version.replace(/^v/, ''), PostgreSQL: postgres[0]?.server_version ?? '', ...others, Platform: ctx.config.PLATFORM };
  return { parts: Object.entries(parts).map(([name, version]) => ({ name, version })), otree: await countOtreeVersions(ctx) };
}

/** What each instance runs: its newest successful deployment, counted by oTree's version. */
async function countOtreeVersions(ctx: Pick<Context, 'db'>): Promise<About['otree']> {
  const instances = await ctx.db.instance.findMany({ where: { deletedAt: null, currentDeploymentId: { not: null } }, select: { currentDeploymentId: true } });
  const ids = instances.flatMap(({ currentDeploymentId }) => currentDeploymentId ?? []);
  const groups = await ctx.db.deployment.groupBy({ by: ['otreeVersion'], where: { id: { in: ids } }, _count: true });
  const counts = groups.flatMap(({ otreeVersion, _count }) => (otreeVersion === null ? [] : [{ version: otreeVersion, instances: _count }]));
  return counts.toSorted((one, two) => newerFirst(two.version, one.version));
}

const newerFirst = new Intl.Collator('en', { numeric: true }).compare;
