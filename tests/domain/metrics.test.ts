// The last hours: rates between looks at counters, what is kept of them, and what they mean.

import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MetricSampleView } from '../../contracts/metrics.ts';
import { rememberCapabilities } from '../../domain/capabilities.ts';
import type { WorkerContext } from '../../domain/context.ts';
import { newId } from '../../domain/ids.ts';
import { throwAwayOld } from '../../domain/keeping.ts';
import { gather, metricsTable, readMetrics, thinOutMetrics, type MetricPoint } from '../../domain/metrics.ts';
import { adviseMetrics } from '../../domain/metrics-advice.ts';
import { MetricsWatch, pointBetween, type MetricLook } from '../../domain/metrics-watch.ts';
import type { Usage } from '../../platforms/platform.ts';
import type { Instance } from '../../prisma/client/client.ts';
import { anInstance, testContext, type TestContext } from '../factories.ts';

const mib = 1024 ** 2;
const start = Date.parse('2026-03-02T10:00:00Z');
const at = (minutes: number): Date => new Date(start + minutes * 60_000);

const usage = (changes: Partial<Usage> = {}): Usage => ({ run: 'first', memoryBytes: 90 * mib, cpuSeconds: 100, network: null, ...changes });
const look = (minutes: number, of: Partial<Usage> | null, more: Partial<MetricLook> = {}): MetricLook => ({
  at: at(minutes),
  usage: of === null ? null : usage(of),
  restarts: 0,
  detail: null,
  ...more,
});
const point = (minutes: number, changes: Partial<MetricPoint> = {}): MetricPoint => ({
  at: at(minutes),
  spanSeconds: 60,
  core: 0.1,
  memoryBytes: BigInt(90 * mib),
  received: null,
  sent: null,
  restarts: 0,
  isOutOfMemory: false,
  ...changes,
});

describe('between two looks', () => {
  it('counters become rates', () => {
    const before = look(0, { network: { receivedBytes: 1000, sentBytes: 500 } });
    const now = look(1, { cpuSeconds: 130, network: { receivedBytes: 7000, sentBytes: 500 } });
    expect(pointBetween(before, now)).toMatchObject({ at: at(1), spanSeconds: 60, core: 0.5, received: 100, sent: 0, memoryBytes: BigInt(90 * mib) });
  });

  it('of which the first was never taken, only what is no rate is known', () => {
    expect(pointBetween(undefined, look(0, {}))).toMatchObject({ core: null, received: null, memoryBytes: BigInt(90 * mib), restarts: 0 });
  });

  it('another run counts from nothing, also when it has counted further than the one before', () => {
    const ran = look(0, { cpuSeconds: 2 });
    expect(pointBetween(ran, look(1, { run: 'second', cpuSeconds: 6 }, { restarts: 1 }))).toMatchObject({ core: 0.1, restarts: 1 });
    expect(pointBetween(look(0, { cpuSeconds: 900 }), look(1, { run: 'second', cpuSeconds: 6 }))).toMatchObject({ core: 0.1 });
  });

  it('a child that ended takes its time along: never below nothing', () => {
    expect(pointBetween(look(0, { cpuSeconds: 100 }), look(1, { cpuSeconds: 90 }))).toMatchObject({ core: 0 });
  });

  it('counters that were told some seconds before count for the time between their tellings', () => {
    const before = look(0, { cpuSeconds: 100, countedAt: new Date(start - 5000) });
    expect(pointBetween(before, look(1, { cpuSeconds: 165, countedAt: at(1) }))).toMatchObject({ core: 1, spanSeconds: 60 });
    expect(pointBetween(before, look(1, { cpuSeconds: 165, countedAt: new Date(start - 5000) }))).toMatchObject({ core: null });
  });

  it('a long pause has no mean', () => {
    expect(pointBetween(look(0, {}), look(30, { cpuSeconds: 1000 }))).toMatchObject({ core: null, restarts: 0 });
  });

  it('ends by itself are counted, and told apart when it was the memory', () => {
    const detail = 'out of memory: it used more than it may.';
    expect(pointBetween(look(0, {}, { restarts: 2 }), look(1, null, { restarts: 5, detail }))).toMatchObject({
      core: null,
      memoryBytes: null,
      restarts: 3,
      isOutOfMemory: true,
    });
    expect(pointBetween(look(0, {}, { restarts: 5 }), look(1, {}, { restarts: 0 }))).toMatchObject({ restarts: 0, isOutOfMemory: false });
  });

  it('what neither runs nor ended leaves no point', () => {
    expect(pointBetween(look(0, {}), look(1, null))).toBeNull();
  });

  it('what the platform cannot tell is not known, not zero', () => {
    expect(pointBetween(look(0, { cpuSeconds: null }), look(1, { cpuSeconds: null }))).toMatchObject({ core: null, received: null });
  });
});

