// When the worker looks into which instance, and what of it reaches the database and the pages.

import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WorkerContext } from '../../domain/context.ts';
import { FactsWatch } from '../../domain/facts-watch.ts';
import { readFacts, storeFacts } from '../../domain/facts.ts';
import { peopleInSession } from '../../domain/guard.ts';
import { newId } from '../../domain/ids.ts';
import { lookAnew } from '../../domain/observe-facts.ts';
import { seatMap } from '../../domain/seats.ts';
import type { ParticipantRow } from '../../platforms/platform.ts';
import type { Instance } from '../../prisma/client/client.ts';
import { anInstance, aProject, aRoom, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const person = (label: string, more: Partial<ParticipantRow> = {}): ParticipantRow => ({
  sessionCode: 's1',
  room: 'lab',
  label,
  pageIndex: 1,
  maxPageIndex: 5,
  hasStarted: true,
  isFinished: false,
  lastPageAt: new Date(),
  ...more,
});

/** A platform whose oTree holds what the test puts there, and that counts how often it is asked what. */
async function aStand() {
  await ctx.db.instance.updateMany({ data: { deletedAt: new Date() } });
  const instance = await anInstance(ctx, { state: 'running', project: aProject({ rooms: [aRoom({ labels: ['A01', 'A02', 'A03'] })] }) });
  const world = { participants: [] as ParticipantRow[], present: [] as string[], looks: 0, counts: 0, now: 1_000_000, answerMs: 0 };
  const platform = {
    participants: () => Promise.resolve(((world.looks += 1), world.participants)),
    databaseFacts: () => Promise.resolve(((world.counts += 1), { sizeBytes: 1000, rowCounts: { otree_participant: world.participants.length } })),
    askOtree: () => wait(world.answerMs, { status: 200, body: JSON.stringify([{ name: 'lab', session_code: 's1', present_labels: world.present }]) }),
  };
  const worker = { ...ctx, platform, frontDoor: {} } as unknown as WorkerContext;
  const watch = new FactsWatch(() => world.now);
  const row = (): Promise<Instance> => ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id } });
  /** Rounds every quarter of a second, for so long. */
  const run = async (seconds: number): Promise<number> => {
    const before = world.looks;
    for (let at = 0; at < seconds * 4; at += 1) {
      world.now += 250;
      await watch.round(worker);
    }
    return world.looks - before;
  };
  return { instance, world, worker, watch, row, run };
}

describe('the worker looks', () => {
  test('rarely where nothing happens, every two seconds where people play, more than once a second where somebody watches', async () => {
    const { instance, world, watch, run } = await aStand();
    await run(1);
    expect(await run(60)).toBeLessThanOrEqual(5);
    world.participants = [person('A01')];
    await run(16);
    const busy = await run(20);
    expect(busy).toBeGreaterThanOrEqual(9);
    expect(busy).toBeLessThanOrEqual(11);
    watch.watch(instance.id);
    expect(await run(20)).toBeGreaterThanOrEqual(20);
  });

  test('counts rows every half minute only, however often it looks', async () => {
    const { instance, world, watch, run } = await aStand();
    for (let at = 0; at < 6; at += 1) {
      watch.watch(instance.id);
      await run(20);
    }
    expect(world.looks).toBeGreaterThan(100);
    expect(world.counts).toBeLessThanOrEqual(5);
  });

  test('goes on after an instance that does not answer', async () => {
    const { world, worker, watch, row } = await aStand();
    const broken = { ...worker, platform: { ...worker.platform, participants: () => Promise.reject(new Error('away')) } } as unknown as WorkerContext;
    await watch.round(broken);
    world.now += 60_000;
    world.participants = [person('A01')];
    await watch.round(worker);
    expect(readFacts(await row()).participantsInSession).toBe(1);
  });
});

