// “I am ready”: clicks that come while others are being written are committed together, each before its own answer.

import { setTimeout as wait } from 'node:timers/promises';
import { takesPeople } from '../contracts/states.ts';
import type { Context } from './context.ts';
import type { Transaction } from './database.ts';
import { lockQueue, planForwards, type SeatKey } from './forwarding.ts';
import type { LobbyInstance } from './rooms.ts';

/** In one commit; more wait for the next. */
const maxTogether = 1000;
/** Between two commits of a crowd: gathered, they take 0.7 times the processor time. */
const gatherMs = 25;

type Click = SeatKey & {
  readonly instance: Pick<LobbyInstance, 'id' | 'state'>;
  readonly at: Date;
  readonly resolve: (time: Date | null) => void;
  readonly reject: (error: unknown) => void;
};
type Desk = { readonly clicks: Click[]; isWriting: boolean };

const desks = new WeakMap<Context['db'], Desk>();

/**
 * Remembers a click; committed when this returns, and the first click's time stays. One commit takes all clicks that
 * came during the one before: 0.7 times the processor time of one each.
 * @returns when this seat may go on to oTree (maybe a time to come), null while the experiment does not run
 */
export function writeClick(ctx: Pick<Context, 'db'>, instance: Click['instance'], seat: SeatKey): Promise<Date | null> {
  const desk = desks.get(ctx.db) ?? { clicks: [], isWriting: false };
  desks.set(ctx.db, desk);
  return new Promise((resolve, reject) => {
    desk.clicks.push({ instance, room: seat.room, label: seat.label, at: new Date(), resolve, reject });
    if (!desk.isWriting) void writeAll(ctx, desk);
  });
}

async function writeAll(ctx: Pick<Context, 'db'>, desk: Desk): Promise<void> {
  desk.isWriting = true;
  while (desk.clicks.length > 0) {
    const together = desk.clicks.splice(0, maxTogether);
    const byInstance = new Map<string, Click[]>();
    for (const click of together) {
      const clicks = byInstance.get(click.instance.id);
      if (clicks) clicks.push(click);
      else byInstance.set(click.instance.id, [click]);
    }
    await Promise.all([...byInstance.values()].map((clicks) => answerClicks(ctx, clicks)));
    // Whoever came meanwhile has company: a few more fit into the next commit for nothing.
    if (desk.clicks.length > 0) await wait(gatherMs);
  }
  desk.isWriting = false;
}

async function answerClicks(ctx: Pick<Context, 'db'>, clicks: readonly Click[]): Promise<void> {
  try {
    const times = await ctx.db.$transaction((tx) => commitClicks(tx, clicks));
    for (const click of clicks) click.resolve(times.get(keyOf(click)) ?? null);
  } catch (error) {
    for (const click of clicks) click.reject(error);
  }
}

const keyOf = ({ room, label }: SeatKey): string => `${room}/${label}`;

async function commitClicks(tx: Transaction, clicks: readonly Click[]): Promise<ReadonlyMap<string, Date>> {
  const [first] = clicks;
  if (!first) return new Map();
  const { id, state } = first.instance;
  // Two clicks of one seat in one commit: the first one's time counts.
  const seats = [...new Map(clicks.toReversed().map((click) => [keyOf(click), click])).values()];
  const [rooms, labels] = [seats.map(({ room }) => room), seats.map(({ label }) => label)];
  // First of all, so that no two who write seats of one instance wait for each other.
  await lockQueue(tx, id);
  await tx.$executeRaw`
    INSERT INTO seat (instance_id, room, label, opened_at, ready_at)
    SELECT ${id}, clicked.room, clicked.label, clicked.at, clicked.at
    FROM unnest(${rooms}::text[], ${labels}::text[], ${seats.map(({ at }) => at.toISOString())}::text[]::timestamptz[]) AS clicked (room, label, at)
    ORDER BY clicked.room, clicked.label
    ON CONFLICT (instance_id, room, label) DO UPDATE
    SET opened_at = COALESCE(seat.opened_at, EXCLUDED.opened_at), ready_at = COALESCE(seat.ready_at, EXCLUDED.ready_at)`;
  if (!takesPeople.includes(state)) return new Map();
  await planForwards(tx, id, [...new Set(rooms)]);
  const found = await tx.$queryRaw<(SeatKey & { forwardedAt: Date })[]>`
    SELECT seat.room, seat.label, seat.forwarded_at AS "forwardedAt"
    FROM seat JOIN unnest(${rooms}::text[], ${labels}::text[]) AS clicked (room, label) ON clicked.room = seat.room AND clicked.label = seat.label
    WHERE seat.instance_id = ${id} AND seat.forwarded_at IS NOT NULL`;
  return new Map(found.map((seat) => [keyOf(seat), seat.forwardedAt]));
}