describe('gathering', () => {
  it('takes means of rates by how long they stand for, the highest memory and all ends', () => {
    const many = [
      point(1, { core: 0.2 }),
      point(2, { core: null, memoryBytes: BigInt(300 * mib) }),
      point(3, { core: 0.8, spanSeconds: 120, restarts: 2, isOutOfMemory: true }),
    ];
    const [one, ...others] = gather(many, 600);
    expect(others).toEqual([]);
    expect(one).toMatchObject({ at: at(3), spanSeconds: 600, memoryBytes: BigInt(300 * mib), restarts: 2, isOutOfMemory: true });
    expect(one?.core).toBeCloseTo(0.6);
  });

  it('makes nothing up where nobody looked', () => {
    expect(gather([point(5), point(45)], 600).map((one) => one.at)).toEqual([at(5), at(45)]);
  });
});

describe('what they mean', () => {
  const sample = (minutes: number, changes: Partial<MetricSampleView> = {}): MetricSampleView => ({
    at: at(minutes).toISOString(),
    core: 0.1,
    memoryBytes: 90 * mib,
    received: null,
    sent: null,
    restarts: 0,
    isOutOfMemory: false,
    ...changes,
  });
  const advise = (samples: MetricSampleView[], lastEnd: string | null = null) =>
    adviseMetrics({ samples, stepSeconds: 60, memoryLimitBytes: 512 * mib, lastEnd });

  it('nothing, when nothing was measured', () => {
    expect(advise([])).toEqual([]);
  });

  it('all is well is said, of what was measured', () => {
    expect(advise([sample(1)])).toEqual([{ tone: 'good', seen: 'Nothing was short: core and memory had room, and it never ended by itself.', fix: null }]);
    expect(advise([sample(1, { core: null })])[0]?.seen).toContain('short: memory had room');
  });

  it('out of memory is named, with how often', () => {
    const found = advise([sample(1, { restarts: 1, isOutOfMemory: true }), sample(90, { restarts: 1, isOutOfMemory: true })]);
    expect(found).toEqual([{ tone: 'bad', seen: expect.stringMatching(/^Out of memory: .* twice\./), fix: expect.stringContaining('more memory') }]);
  });

  it('a crash loop is named when it ends three times within an hour, with why; three times in a day are none', () => {
    const looping = [0, 20, 40].map((minutes) => sample(minutes, { restarts: 1 }));
    expect(advise(looping, 'It ends again and again (started 4 times). The last time: ValueError: no')).toEqual([
      { tone: 'bad', seen: expect.stringMatching(/^Crash loop: .* 3 times .* The last time: ValueError: no$/), fix: expect.stringContaining('roll back') },
    ]);
    const rare = [0, 200, 400].map((minutes) => sample(minutes, { restarts: 1 }));
    expect(advise(rare)).toMatchObject([{ tone: 'attention', seen: 'It ended by itself 3 times and was started again.' }]);
  });

  it('memory near its limit is told before it is too late', () => {
    expect(advise([sample(1, { memoryBytes: 470 * mib })])).toMatchObject([{ tone: 'attention', seen: expect.stringContaining('92 % of what it may use') }]);
  });

  it('a core near 1.0 for minutes: a faster core, and nothing else; for a minute: nothing', () => {
    const busy = [1, 2, 3, 4].map((minutes) => sample(minutes, { core: 0.95 }));
    expect(advise(busy)).toMatchObject([
      { tone: 'attention', seen: expect.stringContaining('For 4 minutes'), fix: expect.stringContaining('a faster core helps') },
    ]);
    expect(advise(busy.slice(0, 1))).toMatchObject([{ tone: 'good' }]);
  });
});