describe('what is seen', () => {
  test('is the truth for the guard at the moment of a decision, however rarely the worker looks by itself', async () => {
    const { instance, world, worker, watch, row } = await aStand();
    await watch.round(worker);
    world.participants = [person('A01')];
    expect(peopleInSession(await row())).toBe(0);
    await watch.lookNow(worker, instance.id);
    expect(peopleInSession(await row())).toBe(1);
  });

  test('was read after the question, even when a look was under way', async () => {
    const { instance, world, worker, watch, row } = await aStand();
    const round = watch.round(worker);
    world.participants = [person('A01'), person('A02')];
    await watch.lookNow(worker, instance.id);
    await round;
    expect(peopleInSession(await row())).toBe(2);
  });

  test('becomes states of seats: waits in the room, plays page 2 of 5, has finished', async () => {
    const { world, worker, watch, row } = await aStand();
    world.present = ['A01'];
    world.participants = [person('A02', { pageIndex: 2 }), person('A03', { pageIndex: 5, isFinished: true })];
    await watch.round(worker);
    expect((await seatMap(ctx, await row(), 'lab')).seats.map(({ state, progress }) => [state, progress])).toEqual([
      ['in-room', null],
      ['playing', '2 of 5'],
      ['finished', '5 of 5'],
    ]);
  });

  test('of pages turned is told to the seats, not to every page that shows the instance', async () => {
    const { instance, world, worker, watch } = await aStand();
    world.participants = [person('A01')];
    await watch.lookNow(worker, instance.id);
    ctx.recorded.length = 0;
    world.participants = [person('A01', { pageIndex: 2 })];
    await watch.lookNow(worker, instance.id);
    await ctx.waitForEvent('seats', ({ instanceId }) => instanceId === instance.id);
    expect(ctx.recorded.filter(({ name }) => name === 'instance')).toEqual([]);
  });

  test('of an oTree that takes long for an answer puts off those who still wait for their turn, in their order', async () => {
    const { instance, world, worker, watch } = await aStand();
    const soon = (ms: number): Date => new Date(Date.now() + ms);
    const times = { A01: soon(-2000), A02: soon(60_000), A03: soon(61_000) };
    await ctx.db.seat.createMany({
      data: Object.entries(times).map(([label, forwardedAt]) => ({ instanceId: instance.id, room: 'lab', label, readyAt: new Date(), forwardedAt })),
    });
    const delays = async (): Promise<number[]> =>
      (await ctx.db.seat.findMany({ where: { instanceId: instance.id }, orderBy: { label: 'asc' } })).map(
        ({ label, forwardedAt }) => (forwardedAt?.getTime() ?? NaN) - (times[label as keyof typeof times].getTime() ?? NaN),
      );
    await watch.lookNow(worker, instance.id);
    expect(await delays()).toEqual([0, 0, 0]);
    world.answerMs = 500;
    await watch.lookNow(worker, instance.id);
    const [gone, second = NaN, third = NaN] = await delays();
    expect(gone).toBe(0);
    expect(second).toBeGreaterThanOrEqual(490);
    expect(third).toBe(second);
  });

  test('names the sessions that people are in, and keeps when the last one asked for a page, also when the data are gone', async () => {
    const { instance, world, worker, watch, row } = await aStand();
    const at = new Date(Date.now() - 60_000);
    const long = new Date(Date.now() - 3_600_000);
    world.participants = [
      person('A01', { lastPageAt: at }),
      person('A02', { lastPageAt: at }),
      person('A03', { sessionCode: 's2', lastPageAt: long }),
      person('A04', { sessionCode: 's3', isFinished: true, lastPageAt: long }),
    ];
    await watch.lookNow(worker, instance.id);
    const seen = { sessionsInUse: ['s1'], participantsInSession: 2, lastParticipantAt: at.toISOString() };
    expect(readFacts(await row())).toMatchObject(seen);
    world.participants = [];
    await watch.lookNow(worker, instance.id);
    expect(readFacts(await row())).toMatchObject({ sessionsInUse: [], participantsInSession: 0, lastParticipantAt: at.toISOString() });
  });

  test('leaves what others measured alone', async () => {
    const { instance, world, worker, watch, row } = await aStand();
    await storeFacts(ctx, instance.id, { diskBytes: 4096 });
    world.participants = [person('A01')];
    await watch.lookNow(worker, instance.id);
    expect(readFacts(await row())).toMatchObject({ diskBytes: 4096, participantsInSession: 1, rows: 1 });
  });

  test('is looked at anew also in an instance that is stopped, without a question to oTree', async () => {
    const { instance, world, worker, row } = await aStand();
    const data = { instanceId: instance.id, number: 1, commit: 'a'.repeat(40), message: '', author: '', branch: 'main', createdByName: 'test' };
    const { id } = await ctx.db.deployment.create({ data: { id: newId(), ...data } });
    await ctx.db.instance.update({
      where: { id: instance.id },
      data: { state: 'stopped', currentDeploymentId: id, facts: { rows: 7, roomSessions: { lab: 's9' } } },
    });
    world.participants = [person('A01'), person('A02')];
    const dumb = { ...worker, platform: { ...worker.platform, askOtree: () => Promise.reject(new Error('nobody there')) } } as unknown as WorkerContext;
    await lookAnew(dumb, instance.id);
    expect(readFacts(await row())).toMatchObject({ rows: 2, sessions: 1, roomSessions: {} });
  });

  test('moves the time of the last activity', async () => {
    const { instance, world, worker, watch, row } = await aStand();
    world.participants = [person('A01', { lastPageAt: new Date('2026-03-04T05:06:07Z') })];
    await watch.lookNow(worker, instance.id);
    expect((await row()).lastActivityAt?.toISOString()).toBe('2026-03-04T05:06:07.000Z');
  });
});
