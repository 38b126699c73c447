// Seats of a Lobby: opening, taking a free one, ready, cleared for the next session. A seat nobody has opened has no row.

import { AppError } from '../contracts/errors.ts';
import type { SeatMap } from '../contracts/seats.ts';
import type { Room } from '../platforms/project.ts';
import type { Instance, Seat } from '../prisma/client/client.ts';
import type { Context } from './context.ts';
import { hashToken } from './ids.ts';
import { writeClick } from './ready-clicks.ts';
import { findRoom, withRooms, type LobbyInstance } from './rooms.ts';
import { countSeats, labelsInOtree, noteSeatsChanged, readSeats, seatsVersion } from './seat-broadcast.ts';

/** Seats in a room without labels: more than the largest session; a limit because anybody may open one. */
const maxFreeSeats = 2000;
/** An opened page that nobody has looked after for so long is not open any more. */
const staleHours = 12;

export type SeatPlace = { readonly room: Room; readonly label: string };

/**
 * In a room without labels a computer gets the next number as its seat. It is stored as `seat_7`, not as `#7`: this is
 * the participant label that oTree shows the experimenter, and oTree takes only letters, digits and underscores.
 */
const numberedLabel = (number: number): string => `seat_${number}`;
const numberedLabels: readonly string[] = Array.from({ length: maxFreeSeats }, (_, index) => numberedLabel(index + 1));

/** What a person calls this seat: `A07`, or `7` for `seat_7` in a room without labels. */
export const seatName = ({ room, label }: SeatPlace): string => (room.labels === null && /^seat_\d{1,4}$/.test(label) ? label.slice(5) : label);

/**
 * A seat of the room. A room without labels takes any label, as oTree itself does (a laboratory's bookmarks, say).
 * @throws label_unknown
 */
export function findSeat(room: Room, label: string): SeatPlace {
  const isKnown = room.labels === null ? /^\w{1,100}$/.test(label) : room.labels.includes(label);
  if (!isKnown) throw new AppError('label_unknown', { label });
  return { room, label };
}

/** Marks a seat as opened by its own address, which counts as taken; reloading changes nothing. @throws room_full */
export async function openSeat(ctx: Context, instance: LobbyInstance, place: SeatPlace): Promise<Seat> {
  const where = { instanceId_room_label: { instanceId: instance.id, room: place.room.name, label: place.label } };
  const known = await ctx.db.seat.findUnique({ where });
  if (known?.openedAt) return known;
  await requireSpace(ctx, instance, place);
  await ctx.db.$executeRaw`
    INSERT INTO "seat" ("instance_id", "room", "label", "opened_at") VALUES (${instance.id}, ${place.room.name}, ${place.label}, ${new Date()})
    ON CONFLICT ("instance_id", "room", "label") DO UPDATE SET "opened_at" = COALESCE("seat"."opened_at", EXCLUDED."opened_at")`;
  noteSeatsChanged(ctx, instance, place.room.name);
  return ctx.db.seat.findUniqueOrThrow({ where });
}

/** The seat that the computer with this token took before, or null. */
export async function seatOfToken(ctx: Context, instance: LobbyInstance, held: { room: Room; token: string }): Promise<Seat | null> {
  return ctx.db.seat.findFirst({ where: { instanceId: instance.id, room: held.room.name, tokenHash: hashToken(held.token) } });
}

/**
 * Takes the named seat, or without a label the first free one, for the computer with this token; asking again gives
 * the same seat. However many ask at once, no two get the same: the primary key decides.
 * @throws seat_taken, room_full
 */