describe('in the database', () => {
  let ctx: TestContext;
  beforeAll(async () => {
    ctx = await testContext({ INSTANCE_MEMORY_MIB: '700' });
  });
  afterAll(() => ctx.close());

  async function aDeployed(state = 'running'): Promise<Instance> {
    const instance = await anInstance(ctx, { state });
    return ctx.db.instance.update({ where: { id: instance.id }, data: { currentDeploymentId: newId() } });
  }
  const store = (instance: Instance, points: MetricPoint[]) =>
    ctx.db.metricSample.createMany({ data: points.map((one) => ({ instanceId: instance.id, ...one })) });
  const stored = (instance: Instance) => ctx.db.metricSample.findMany({ where: { instanceId: instance.id }, orderBy: { at: 'asc' } });

  /** A worker whose platform tells this of every instance that it is asked for. */
  const workerThatMeasures = (tell: () => Partial<Usage>, asked: string[][]): WorkerContext => {
    const measure = (ids: readonly string[]) => {
      asked.push([...ids]);
      return Promise.resolve(new Map(ids.map((id) => [id, usage(tell())])));
    };
    return { ...ctx, platform: { measure }, frontDoor: {} } as unknown as WorkerContext;
  };

  it('a round asks once for all that may run, and writes one row each', async () => {
    const [one, other, stopped] = [await aDeployed(), await aDeployed('building'), await aDeployed('stopped')];
    const asked: string[][] = [];
    let cpuSeconds = 10;
    const worker = workerThatMeasures(() => ({ cpuSeconds }), asked);
    const watch = new MetricsWatch();
    await watch.round(worker, at(0));
    cpuSeconds = 25;
    await watch.round(worker, at(1));
    expect(asked).toHaveLength(2);
    expect(asked[0]?.toSorted()).toEqual([one.id, other.id].toSorted());
    expect((await stored(one)).map(({ core }) => core)).toEqual([null, 0.25]);
    expect(await stored(other)).toHaveLength(2);
    expect(await stored(stopped)).toEqual([]);
  });

  it('after a start of the worker nothing is claimed about the time before', async () => {
    const instance = await aDeployed();
    await ctx.db.instance.update({ where: { id: instance.id }, data: { restarts: 7 } });
    const worker = workerThatMeasures(() => ({}), []);
    await new MetricsWatch().round(worker, at(100));
    await new MetricsWatch().round(worker, at(102));
    expect((await stored(instance)).map(({ core, restarts }) => [core, restarts])).toEqual([
      [null, 0],
      [null, 0],
    ]);
  });

  it('minutes of more than six hours ago become stretches of ten, two days later they are gone, and a second time changes nothing', async () => {
    const instance = await aDeployed();
    const now = at(0);
    const points = [-3000, -2000, -400, -399, -398, -10, -9].map((minutes) =>
      point(minutes, { core: minutes === -399 ? 0.4 : 0.1, ...(minutes === -398 ? { restarts: 1, isOutOfMemory: true, memoryBytes: BigInt(200 * mib) } : {}) }),
    );
    await store(instance, points);
    await throwAwayOld(ctx, now);
    const kept = await stored(instance);
    expect(kept.map((row) => [row.at, row.spanSeconds])).toEqual([
      [at(-2000), 600],
      [at(-400), 600],
      [at(-398), 600],
      [at(-10), 60],
      [at(-9), 60],
    ]);
    expect(kept[2]).toMatchObject({ memoryBytes: BigInt(200 * mib), restarts: 1, isOutOfMemory: true });
    expect(kept[2]?.core).toBeCloseTo(0.25);
    await thinOutMetrics(ctx, now);
    expect(await stored(instance)).toEqual(kept);
  });

  it('are read for the hours that are asked for, with the limit, what the platform tells, and what they mean', async () => {
    const instance = await aDeployed();
    const capabilities = {
      memoryLimit: true,
      diskLimit: true,
      separatesUsers: true,
      playsBots: false,
      measures: ['core', 'memory'],
      isolationNote: '',
    } as const;
    await rememberCapabilities(ctx, { kind: 'local', moving: null, capabilities: () => Promise.resolve(capabilities) });
    await store(instance, [point(-300), point(-3, { core: 0.123_456 }), point(-1)]);
    const read = (hours: 1 | 6 | 48) => readMetrics(ctx, instance, { hours, now: at(0) });
    expect(await read(1)).toMatchObject({
      from: at(-60).toISOString(),
      until: at(0).toISOString(),
      stepSeconds: 60,
      measures: ['core', 'memory'],
      memoryLimitBytes: 700 * mib,
      samples: [{ at: at(-3).toISOString(), core: 0.123, memoryBytes: 90 * mib }, { at: at(-1).toISOString() }],
      findings: [{ tone: 'good' }],
    });
    expect((await read(6)).samples).toHaveLength(3);
    expect((await read(48)).samples).toHaveLength(2);
  });

  it('why it ended is said while it runs again; while it does not, the page says it above', async () => {
    const instance = await ctx.db.instance.update({
      where: { id: (await aDeployed()).id },
      data: { restarts: 1, stateDetail: 'ValueError: no' },
    });
    await store(instance, [point(-1, { restarts: 1 })]);
    const said = async (state: string) => (await readMetrics(ctx, { ...instance, state }, { hours: 1, now: at(0) })).findings[0]?.seen;
    expect(await said('running')).toBe('It ended by itself once and was started again. The last time: ValueError: no');
    expect(await said('crashed')).toBe('It ended by itself once and was started again.');
  });

  it('are a table with a header line', async () => {
    const instance = await aDeployed();
    await store(instance, [point(-2, { core: null, received: 12.5, sent: 1, restarts: 1, isOutOfMemory: true })]);
    expect(parse(await metricsTable(ctx, instance.id, at(0)), { columns: true })).toEqual([
      {
        until: at(-2).toISOString(),
        seconds: '60',
        core: '',
        memory_bytes: String(90 * mib),
        received_bytes_per_second: '12.5',
        sent_bytes_per_second: '1',
        restarts: '1',
        out_of_memory: '1',
      },
    ]);
  });

  it('go with their instance', async () => {
    const instance = await aDeployed();
    await store(instance, [point(-1)]);
    await ctx.db.instance.delete({ where: { id: instance.id } });
    expect(await stored(instance)).toEqual([]);
  });
});
