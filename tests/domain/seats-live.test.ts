// Differences of the seat map: gathered, numbered, none lost.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { seatStates, type SeatDifference, type SeatMap } from '../../contracts/seats.ts';
import { asJson } from '../../domain/database.ts';
import { findRoom } from '../../domain/rooms.ts';
import { noteSeatsChanged } from '../../domain/seat-broadcast.ts';
import { clearSeats, findSeat, markReady, openSeat, seatMap } from '../../domain/seats.ts';
import { anInstance, aProject, aRoom, testContext, type AnInstance, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const labels = (count: number): string[] => Array.from({ length: count }, (_, index) => `P${index + 1}`);
const anInstanceWith = (count: number): Promise<AnInstance> => anInstance(ctx, { project: aProject({ rooms: [aRoom({ labels: labels(count) })] }) });
const ready = (instance: AnInstance, label: string): Promise<unknown> => markReady(ctx, instance, findSeat(findRoom(instance, 'lab'), label));

const differencesOf = (instance: AnInstance): SeatDifference[] =>
  ctx.recorded.flatMap((event) => (event.name === 'seats' && event.values[0].instanceId === instance.id ? [event.values[1]] : []));

const difference = async (instance: AnInstance, fits: (one: SeatDifference) => boolean): Promise<SeatDifference> =>
  (await ctx.waitForEvent('seats', (audience, one) => audience.instanceId === instance.id && fits(one)))[1];

/** What a page does with what it is told: null when it must ask for the whole again. */
const apply = (map: SeatMap | null, one: SeatDifference): SeatMap | null =>
  map && one.from === map.version
    ? { ...map, version: one.version, counts: one.counts, seats: map.seats.map((seat) => one.changed.find(({ label }) => label === seat.label) ?? seat) }
    : null;

describe('500 people who click at once', () => {
  test('are all ready in the database, and are told in a few broadcasts', async () => {
    const instance = await anInstanceWith(500);
    const before = await seatMap(ctx, instance, 'lab');
    await Promise.all(labels(500).map((label) => ready(instance, label)));
    expect(await ctx.db.seat.count({ where: { instanceId: instance.id, readyAt: { not: null } } })).toBe(500);

    await difference(instance, ({ counts }) => counts.ready === 500);
    const told = differencesOf(instance);
    // One a tenth of a second, not one a click.
    expect(told.length).toBeLessThan(100);
    const page = told.reduce(apply, before);
    expect(page).toEqual(await seatMap(ctx, instance, 'lab'));
    expect(page?.seats.every(({ state }) => state === 'ready')).toBe(true);
  });
});

describe('a difference', () => {
  test('carries only what changed since the last one, and follows it in number', async () => {
    const instance = await anInstanceWith(3);
    await ready(instance, 'P1');
    const first = await difference(instance, ({ counts }) => counts.ready === 1);
    await ready(instance, 'P2');
    const second = await difference(instance, ({ counts }) => counts.ready === 2);
    expect(second.from).toBe(first.version);
    expect(second.version).toBeGreaterThan(first.version);
    expect(second.changed.map(({ label }) => label)).toEqual(['P2']);
    expect(Object.keys(second.counts).toSorted()).toEqual([...seatStates].toSorted());
  });

  test('is told to the owner’s audience', async () => {
    const instance = await anInstanceWith(1);
    await ready(instance, 'P1');
    const [audience] = await ctx.waitForEvent('seats', ({ instanceId }) => instanceId === instance.id);
    expect(audience).toEqual({ instanceId: instance.id, ownerId: instance.ownerId });
  });

  test('follows when oTree reports how far somebody is', async () => {
    const instance = await anInstanceWith(2);
    const facts = asJson({ participants: [{ room: 'lab', label: 'P2', pageIndex: 4, maxPageIndex: 7, isFinished: false }] });
    await ctx.db.instance.update({ where: { id: instance.id }, data: { facts } });
    noteSeatsChanged(ctx, instance, 'lab');
    const { changed } = await difference(instance, ({ counts }) => counts.playing === 1);
    expect(changed.find(({ label }) => label === 'P2')).toMatchObject({ state: 'playing', progress: '4 of 7' });
  });

  test('leaves out a number when a seat is gone, so that pages ask for the whole', async () => {
    const instance = await anInstance(ctx, { project: aProject({ rooms: [aRoom()] }) });
    const place = findSeat(findRoom(instance, 'lab'), 'seat_1');
    await openSeat(ctx, instance, place);
    const opened = await difference(instance, ({ counts }) => counts.opened === 1);
    await ctx.db.seat.updateMany({ where: { instanceId: instance.id }, data: { forwardedAt: new Date() } });
    await clearSeats(ctx, instance, 'lab');
    const cleared = await difference(instance, ({ counts }) => counts.opened === 0);
    expect(cleared.from).not.toBe(opened.version);
    expect(cleared.version).toBeGreaterThan(opened.version);
    expect((await seatMap(ctx, instance, 'lab')).version).toBe(cleared.version);
  });

  test('is not sent for a room that has gone, nor for a deleted instance', async () => {
    const gone = await anInstanceWith(1);
    const other = await anInstanceWith(1);
    await ctx.db.instance.update({ where: { id: gone.id }, data: { deletedAt: new Date() } });
    noteSeatsChanged(ctx, gone, 'lab');
    noteSeatsChanged(ctx, other, 'attic');
    await ready(other, 'P1');
    await difference(other, ({ counts }) => counts.ready === 1);
    expect(differencesOf(gone)).toEqual([]);
    expect(differencesOf(other).map(({ room }) => room)).toEqual(['lab']);
  });
});

describe('after a restart of the server', () => {
  test('numbers begin later than before, and no difference follows an old map by chance', async () => {
    const instance = await anInstanceWith(2);
    await ready(instance, 'P1');
    const before = await difference(instance, ({ counts }) => counts.ready === 1);

    // No restart is over within the same millisecond.
    await vi.waitUntil(() => Date.now() * 1000 > before.version, { interval: 1 });
    const restarted = { ...ctx, events: { ...ctx.events } };
    expect((await seatMap(restarted, instance, 'lab')).version).toBeGreaterThan(before.version);
    await markReady(restarted, instance, findSeat(findRoom(instance, 'lab'), 'P2'));
    const after = await difference(instance, ({ counts }) => counts.ready === 2);
    expect(after.from).not.toBe(before.version);
    expect(after.version).toBeGreaterThan(before.version);
  });
});

describe('a database that is away for a moment', () => {
  test('loses no broadcast: it is tried again', async () => {
    const instance = await anInstanceWith(1);
    let isAway = true;
    const findFirst: TestContext['db']['instance']['findFirst'] = ((...query: Parameters<TestContext['db']['instance']['findFirst']>) => {
      if (!isAway) return ctx.db.instance.findFirst(...query);
      isAway = false;
      return Promise.reject(new Error('the database is away'));
    }) as never;
    const db = { instance: { findFirst }, seat: ctx.db.seat } as unknown as TestContext['db'];
    await ctx.db.seat.create({ data: { instanceId: instance.id, room: 'lab', label: 'P1', openedAt: new Date() } });
    noteSeatsChanged({ ...ctx, db }, instance, 'lab');
    expect((await difference(instance, ({ counts }) => counts.opened === 1)).changed).toHaveLength(1);
    expect(ctx.logged.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });
});
