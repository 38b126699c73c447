// Going on to oTree: at once for a usual lab, paced and in the order of the clicks for a crowd, and nobody is lost.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Room } from '../../platforms/project.ts';
import { testContext, type AnInstance, type TestContext } from '../factories.ts';
import { anInstanceWithRooms, openLobby, type Lobby } from './lobby-visitors.ts';

let ctx: TestContext;
let lobby: Lobby;
beforeAll(async () => {
  ctx = await testContext({ PUBLIC_URL: 'http://lab.example.org' });
  lobby = await openLobby(ctx);
});
afterAll(async () => {
  await lobby.close();
  await ctx.close();
});

const people = (count: number): string[] => Array.from({ length: count }, (_, index) => `P${String(index + 1).padStart(4, '0')}`);
const withRooms = (rooms: readonly Partial<Room>[], state?: string): Promise<AnInstance> => anInstanceWithRooms(ctx, rooms, state);
const seatsOf = (instance: AnInstance) => ctx.db.seat.findMany({ where: { instanceId: instance.id }, orderBy: [{ readyAt: 'asc' }, { label: 'asc' }] });
const click = (instance: AnInstance, label: string) => lobby.post(`/lobby/${instance.name}/lab/${label}/ready`);

/** Seats that are forwarded already, and when others may go. */
const occupy = (instance: AnInstance, labels: readonly string[], time: Date): Promise<unknown> =>
  ctx.db.seat.createMany({ data: labels.map((label) => ({ instanceId: instance.id, room: 'lab', label, openedAt: time, readyAt: time, forwardedAt: time })) });

describe('a usual lab', () => {
  test('of 24 people who click at once goes on at once', async () => {
    const instance = await withRooms([{ labels: people(24) }]);
    const answers = await Promise.all(people(24).map((label) => click(instance, label)));
    expect(answers.filter(({ location }) => location?.includes('/room/lab?participant_label='))).toHaveLength(24);
    const seats = await seatsOf(instance);
    // Nobody was given a time that is still to come.
    const now = Date.now();
    for (const { forwardedAt } of seats) expect(forwardedAt?.getTime()).toBeLessThanOrEqual(now);
  });
});

describe('500 people who click at once', { timeout: 60_000 }, () => {
  test('are all ready, each with a time of their own: in the order of the clicks, 50 a second, nobody without one', async () => {
    const all = people(500);
    const instance = await withRooms([{ labels: all }]);
    const began = performance.now();
    const answers = await Promise.all(all.map((label) => click(instance, label)));
    const seconds = (performance.now() - began) / 1000;
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303]));
    const seats = await seatsOf(instance);
    expect(seats).toHaveLength(500);
    const times = seats.map(({ forwardedAt }) => forwardedAt?.getTime() ?? NaN);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    for (let at = 25; at < times.length; at += 1) expect((times[at] ?? NaN) - (times[at - 25] ?? NaN)).toBeGreaterThanOrEqual(500);

    const told = ctx.recorded.filter((event) => event.name === 'seats' && event.values[0].instanceId === instance.id);
    // One a tenth of a second at most, not one a click.
    expect(told.length).toBeLessThan(Math.ceil(seconds * 10) + 5);
  });

  test('get to oTree one by one by reloading alone, at the pace', async () => {
    const all = people(100);
    const instance = await withRooms([{ labels: all }]);
    const arrivals = new Map<string, number>();
    const walk = async (label: string): Promise<void> => {
      const own = `/lobby/${instance.name}/lab/${label}`;
      let location = (await click(instance, label)).location ?? '';
      while (!location.startsWith('http')) {
        const { text } = await lobby.ask(own);
        const [, wait = '', url = ''] = /http-equiv="refresh" content="(\d+);url=([^"]+)"/.exec(text) ?? [];
        if (!url.startsWith('http')) await new Promise((resolve) => setTimeout(resolve, Number(wait) * 1000));
        location = url;
      }
      expect(location).toContain(`participant_label=${label}`);
      arrivals.set(label, Date.now());
    };
    await Promise.all(all.map(walk));
    const seats = await seatsOf(instance);
    expect([arrivals.size, seats.length]).toEqual([100, 100]);
    const times = seats.map(({ forwardedAt }) => forwardedAt?.getTime() ?? NaN);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(1200);
    for (const { label, forwardedAt } of seats) expect(arrivals.get(label)).toBeGreaterThanOrEqual(forwardedAt?.getTime() ?? NaN);
  });
});

