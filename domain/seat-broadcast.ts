// What the experimenter sees of a Lobby: seats joined with what oTree says, sent as numbered differences, at most one in 100 ms.

import { randomInt } from 'node:crypto';
import { seatStates, type SeatMap, type SeatState, type SeatView } from '../contracts/seats.ts';
import type { Room } from '../platforms/project.ts';
import type { Instance, Seat } from '../prisma/client/client.ts';
import type { Context, Events } from './context.ts';
import { readFacts, type Facts } from './facts.ts';
import { roomsOf } from './rooms.ts';

/** One broadcast per click is 54 times slower for 2,000 people (measured: facts/performance.md §1). */
const gatherMs = 100;
const retryMs = 1000;

type RoomMemory = { version: number; sent: ReadonlyMap<string, string>; isScheduled: boolean; isFlushing: boolean; flushedAt: number };
type Participant = Facts['participants'][number];
type RoomKey = { readonly instanceId: string; readonly room: string };

/**
 * Number of the newest difference of this room that this process sent. Numbers are microseconds of the clock: a page
 * that hears from another process, or from this one after a restart, finds a gap and never takes the news for old.
 */
export const seatsVersion = (ctx: Pick<Context, 'events'>, instanceId: string, room: string): number => memoryOf(ctx.events, { instanceId, room }).version;

/** Says that seats of a room may have changed (a click, or new facts from oTree); returns at once and never throws. */
export function noteSeatsChanged(ctx: Context, instance: Pick<Instance, 'id'>, roomName: string): void {
  const key = { instanceId: instance.id, room: roomName };
  // The first of a crowd is told at once, the others together.
  schedule(ctx, key, Math.max(0, memoryOf(ctx.events, key).flushedAt + gatherMs - performance.now()));
}

/** Every seat of a room as the experimenter sees it: what oTree says of a label wins over what the Lobby remembers. */
export async function readSeats(ctx: Pick<Context, 'db'>, instance: Pick<Instance, 'id' | 'facts'>, room: Room): Promise<SeatView[]> {
  const rows = new Map((await ctx.db.seat.findMany({ where: { instanceId: instance.id, room: room.name } })).map((row) => [row.label, row]));
  const inside = participantsOf(instance, room.name);
  const present = new Set(readFacts(instance).present[room.name] ?? []);
  const labels = room.labels ?? [...new Set([...rows.keys(), ...inside.keys(), ...present])].toSorted(bySeatNumber);
  return labels.map((label) => viewSeat(label, { row: rows.get(label), participant: inside.get(label), isPresent: present.has(label) }));
}

const bySeatNumber = new Intl.Collator('en', { numeric: true }).compare;

/** Labels of a room that oTree has seen, in the room's page or on one of the experiment, by whatever way they came. */
export const labelsInOtree = (instance: Pick<Instance, 'facts'>, roomName: string): readonly string[] => [
  ...participantsOf(instance, roomName).keys(),
  ...(readFacts(instance).present[roomName] ?? []),
];

/** By label, those whom oTree has seen on a page: a participant that merely exists in the session is not there yet. */
function participantsOf(instance: Pick<Instance, 'facts'>, roomName: string): Map<string, Participant> {
  const seen = readFacts(instance).participants.filter((one) => one.room === roomName && (one.pageIndex > 0 || one.isFinished));
  return new Map(seen.flatMap((one) => (one.label === null ? [] : [[one.label, one]])));
}

type Known = { readonly row: Seat | undefined; readonly participant: Participant | undefined; readonly isPresent: boolean };

function viewSeat(label: string, known: Known): SeatView {
  const { row, participant } = known;
  return {
    label,
    state: stateOf(known),
    openedAt: row?.openedAt?.toISOString() ?? null,
    readyAt: row?.readyAt?.toISOString() ?? null,
    progress: participant ? `${participant.pageIndex} of ${participant.maxPageIndex}` : null,
  };
}

function stateOf({ row, participant, isPresent }: Known): SeatState {
  if (participant) return participant.isFinished ? 'finished' : 'playing';
  if (isPresent) return 'in-room';
  // A time to come is a place in the queue: see domain/forwarding.ts.
  if (row?.forwardedAt && row.forwardedAt.getTime() <= Date.now()) return 'forwarded';
  if (row?.readyAt) return 'ready';
  return row?.openedAt ? 'opened' : 'away';
}

/** How many seats are in each state. */
export function countSeats(seats: readonly SeatView[]): SeatMap['counts'] {
  const counts = Object.fromEntries(seatStates.map((state) => [state, 0])) as SeatMap['counts'];
  for (const { state } of seats) counts[state] += 1;
  return counts;
}

const memories = new WeakMap<Events, Map<string, RoomMemory>>();

function memoryOf(events: Events, { instanceId, room }: RoomKey): RoomMemory {
  const rooms = memories.get(events) ?? new Map<string, RoomMemory>();
  memories.set(events, rooms);
  const key = `${instanceId}/${room}`;
  const memory = rooms.get(key) ?? { version: newVersion(), sent: new Map(), isScheduled: false, isFlushing: false, flushedAt: -Infinity };
  rooms.set(key, memory);
  return memory;
}

/** Later than every version so far, also those of other processes; the last three digits keep two of one millisecond apart. */
const newVersion = (after = 0): number => Math.max(after + 1, Date.now() * 1000 + randomInt(1000));

function schedule(ctx: Context, key: RoomKey, delayMs: number): void {
  const memory = memoryOf(ctx.events, key);
  if (memory.isScheduled) return;
  memory.isScheduled = true;
  // Not worth keeping a process alive for: pages ask again after a restart.
  setTimeout(() => void flush(ctx, key, memory), delayMs).unref();
}

async function flush(ctx: Context, key: RoomKey, memory: RoomMemory): Promise<void> {
  memory.isScheduled = false;
  // One at a time, so that an older reading never overtakes a newer one.
  if (memory.isFlushing) return schedule(ctx, key, gatherMs);
  memory.isFlushing = true;
  memory.flushedAt = performance.now();
  try {
    await sendDifference(ctx, key, memory);
  } catch (error) {
    ctx.log.warn('the seats of a room could not be read; another try follows', { ...key, error: String(error) });
    schedule(ctx, key, retryMs);
  } finally {
    memory.isFlushing = false;
  }
}

async function sendDifference(ctx: Context, { instanceId, room }: RoomKey, memory: RoomMemory): Promise<void> {
  const instance = await ctx.db.instance.findFirst({
    where: { id: instanceId, deletedAt: null },
    select: { id: true, ownerId: true, project: true, facts: true, panelRooms: true },
  });
  const found = instance && roomsOf(instance).find(({ name }) => name === room);
  // A room that has gone with a new release has no page any more.
  if (!found) return;
  const seats = await readSeats(ctx, instance, found);
  const now = new Map(seats.map((seat) => [seat.label, JSON.stringify(seat)]));
  const changed = seats.filter(({ label }) => memory.sent.get(label) !== now.get(label));
  const isSomeGone = [...memory.sent.keys()].some((label) => !now.has(label));
  if (changed.length === 0 && !isSomeGone) return;
  // A difference cannot say "gone": leaving out a number makes every page ask for the whole.
  const from = memory.version + (isSomeGone ? 1 : 0);
  memory.version = newVersion(from);
  memory.sent = now;
  ctx.events.seats({ instanceId, ownerId: instance.ownerId }, { room, from, version: memory.version, changed, counts: countSeats(seats) });
}
