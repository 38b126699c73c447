// What oTree and the database of a running instance say: rooms and sessions, participants, rows, size.

import { isDeepStrictEqual as isSame } from 'node:util';
import { z } from 'zod';
import type { ParticipantRow } from '../platforms/platform.ts';
import type { Instance } from '../prisma/client/client.ts';
import type { WorkerContext } from './context.ts';
import { namedSessions, readInsideFacts, storeFacts, type InsideFacts } from './facts.ts';
import { easeOff } from './forwarding.ts';
import { announceInstance } from './instances.ts';
import { roomsOf, withRooms } from './rooms.ts';
import { noteSeatsChanged } from './seat-broadcast.ts';
import { specOf } from './specs.ts';

/** Who has not asked for a page for this long is no longer "in a session": drop-outs must not block the lab for ever. */
const activeMs = 30 * 60_000;
/** States in which oTree answers; in the others only the database does. */
const answers: readonly string[] = ['running', 'unhealthy'];
/** `lastActivityAt` is shown to the minute. */
const activityStepMs = 60_000;
/** `present_labels` is what launcher/rooms.py adds: an instance that started before it has none. */
const roomListSchema = z.array(z.object({ name: z.string(), session_code: z.string().nullable(), present_labels: z.array(z.string()).default([]) }));

export type Look = { readonly facts: InsideFacts; /** When the last participant asked for a page, null: never. */ readonly lastPageAt: Date | null };

/**
 * Reads the facts of one instance, stores them when they changed and shows it.
 * @param options `isCounting`: also size and rows, which reads whole tables; otherwise they stay as they were
 */
export async function lookInto(ctx: WorkerContext, instance: Instance, { isCounting = true }: { isCounting?: boolean } = {}): Promise<Look> {
  const spec = specOf(ctx, instance);
  const before = readInsideFacts(instance);
  const [participants, database, rooms] = await Promise.all([
    ctx.platform.participants(spec),
    isCounting ? ctx.platform.databaseFacts(spec) : null,
    answers.includes(instance.state) ? readRoomsInTime(ctx, instance) : noRooms,
  ]);
  const active = participants.filter((one) => isActive(one));
  const lastPageAt = participants.reduce<Date | null>((last, { lastPageAt: at }) => (at && (!last || at > last) ? at : last), null);
  const facts: InsideFacts = {
    databaseBytes: database ? database.sizeBytes : before.databaseBytes,
    rows: database ? Object.values(database.rowCounts).reduce((sum, rows) => sum + rows, 0) : before.rows,
    sessions: new Set(participants.map(({ sessionCode }) => sessionCode)).size,
    participantsInSession: active.length,
    sessionsInUse: [...new Set(active.map(({ sessionCode }) => sessionCode))].slice(0, namedSessions),
    lastParticipantAt: laterToTheMinute(before.lastParticipantAt, lastPageAt),
    roomSessions: rooms.sessions,
    participants: participants.flatMap(({ room, label, pageIndex, maxPageIndex, hasStarted, isFinished }) =>
      room !== null && hasStarted ? [{ room, label, pageIndex, maxPageIndex, isFinished }] : [],
    ),
    present: rooms.present,
  };
  await keep(ctx, instance, { before, facts, lastPageAt });
  return { facts, lastPageAt };
}

/** Looks into an instance whose data were exchanged, whether or not it runs; what cannot be read stays as it was. */
export async function lookAnew(ctx: WorkerContext, instanceId: string): Promise<void> {
  const instance = await ctx.db.instance.findFirst({ where: { id: instanceId, deletedAt: null, currentDeploymentId: { not: null } } });
  if (!instance) return;
  await lookInto(ctx, instance).catch((error: unknown) => ctx.log.warn('an instance could not be looked into', { instanceId, error: String(error) }));
}

/** A minute is what people are shown: not every page that somebody turns is worth a write. */
const laterToTheMinute = (before: string | null, at: Date | null): string | null =>
  at !== null && at.getTime() - Date.parse(before ?? '1970-01-01') > activityStepMs ? at.toISOString() : before;

type Seen = { readonly before: InsideFacts; readonly facts: InsideFacts; readonly lastPageAt: Date | null };

async function keep(ctx: WorkerContext, instance: Instance, { before, facts, lastPageAt }: Seen): Promise<void> {
  const isActivityNew = lastPageAt !== null && lastPageAt.getTime() - (instance.lastActivityAt?.getTime() ?? 0) > activityStepMs;
  if (isSame(before, facts) && !isActivityNew) return;
  if (!isSame(before, facts)) await storeFacts(ctx, instance.id, facts);
  if (isActivityNew) await ctx.db.instance.update({ where: { id: instance.id }, data: { lastActivityAt: lastPageAt } });
  // Five hundred people who turn pages are news for the seats, not for every page that shows this instance.
  if (!isSame(numbersOf(before), numbersOf(facts)) || isActivityNew) await announceInstance(ctx, instance.id);
  if (isSame([before.participants, before.present], [facts.participants, facts.present])) return;
  for (const room of roomsOf(await withRooms(ctx, instance))) noteSeatsChanged(ctx, instance, room.name);
}

const numbersOf = (facts: InsideFacts): InsideFacts => ({ ...facts, participants: [], present: {} });

/** Whether somebody is in a session now: has begun, has not ended, and asked for a page within half an hour. */
export const isActive = ({ hasStarted, isFinished, lastPageAt }: ParticipantRow): boolean =>
  hasStarted && !isFinished && lastPageAt !== null && Date.now() - lastPageAt.getTime() < activeMs;

type OpenRooms = { readonly sessions: Record<string, string>; readonly present: Record<string, string[]> };
const noRooms: OpenRooms = { sessions: {}, present: {} };

/** How long oTree takes for this is how long people wait for their pages. */
async function readRoomsInTime(ctx: WorkerContext, instance: Instance): Promise<OpenRooms> {
  const begin = performance.now();
  try {
    return await readRooms(ctx, instance);
  } finally {
    await easeOff(ctx, instance.id, performance.now() - begin);
  }
}

async function readRooms(ctx: WorkerContext, instance: Instance): Promise<OpenRooms> {
  const { status, body } = await ctx.platform.askOtree(specOf(ctx, instance), { method: 'GET', path: '/api/rooms', timeoutMs: 3000 });
  const rooms = status === 200 ? roomListSchema.parse(JSON.parse(body)) : [];
  return {
    sessions: Object.fromEntries(rooms.flatMap(({ name, session_code: code }) => (code ? [[name, code]] : []))),
    present: Object.fromEntries(rooms.flatMap(({ name, present_labels: labels }) => (labels.length > 0 ? [[name, labels]] : []))),
  };
}
