// Going on to oTree at the pace that one oTree takes: every ready seat gets a time, in the order of the clicks, kept in PostgreSQL.

import type { Context } from './context.ts';
import type { Transaction } from './database.ts';

/** One oTree takes 50 to 70 arrivals a second (measured: facts/performance.md §1, behind the Lobby). */
const perSecond = 50;
/** So many go at once, which is a usual lab; then as many again whenever oTree has had the time for them. */
const groupSize = 25;
const groupMs = (1000 * groupSize) / perSecond;
/** Who comes this late after their time did not go then; a new time keeps the pace. */
const lateMs = 5000;

export type SeatKey = { readonly room: string; readonly label: string };
/** Who waits for their turn: place in the queue from 1, and milliseconds until it is theirs. */
export type Turn = { readonly place: number; readonly waitMs: number };

/**
 * Times (ms) for `count` more people, after those who have one already; never before `nowMs`, never more than the pace.
 * @param planned times given so far, in any order; only the latest matter
 */
export function nextTimes(planned: readonly number[], count: number, nowMs: number): number[] {
  const times = planned.toSorted((one, other) => one - other).slice(-groupSize);
  const kept = times.length;
  for (let next = 0; next < count; next += 1) {
    const groupBefore = times[times.length - groupSize];
    times.push(Math.max(nowMs, times.at(-1) ?? nowMs, groupBefore === undefined ? nowMs : groupBefore + groupMs));
  }
  return times.slice(kept);
}

/** Who clicked so long ago and never went on has left. */
const goneMs = 3_600_000;

/**
 * Gives a time (`forwarded_at`) to everybody in these rooms who is ready and has none, by the order of their clicks; the
 * pace is the instance's. Other rooms wait until somebody of theirs asks: people who left must not cost others time.
 * Call it inside a transaction that has called `lockQueue`.
 */
export async function planForwards(tx: Transaction, instanceId: string, rooms: readonly string[]): Promise<void> {
  const now = new Date();
  const waiting = await tx.$queryRaw<SeatKey[]>`
    SELECT room, label FROM seat
    WHERE instance_id = ${instanceId} AND room = ANY(${[...rooms]}) AND ready_at > ${new Date(now.getTime() - goneMs)} AND forwarded_at IS NULL
    ORDER BY ready_at, room, label`;
  if (waiting.length === 0) return;
  const last = await tx.$queryRaw<{ forwardedAt: Date }[]>`
    SELECT forwarded_at AS "forwardedAt" FROM seat WHERE instance_id = ${instanceId} AND forwarded_at > ${new Date(now.getTime() - groupMs)}
    ORDER BY forwarded_at DESC LIMIT ${groupSize}`;
  const times = nextTimes(
    last.map(({ forwardedAt }) => forwardedAt.getTime()),
    waiting.length,
    now.getTime(),
  );
  await tx.$executeRaw`
    UPDATE seat SET forwarded_at = planned.at
    FROM unnest(${waiting.map(({ room }) => room)}::text[], ${waiting.map(({ label }) => label)}::text[], ${times.map((time) => new Date(time).toISOString())}::text[]::timestamptz[])
      AS planned (room, label, at)
    WHERE seat.instance_id = ${instanceId} AND seat.room = planned.room AND seat.label = planned.label`;
}

/** One plan at a time for each instance, also with a second server on the same database. */
export const lockQueue = async (tx: Transaction, instanceId: string): Promise<void> => {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('arboretum lobby'), hashtext(${instanceId}))`;
};

/** An oTree with time answers in some milliseconds; one that takes this long has a queue of its own already. */
const slowMs = 400;

/**
 * Puts off everybody whose time is still to come, by as long as oTree just took for an answer: a slow machine, or an
 * experiment that computes much, takes fewer people a second than the pace. The order stays.
 */
export async function easeOff(ctx: Pick<Context, 'db'>, instanceId: string, answerMs: number): Promise<void> {
  if (answerMs < slowMs) return;
  await ctx.db.$transaction(async (tx) => {
    await lockQueue(tx, instanceId);
    const now = new Date();
    await tx.$executeRaw`
      UPDATE seat SET forwarded_at = forwarded_at + ${`${Math.round(answerMs)} milliseconds`}::interval
      WHERE instance_id = ${instanceId} AND forwarded_at > ${now}`;
  });
}

/** The time of a ready seat; one that has none, or let it pass, gets the next. Only for an instance that runs. */
export async function timeOf(ctx: Pick<Context, 'db'>, instanceId: string, seat: SeatKey & { readonly forwardedAt: Date | null }): Promise<Date> {
  const now = new Date();
  if (seat.forwardedAt && seat.forwardedAt.getTime() > now.getTime() - lateMs) return seat.forwardedAt;
  const where = { instanceId_room_label: { instanceId, room: seat.room, label: seat.label } };
  return ctx.db.$transaction(async (tx) => {
    await lockQueue(tx, instanceId);
    await tx.seat.updateMany({ where: { instanceId, room: seat.room, label: seat.label, forwardedAt: seat.forwardedAt }, data: { forwardedAt: null } });
    await planForwards(tx, instanceId, [seat.room]);
    const { forwardedAt } = await tx.seat.findUniqueOrThrow({ where, select: { forwardedAt: true } });
    return forwardedAt ?? now;
  });
}

/** Where somebody stands whose time is still to come. */
export async function turnOf(ctx: Pick<Context, 'db'>, instanceId: string, time: Date): Promise<Turn> {
  const now = new Date();
  const place = await ctx.db.seat.count({ where: { instanceId, forwardedAt: { gt: now, lte: time } } });
  return { place: Math.max(1, place), waitMs: Math.max(0, time.getTime() - now.getTime()) };
}