describe('who waits for their turn', () => {
  test('reads their number and the seconds, on a page that comes back by itself, and then goes on', async () => {
    const instance = await withRooms([{}]);
    const seconds = 60;
    const soon = new Date(Date.now() + seconds * 1000);
    await occupy(instance, people(24), soon);
    await occupy(instance, ['last_one'], new Date(soon.getTime() + 200));
    const own = `/lobby/${instance.name}/lab/last_one`;
    const { text } = await lobby.ask(own);
    const left = Number(/You are number 25; about (\d+) s to go\./.exec(text)?.[1]);
    expect(left).toBeLessThanOrEqual(seconds + 1);
    expect(left).toBeGreaterThan((soon.getTime() - Date.now()) / 1000 - 1);
    const again = Number(new RegExp(`http-equiv="refresh" content="(\\d+);url=${own}"`).exec(text)?.[1]);
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThan(left);
    await ctx.db.seat.updateMany({ where: { instanceId: instance.id, label: 'last_one' }, data: { forwardedAt: new Date(Date.now() + 300) } });
    const then = await lobby.ask(own);
    expect(then.text).toContain('You are being taken to the experiment.');
    expect(then.text).toContain('content="0;url=');
    expect((await ctx.db.seat.findFirst({ where: { instanceId: instance.id, label: 'last_one' } }))?.forwardedAt?.getTime()).toBeLessThanOrEqual(Date.now());
  });

  test('is ready, not forwarded, on the experimenter’s page until then', async () => {
    const instance = await withRooms([{ labels: ['A01', 'A02'] }]);
    await occupy(instance, ['A01'], new Date(Date.now() - 1000));
    await occupy(instance, ['A02'], new Date(Date.now() + 60_000));
    const { seatMap } = await import('../../domain/seats.ts');
    expect((await seatMap(ctx, instance, 'lab')).seats.map(({ state }) => state)).toEqual(['forwarded', 'ready']);
  });

  test('does not slow the participants of another experiment', async () => {
    const [crowded, quiet] = [await withRooms([{}]), await withRooms([{}])];
    await occupy(crowded, people(200), new Date(Date.now() + 30_000));
    expect((await click(crowded, 'late')).location).toBe(`/lobby/${crowded.name}/lab/late`);
    expect((await click(quiet, 'P1')).location).toContain(`${quiet.name}.lab.example.org/room/lab`);
  });

  test('keeps the place in the queue when the panel is started again', async () => {
    const instance = await withRooms([{}]);
    await occupy(instance, people(30), new Date(Date.now() + 20_000));
    await click(instance, 'me');
    const before = await ctx.db.seat.findFirst({ where: { instanceId: instance.id, label: 'me' } });
    const restarted = await openLobby(ctx);
    const { text } = await restarted.ask(`/lobby/${instance.name}/lab/me`);
    await restarted.close();
    expect(text).toContain('You are number');
    expect(await ctx.db.seat.findFirst({ where: { instanceId: instance.id, label: 'me' } })).toEqual(before);
  });
});

describe('an experiment that starts with a crowd before its door', () => {
  test('lets people in by the order of their clicks, whoever reloads first', async () => {
    const instance = await withRooms([{ labels: people(60) }], 'starting');
    for (const label of people(60).toReversed()) await click(instance, label);
    await ctx.db.instance.update({ where: { id: instance.id }, data: { state: 'running' } });
    // The one who clicked last asks first.
    await lobby.ask(`/lobby/${instance.name}/lab/P0001`);
    const seats = await seatsOf(instance);
    expect(seats.map(({ label }) => label)).toEqual(people(60).toReversed());
    const times = seats.map(({ forwardedAt }) => forwardedAt?.getTime() ?? NaN);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(times.at(-1)).toBeGreaterThan((times[0] ?? NaN) + 900);
  });

  test('gives a new time to whoever let theirs pass while it did not run', async () => {
    const instance = await withRooms([{ labels: ['A01'] }]);
    await occupy(instance, ['A01'], new Date(Date.now() - 60_000));
    const before = Date.now();
    await lobby.ask(`/lobby/${instance.name}/lab/A01`);
    const [seat] = await seatsOf(instance);
    expect(seat?.forwardedAt?.getTime()).toBeGreaterThan(before - 5000);
  });
});
