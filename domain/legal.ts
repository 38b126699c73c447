// The legal pages: imprint and privacy, kept as settings; an empty text means that there is no such page.

import { z } from 'zod';
import { AppError } from '../contracts/errors.ts';
import { legalPageNames, type LegalPageName, type LegalText } from '../contracts/legal.ts';
import { record } from './audit.ts';
import type { Actor, Context } from './context.ts';
import { asJson, type Database } from './database.ts';
import { describePast } from './time-words.ts';

const settingOf = (name: LegalPageName): string => `legal.${name}`;
const stored = z.object({ text: z.string(), updatedAt: z.string(), updatedByName: z.string() });
const nothing = { text: '', updatedAt: null, updatedByName: null };

/** The text as it was written. */
export async function readLegalText(ctx: Pick<Context, 'db'>, name: LegalPageName): Promise<LegalText> {
  const row = await ctx.db.setting.findUnique({ where: { name: settingOf(name) } });
  const value = stored.safeParse(row?.value);
  return { name, ...(value.success ? value.data : nothing) };
}

/** Saves a text. @throws text_changed when somebody else has saved one that the writer has not seen */
export async function writeLegalText(ctx: Context, actor: Actor, change: { name: LegalPageName; text: string; seenAt: string | null }): Promise<LegalText> {
  const { name, text, seenAt } = change;
  await ctx.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('arboretum legal pages'))`;
    const before = stored.safeParse((await tx.setting.findUnique({ where: { name: settingOf(name) } }))?.value);
    if (before.success && before.data.updatedAt !== seenAt)
      throw new AppError('text_changed', { who: before.data.updatedByName, when: describePast(new Date(before.data.updatedAt)) });
    const value = asJson({ text, updatedAt: new Date().toISOString(), updatedByName: actor.name });
    await tx.setting.upsert({ where: { name: settingOf(name) }, create: { name: settingOf(name), value }, update: { value } });
    await record(tx, actor, { action: 'legal.change', subject: name });
  });
  known.delete(ctx.db);
  return readLegalText(ctx, name);
}

const knownMs = 10_000;
const known = new WeakMap<Database, { at: number; names: Promise<LegalPageName[]> }>();

/** Which pages have a text, at most ten seconds old: every page of the Lobby asks. */
export function listLegalPages(ctx: Pick<Context, 'db'>): Promise<LegalPageName[]> {
  const before = known.get(ctx.db);
  if (before && Date.now() - before.at < knownMs) return before.names;
  const names = Promise.all(legalPageNames.map((name) => readLegalText(ctx, name))).then((pages) =>
    pages.filter(({ text }) => text.trim() !== '').map(({ name }) => name),
  );
  known.set(ctx.db, { at: Date.now(), names });
  names.catch(() => known.delete(ctx.db));
  return names;
}
