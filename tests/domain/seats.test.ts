// Seats of a Lobby: opened, taken, ready, forwarded, cleared; also by a whole lab at once.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newToken } from '../../domain/ids.ts';
import { findRoom, type LobbyInstance } from '../../domain/rooms.ts';
import { clearSeats, findSeat, freeLabels, markReady, openSeat, seatMap, seatName, seatOfToken, takeSeat, type SeatPlace } from '../../domain/seats.ts';
import { anInstance, aProject, aRoom, testContext, type AnInstance, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const labelled = (count: number): string[] => Array.from({ length: count }, (_, index) => `A${String(index + 1).padStart(2, '0')}`);
const withLabels = (count: number, facts?: unknown): Promise<AnInstance> =>
  anInstance(ctx, { project: aProject({ rooms: [aRoom({ labels: labelled(count) })] }), facts });
const withoutLabels = (): Promise<AnInstance> => anInstance(ctx, { project: aProject({ rooms: [aRoom()] }) });
const seat = (instance: LobbyInstance, label: string): SeatPlace => findSeat(findRoom(instance, 'lab'), label);
const take = (instance: LobbyInstance, wish: { token?: string; label?: string } = {}): Promise<string> =>
  takeSeat(ctx, instance, { room: findRoom(instance, 'lab'), token: newToken(), ...wish });
/** As the Lobby does when it sends a computer on to oTree. */
const markForwarded = (instance: AnInstance, { room, label }: SeatPlace): Promise<unknown> =>
  ctx.db.seat.updateMany({ where: { instanceId: instance.id, room: room.name, label }, data: { forwardedAt: new Date() } });
const statesOf = async (instance: AnInstance): Promise<Record<string, string>> =>
  Object.fromEntries((await seatMap(ctx, instance, 'lab')).seats.map(({ label, state }) => [label, state]));

describe('a seat goes from away to ready', () => {
  test('nobody has opened it: away, and counted so', async () => {
    const instance = await withLabels(2);
    const map = await seatMap(ctx, instance, 'lab');
    expect(map.seats).toEqual([
      { label: 'A01', state: 'away', openedAt: null, readyAt: null, progress: null },
      { label: 'A02', state: 'away', openedAt: null, readyAt: null, progress: null },
    ]);
    expect(map.counts).toEqual({ away: 2, opened: 0, ready: 0, forwarded: 0, 'in-room': 0, playing: 0, finished: 0 });
  });

  test('opening marks it once, reloading keeps the time', async () => {
    const instance = await withLabels(2);
    const first = await openSeat(ctx, instance, seat(instance, 'A02'));
    const again = await openSeat(ctx, instance, seat(instance, 'A02'));
    expect(again).toEqual(first);
    expect(await statesOf(instance)).toEqual({ A01: 'away', A02: 'opened' });
  });

  test('a hundred clicks are one, and the first one’s time stays', async () => {
    const instance = await withLabels(1);
    await markReady(ctx, instance, seat(instance, 'A01'));
    const [first] = (await seatMap(ctx, instance, 'lab')).seats;
    await Promise.all(Array.from({ length: 100 }, () => markReady(ctx, instance, seat(instance, 'A01'))));
    expect((await seatMap(ctx, instance, 'lab')).seats).toEqual([first]);
    expect(first?.state).toBe('ready');
  });

  test('a label that the room does not have is refused', async () => {
    const instance = await withLabels(1);
    expect(() => seat(instance, 'B99')).toThrow(expect.objectContaining({ code: 'label_unknown' }));
  });

  test('a room that the project does not have is refused', async () => {
    await expect(seatMap(ctx, await withLabels(1), 'attic')).rejects.toMatchObject({ code: 'room_unknown' });
  });
});

describe('taking a free seat', () => {
  test('gives the first free one in the room’s order, and the same again to the same computer', async () => {
    const instance = await withLabels(3);
    await openSeat(ctx, instance, seat(instance, 'A01'));
    const token = newToken();
    expect(await take(instance, { token })).toBe('A02');
    expect(await take(instance, { token })).toBe('A02');
    expect((await seatOfToken(ctx, instance, { room: findRoom(instance, 'lab'), token }))?.label).toBe('A02');
  });

  test('keeps the token only as a hash', async () => {
    const instance = await withLabels(1);
    const token = newToken();
    await take(instance, { token });
    expect(JSON.stringify(await ctx.db.seat.findMany({ where: { instanceId: instance.id } }))).not.toContain(token);
  });

  test('50 computers at once get 50 different seats; the next one reads that every seat is taken', async () => {
    const instance = await withLabels(50);
    const taken = await Promise.all(Array.from({ length: 50 }, () => take(instance)));
    expect(new Set(taken)).toEqual(new Set(labelled(50)));
    await expect(take(instance)).rejects.toMatchObject({ code: 'room_full' });
  });

  test('51 at once on 50 seats: exactly one goes without', async () => {
    const instance = await withLabels(50);
    const results = await Promise.allSettled(Array.from({ length: 51 }, () => take(instance)));
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(await ctx.db.seat.count({ where: { instanceId: instance.id } })).toBe(50);
  });

  test('a seat that somebody opens by its own address at the same moment goes to one of them', async () => {
    const instance = await withLabels(20);
    const [taken] = await Promise.all([
      Promise.all(Array.from({ length: 10 }, () => take(instance))),
      ...labelled(10).map((label) => openSeat(ctx, instance, seat(instance, label))),
    ]);
    expect(new Set(taken).size).toBe(10);
    const rows = await ctx.db.seat.findMany({ where: { instanceId: instance.id, tokenHash: { not: null } } });
    expect(rows.map(({ label }) => label).toSorted()).toEqual(taken.toSorted());
  });

  test('a chosen seat goes to the first who asks', async () => {
    const instance = await withLabels(5);
    const results = await Promise.allSettled([take(instance, { label: 'A03' }), take(instance, { label: 'A03' })]);
    expect(results).toEqual([
      { status: 'fulfilled', value: 'A03' },
      { status: 'rejected', reason: expect.objectContaining({ code: 'seat_taken' }) },
    ]);
  });

  test('two clicks of one computer at once take one seat', async () => {
    const instance = await withLabels(5);
    const token = newToken();
    const taken = await Promise.all(Array.from({ length: 10 }, () => take(instance, { token })));
    expect(new Set(taken)).toEqual(new Set(['A01']));
    expect(await ctx.db.seat.count({ where: { instanceId: instance.id } })).toBe(1);
  });

  test('leaves out a seat whose participant came by oTree’s own room link', async () => {
    const participants = [{ room: 'lab', label: 'A01', pageIndex: 2, maxPageIndex: 9, isFinished: false }];
    const instance = await withLabels(2, { participants });
    expect(await take(instance)).toBe('A02');
    await expect(take(instance)).rejects.toMatchObject({ code: 'room_full' });
  });
});

describe('a room without labels', () => {
  test('gives each computer the next number, as a label that oTree takes', async () => {
    const instance = await withoutLabels();
    const taken = await Promise.all(Array.from({ length: 12 }, () => take(instance)));
    expect(taken).toEqual(Array.from({ length: 12 }, (_, index) => `seat_${index + 1}`));
    expect(taken.every((label) => /^[A-Za-z0-9_]+$/.test(label))).toBe(true);
    expect((await seatMap(ctx, instance, 'lab')).seats.map(({ label }) => label)).toEqual(taken);
    expect(seatName(seat(instance, 'seat_12'))).toBe('12');
  });

  test('takes a label of the lab’s own making, but nothing that oTree would refuse', async () => {
    const instance = await withoutLabels();
    expect(seatName(seat(instance, 'PC_7'))).toBe('PC_7');
    for (const label of ['a-b', 'ä', 'a b', '', '#1', 'x'.repeat(101)])
      expect(() => seat(instance, label)).toThrow(expect.objectContaining({ code: 'label_unknown' }));
  });

  test('is full at 2,000 seats, and those who sit in it stay', async () => {
    const instance = await withoutLabels();
    await ctx.db.seat.createMany({
      data: Array.from({ length: 2000 }, (_, index) => ({ instanceId: instance.id, room: 'lab', label: `seat_${index + 1}`, openedAt: new Date() })),
    });
    await expect(take(instance)).rejects.toMatchObject({ code: 'room_full' });
    await expect(openSeat(ctx, instance, seat(instance, 'one_more'))).rejects.toMatchObject({ code: 'room_full' });
    await markReady(ctx, instance, seat(instance, 'seat_1000'));
  });
});

describe('what oTree says of a label', () => {
  test('wins over what the Lobby remembers', async () => {
    const participants = [
      { room: 'lab', label: 'A01', pageIndex: 3, maxPageIndex: 12, isFinished: false },
      { room: 'lab', label: 'A02', pageIndex: 12, maxPageIndex: 12, isFinished: true },
      { room: 'lab', label: 'A03', pageIndex: 0, maxPageIndex: 12, isFinished: false },
      { room: 'other', label: 'A04', pageIndex: 5, maxPageIndex: 12, isFinished: false },
      { room: 'lab', label: null, pageIndex: 5, maxPageIndex: 12, isFinished: false },
    ];
    const instance = await withLabels(4, { participants });
    await markReady(ctx, instance, seat(instance, 'A01'));
    const map = await seatMap(ctx, instance, 'lab');
    expect(map.seats.map(({ state, progress }) => [state, progress])).toEqual([
      ['playing', '3 of 12'],
      ['finished', '12 of 12'],
      ['away', null],
      ['away', null],
    ]);
    expect(map.counts).toEqual({ away: 2, opened: 0, ready: 0, forwarded: 0, 'in-room': 0, playing: 1, finished: 1 });
  });

  test('facts that nobody can read count as not known', async () => {
    const instance = await withLabels(1, { participants: [{ nonsense: true }, 7] });
    expect(await statesOf(instance)).toEqual({ A01: 'away' });
  });
});

describe('clearing for a new session', () => {
  test('who was forwarded is away, who still has the page open stays and clicks again', async () => {
    const instance = await withLabels(3);
    for (const label of ['A01', 'A02']) await markReady(ctx, instance, seat(instance, label));
    await markForwarded(instance, seat(instance, 'A01'));
    await openSeat(ctx, instance, seat(instance, 'A03'));
    await clearSeats(ctx, instance, 'lab');
    expect(await statesOf(instance)).toEqual({ A01: 'away', A02: 'opened', A03: 'opened' });
  });

  test('a page that was opened yesterday counts as closed', async () => {
    const instance = await withLabels(1);
    await ctx.db.seat.create({ data: { instanceId: instance.id, room: 'lab', label: 'A01', openedAt: new Date(Date.now() - 24 * 3_600_000) } });
    await clearSeats(ctx, instance, 'lab');
    expect(await statesOf(instance)).toEqual({ A01: 'away' });
  });

  test('a computer that went to the experiment takes a seat anew', async () => {
    const instance = await withLabels(1);
    const room = findRoom(instance, 'lab');
    const token = newToken();
    await markForwarded(instance, seat(instance, await take(instance, { token })));
    expect(await freeLabels(ctx, instance, room)).toEqual([]);
    await clearSeats(ctx, instance, 'lab');
    expect(await seatOfToken(ctx, instance, { room, token })).toBeNull();
    expect(await take(instance, { token })).toBe('A01');
  });

  test('leaves the other rooms alone', async () => {
    const instance = await anInstance(ctx, { project: aProject({ rooms: [aRoom(), aRoom({ name: 'hall' })] }) });
    const inHall = findSeat(findRoom(instance, 'hall'), 'PC1');
    await markReady(ctx, instance, inHall);
    await clearSeats(ctx, instance, 'lab');
    expect((await seatMap(ctx, instance, 'hall')).counts.ready).toBe(1);
  });
});
