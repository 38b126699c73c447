// “Ready for participants?”: the table of checks, one look, and the looks that people keep.

import { z } from 'zod';
import { AppError } from '../contracts/errors.ts';
import { findingSchema, type Finding, type Preflight, type PreflightList } from '../contracts/preflight.ts';
import { recruitmentKinds } from '../contracts/recruiting.ts';
import type { Instance, Preflight as Row } from '../prisma/client/client.ts';
import { record } from './audit.ts';
import type { Actor, Context } from './context.ts';
import { asJson } from './database.ts';
import { newId } from './ids.ts';
import type { PreflightCheck, PreflightFacts } from './preflight-facts.ts';
import { loadChecks } from './preflight-load.ts';
import { mturkChecks } from './preflight-mturk.ts';
import { roomChecks } from './preflight-room.ts';
import { safetyChecks } from './preflight-safety.ts';
import { versionChecks } from './preflight-version.ts';
import { wayChecks } from './preflight-way.ts';

/** In the order in which they are shown. */
export const preflightChecks: readonly PreflightCheck[] = [...versionChecks, ...safetyChecks, ...roomChecks, ...wayChecks, ...loadChecks, ...mturkChecks];

/** More kept looks of one instance nobody goes through. */
const keptLooks = 50;

/** Judges what was gathered, by the checks of this kind of recruitment. */
export const judgePreflight = (facts: PreflightFacts): Finding[] =>
  preflightChecks
    .filter(({ kinds }) => kinds === undefined || kinds.includes(facts.kind))
    .map(({ id, group, title, judge }) => ({ id, group, title, fix: null, act: null, place: null, paste: null, ...judge(facts) }));

/** A look as it is shown, not kept yet. */
export const presentPreflight = (facts: PreflightFacts, byName: string): Preflight => ({
  id: null,
  room: facts.room,
  kind: facts.kind,
  commit: facts.deployment.currentCommit,
  people: facts.people,
  lookedAt: facts.now.toISOString(),
  byName,
  findings: judgePreflight(facts),
});

/** Keeps a look with its date, commit and who looked; the oldest ones beyond the limit go. */
export async function keepPreflight(
  ctx: Context,
  actor: Actor,
  { instance, look }: { instance: Pick<Instance, 'id' | 'name'>; look: Preflight },
): Promise<Preflight> {
  const id = newId();
  const { room, kind, commit, findings, lookedAt, people } = look;
  await ctx.db.$transaction(async (tx) => {
    await tx.preflight.create({
      data: { id, instanceId: instance.id, room, kind, commit, findings: asJson({ people, findings }), lookedAt: new Date(lookedAt), byName: actor.name },
    });
    const old = await tx.preflight.findMany({ where: { instanceId: instance.id }, orderBy: { lookedAt: 'desc' }, skip: keptLooks, select: { id: true } });
    await tx.preflight.deleteMany({ where: { id: { in: old.map((one) => one.id) } } });
    const subject = room === '' ? instance.name : `${instance.name}/${room}`;
    await record(tx, actor, { action: 'preflight.keep', subject, instanceId: instance.id, detail: { kind, commit, bad: count(findings, 'bad') } });
  });
  return { ...look, id };
}

const storedSchema = z.object({ people: z.number().nullable(), findings: z.array(findingSchema) }).catch({ people: null, findings: [] });
const count = (findings: readonly Finding[], result: Finding['result']): number => findings.filter((one) => one.result === result).length;

const present = (row: Row): Preflight & { id: string } => ({
  id: row.id,
  room: row.room,
  kind: z.enum(recruitmentKinds).catch('lab').parse(row.kind),
  commit: row.commit,
  lookedAt: row.lookedAt.toISOString(),
  byName: row.byName,
  ...storedSchema.parse(row.findings),
});

/** Kept looks of an instance, newest first. */
export async function listPreflights(ctx: Pick<Context, 'db'>, instanceId: string): Promise<PreflightList> {
  const rows = await ctx.db.preflight.findMany({ where: { instanceId }, orderBy: { lookedAt: 'desc' }, take: keptLooks });
  return {
    looks: rows.map((row) => {
      const { findings, ...look } = present(row);
      return { ...look, bad: count(findings, 'bad'), attention: count(findings, 'attention') };
    }),
  };
}

/** @throws not_found */
export async function readPreflight(ctx: Pick<Context, 'db'>, { instanceId, id }: { instanceId: string; id: string }): Promise<Preflight> {
  const row = await ctx.db.preflight.findFirst({ where: { id, instanceId } });
  if (!row) throw new AppError('not_found');
  return present(row);
}
