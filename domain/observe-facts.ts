// What oTree and the database of a running instance say: rooms and sessions, participants, rows, size.

import { z } from 'zod';
import type { ParticipantRow } from '../platforms/platform.ts';
import type { Instance } from '../prisma/client/client.ts';
import type { WorkerContext } from './context.ts';
import { asJson } from './database.ts';
import { readFacts, type Facts } from './facts.ts';
import { announceInstance } from './instances.ts';
import { roomsOf } from './rooms.ts';
import { noteSeatsChanged } from './seat-broadcast.ts';
import { specOf } from './specs.ts';

/** Who has not asked for a page for this long is no longer "in a session": drop-outs must not block the lab for ever. */
const activeMs = 30 * 60_000;
const roomListSchema = z.array(z.object({ name: z.string(), session_code: z.string().nullable() }));

/** Looks into every running instance, one after the other; one that does not answer keeps its last facts. */
export async function observeFacts(ctx: WorkerContext): Promise<void> {
  const instances = await ctx.db.instance.findMany({ where: { deletedAt: null, state: { in: ['running', 'unhealthy'] } } });
  for (const instance of instances) {
    await lookInto(ctx, instance).catch((error: unknown) =>
      ctx.log.warn('an instance could not be looked into', { instance: instance.name, error: String(error) }),
    );
  }
}

/** Reads the facts of one instance, stores them when they changed and shows it. */
export async function lookInto(ctx: WorkerContext, instance: Instance): Promise<Facts> {
  const spec = specOf(ctx, instance);
  const [participants, database, roomSessions] = await Promise.all([
    ctx.platform.participants(spec),
    ctx.platform.databaseFacts(spec),
    readRoomSessions(ctx, instance),
  ]);
  const facts: Facts = {
    databaseBytes: database.sizeBytes,
    rows: Object.values(database.rowCounts).reduce((sum, rows) => sum + rows, 0),
    sessions: new Set(participants.map(({ sessionCode }) => sessionCode)).size,
    participantsInSession: participants.filter((one) => isActive(one)).length,
    roomSessions,
    participants: participants.flatMap(({ room, label, pageIndex, maxPageIndex, hasStarted, isFinished }) =>
      room !== null && hasStarted ? [{ room, label, pageIndex, maxPageIndex, isFinished }] : [],
    ),
  };
  const before = readFacts(instance);
  if (JSON.stringify(before) === JSON.stringify(facts)) return facts;
  await ctx.db.instance.update({ where: { id: instance.id }, data: { facts: asJson(facts) } });
  await announceInstance(ctx, instance.id);
  if (JSON.stringify(before.participants) !== JSON.stringify(facts.participants))
    for (const room of roomsOf(instance)) noteSeatsChanged(ctx, instance, room.name);
  return facts;
}

const isActive = ({ hasStarted, isFinished, lastPageAt }: ParticipantRow): boolean =>
  hasStarted && !isFinished && lastPageAt !== null && Date.now() - lastPageAt.getTime() < activeMs;

async function readRoomSessions(ctx: WorkerContext, instance: Instance): Promise<Record<string, string>> {
  const { status, body } = await ctx.platform.askOtree(specOf(ctx, instance), { method: 'GET', path: '/api/rooms', timeoutMs: 3000 });
  if (status !== 200) return {};
  return Object.fromEntries(roomListSchema.parse(JSON.parse(body)).flatMap(({ name, session_code: code }) => (code ? [[name, code]] : [])));
}