export async function takeSeat(ctx: Context, instance: LobbyInstance, wish: { room: Room; token: string; label?: string }): Promise<string> {
  // In turn within this process, so that seats fill in order and nobody loses a race that can be avoided.
  return inTurn(`${instance.id}/${wish.room.name}`, async () => {
    const own = await seatOfToken(ctx, instance, wish);
    if (own) return own.label;
    const tokenHash = hashToken(wish.token);
    for (;;) {
      const free = await freeLabels(ctx, instance, wish.room);
      const wanted = wish.label === undefined ? free[0] : free.find((label) => label === wish.label);
      if (wanted === undefined) throw new AppError(wish.label !== undefined && free.length > 0 ? 'seat_taken' : 'room_full');
      const { count } = await ctx.db.seat.createMany({
        data: [{ instanceId: instance.id, room: wish.room.name, label: wanted, tokenHash, openedAt: new Date() }],
        skipDuplicates: true,
      });
      if (count === 0) continue;
      noteSeatsChanged(ctx, instance, wish.room.name);
      return wanted;
    }
  });
}

/** Labels that nobody has: neither in the Lobby, nor in oTree by its own room link. In the room's order. */
export async function freeLabels(ctx: Context, instance: LobbyInstance, room: Room): Promise<readonly string[]> {
  const [withFacts, rows] = await Promise.all([
    ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id }, select: { facts: true } }),
    ctx.db.seat.findMany({ where: { instanceId: instance.id, room: room.name }, select: { label: true } }),
  ]);
  const taken = new Set([...rows.map(({ label }) => label), ...labelsInOtree(withFacts, room.name)]);
  return (room.labels ?? numberedLabels).filter((label) => !taken.has(label));
}

/**
 * Remembers the click; committed when this returns. The first click's time stays.
 * @returns when this seat may go on to oTree, null while the experiment does not run
 * @throws room_full
 */
export async function markReady(ctx: Context, instance: LobbyInstance, place: SeatPlace): Promise<Date | null> {
  await requireSpace(ctx, instance, place);
  const time = await writeClick(ctx, instance, { room: place.room.name, label: place.label });
  noteSeatsChanged(ctx, instance, place.room.name);
  return time;
}

/**
 * Makes the Lobby ready for the next session: who was forwarded has left and is away, who still has the page open stays
 * and clicks again. Call it when people come back to the Lobby, not while they wait in the oTree room for a session.
 * @throws room_unknown
 */
export async function clearSeats(ctx: Context, instance: Pick<Instance, 'id' | 'project'>, roomName: string): Promise<void> {
  findRoom(await withRooms(ctx, instance), roomName);
  const inRoom = { instanceId: instance.id, room: roomName };
  const now = new Date();
  const staleBefore = new Date(now.getTime() - staleHours * 3_600_000);
  await ctx.db.$transaction([
    ctx.db.seat.deleteMany({ where: { ...inRoom, OR: [{ forwardedAt: { lte: now } }, { openedAt: { lt: staleBefore } }] } }),
    ctx.db.seat.updateMany({ where: inRoom, data: { readyAt: null, forwardedAt: null } }),
  ]);
  noteSeatsChanged(ctx, instance, roomName);
}

/** The whole map of one room for the experimenter. @throws room_unknown */
export async function seatMap(ctx: Context, instance: Pick<Instance, 'id' | 'project' | 'facts'>, roomName: string): Promise<SeatMap> {
  const room = findRoom(await withRooms(ctx, instance), roomName);
  // Read before the rows: the page may then know more than its version says, never less.
  const version = seatsVersion(ctx, instance.id, roomName);
  const seats = await readSeats(ctx, instance, room);
  return { room: roomName, version, seats, counts: countSeats(seats) };
}

async function requireSpace(ctx: Context, instance: LobbyInstance, { room, label }: SeatPlace): Promise<void> {
  if (room.labels !== null) return;
  const others = await ctx.db.seat.count({ where: { instanceId: instance.id, room: room.name, label: { not: label } } });
  if (others >= maxFreeSeats) throw new AppError('room_full');
}

const turns = new Map<string, Promise<unknown>>();

async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(key) ?? Promise.resolve()).then(work, work);
  turns.set(key, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(key) === turn) turns.delete(key);
  }
}
