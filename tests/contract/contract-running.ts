// The contract: making, building, trying, starting, crashing, stopping.

import { expect, it } from 'vitest';
import { Secret } from '../../platforms/secret.ts';
import { build, projectWith, refusal, stateOf, TRUST_GAME } from './instances.ts';
import { type Bench, never, silent, version } from './stand.ts';

/** From nothing to a session with two participants. */
export function buildingAndRunning(bench: Bench): void {
  const { spec } = bench;

  it('sees nothing of an instance that was never made', async () => {
    expect(await stateOf(bench.platform, spec)).toMatchObject({ state: 'absent', webProcesses: 0, memoryBytes: null, diskBytes: null });
  });

  it('makes an instance, and making it again keeps it', async () => {
    await bench.platform.create(spec, never);
    await bench.stand.sql(spec, 'CREATE TABLE kept (n int)');
    await bench.platform.create(spec, never);
    expect((await bench.platform.databaseFacts(spec)).rowCounts).toEqual({ kept: 0 });
    await bench.stand.sql(spec, 'DROP TABLE kept');
    expect(await stateOf(bench.platform, spec)).toMatchObject({ state: 'stopped' });
    expect(await bench.platform.participants(spec)).toEqual([]);
  });

  it('does not start without a project', async () => {
    expect((await refusal(bench.platform.start(spec, never))).code).toBe('not_deployed');
  });

  it('builds the sample experiment and reads what it offers', async () => {
    const { release, output } = await build(bench.platform, spec, { dir: TRUST_GAME, number: 1 });
    bench.built = release;
    expect(release.isLockReused).toBe(false);
    expect(release.lock.split('\n')).toContain(`otree==${release.project.otreeVersion}`);
    expect(release.lock).toMatch(/^psycopg2-binary==/m);
    expect(release.project.sessionConfigs.map((config) => config.name)).toContain('trust_game');
    expect(release.project.rooms.find((room) => room.name === 'lab')).toMatchObject({ problem: null, labels: expect.arrayContaining(['seat_1']) });
    expect(output).toContain(`oTree ${release.project.otreeVersion}`);
  });

  it('gives a finished release back when asked again', async () => {
    const again = await build(bench.platform, spec, { dir: TRUST_GAME, number: 1 });
    expect(again.release).toEqual(bench.built);
  });

  it('tries a release on a scratch database and leaves neither process nor database', async () => {
    await bench.platform.tryRelease(spec, 1, silent);
    expect(await bench.stand.databases(spec)).toEqual(await bench.stand.restingDatabases(spec));
    expect(await bench.stand.countProcesses(spec)).toBe(0);
    expect((await bench.platform.databaseFacts(spec)).rowCounts).toEqual({});
  });

  it('starts, answers, and is seen running', async () => {
    await bench.platform.selectRelease(spec, 1);
    await bench.platform.start(spec, never);
    expect(await bench.platform.askOtree(spec, { method: 'GET', path: '/api/otree_version', timeoutMs: 30_000 })).toEqual({
      status: 200,
      body: JSON.stringify({ version: bench.built.project.otreeVersion }),
    });
    const seen = await stateOf(bench.platform, spec);
    expect(seen).toMatchObject({ state: 'running', webProcesses: 1, restarts: 0, exitCode: null });
    if (bench.stand.traits.measuresMemory) expect(seen.memoryBytes).toBeGreaterThan(20 * 1024 * 1024);
    else expect(seen.memoryBytes).toBeNull();
    // Null where the platform measures no disk; where it does, it is what was written and not more than the share.
    if (seen.diskBytes !== null) expect(seen.diskBytes).toBeLessThan(spec.limits.diskMib * 1024 * 1024);
  });

  it('measures what runs, in one call for all: what it says it can tell, and nothing else', async () => {
    const ask = async () => await bench.platform.measure([spec.instanceId, 'never1made']);
    const before = await ask();
    expect([...before.keys()]).toEqual([spec.instanceId]);
    for (let page = 0; page < 20; page += 1) await bench.platform.askOtree(spec, { method: 'GET', path: '/api/sessions', timeoutMs: 30_000 });
    const [first, second] = [before.get(spec.instanceId), (await ask()).get(spec.instanceId)];
    const { measures } = await bench.platform.capabilities();
    expect(second?.run).toBe(first?.run);
    expect(second?.memoryBytes ?? null).toEqual(measures.includes('memory') ? expect.any(Number) : null);
    expect(second?.network ?? null).toEqual(measures.includes('network') ? { receivedBytes: expect.any(Number), sentBytes: expect.any(Number) } : null);
    if (measures.includes('core')) {
      expect(first?.cpuSeconds).toBeGreaterThan(0);
      // From another host it is told every few seconds.
      const now = async () => (await ask()).get(spec.instanceId)?.cpuSeconds ?? 0;
      await expect.poll(now, { timeout: 60_000, interval: 200 }).toBeGreaterThan(first?.cpuSeconds ?? 0);
    } else expect(second?.cpuSeconds).toBeNull();
  });

  it('starting what runs disturbs nobody', async () => {
    const before = (await stateOf(bench.platform, spec)).startedAt;
    await bench.platform.start(spec, never);
    expect((await stateOf(bench.platform, spec)).startedAt).toEqual(before);
  });

  it('runs a session: REST, participants, row counts', async () => {
    const body = { session_config_name: 'trust_game', num_participants: 2, room_name: 'lab' };
    expect((await bench.platform.askOtree(spec, { method: 'POST', path: '/api/sessions', body, timeoutMs: 30_000 })).status).toBe(200);
    const people = await bench.platform.participants(spec);
    expect(people).toHaveLength(2);
    expect(people[0]).toMatchObject({ room: 'lab', hasStarted: false, isFinished: false, pageIndex: 0, lastPageAt: null });
    expect((await bench.platform.databaseFacts(spec)).rowCounts['otree_participant']).toBe(2);
  });
}

/** Crashes, a failed trial beside the running release, cut connections, and the stop. */
export function standingCrashes(bench: Bench): void {
  const { spec } = bench;

  it('is production-ready untouched: admin pages ask for a password, the key is asked for', async () => {
    const ask = async (to: string) => await bench.platform.askOtree({ ...spec, restKey: new Secret('wrong') }, { method: 'GET', path: to, timeoutMs: 30_000 });
    expect((await ask('/demo')).status).toBe(302);
    expect((await ask('/api/rooms')).status).toBe(403);
  });

  it('comes back by itself after a crash, as another run that counts from nothing', async () => {
    await stateOf(bench.platform, spec);
    const runNow = async () => (await bench.platform.measure([spec.instanceId])).get(spec.instanceId)?.run;
    const run = await runNow();
    await bench.stand.crash(spec);
    await expect.poll(async () => await version(bench.platform, spec), { timeout: bench.stand.traits.recoveryMs, interval: 100 }).toBe(200);
    expect(await stateOf(bench.platform, spec)).toMatchObject({ state: 'running', restarts: 1 });
    expect(await runNow()).toEqual(expect.not.stringMatching(`^${run}$`));
  });

  it('builds, tries and fails a second release while the first one answers', async () => {
    const dir = await projectWith(TRUST_GAME, { 'trust_game/__init__.py': 'import not_there_at_all\n' });
    const { release } = await build(bench.platform, spec, { dir, number: 2, lock: bench.built.lock });
    expect(release.isLockReused).toBe(true);
    const error = await refusal(bench.platform.tryRelease(spec, 2, silent));
    expect(error).toMatchObject({ code: 'module_missing', details: { module: 'not_there_at_all', file: 'trust_game/__init__.py' } });
    expect(await version(bench.platform, spec)).toBe(200);
    expect(await bench.stand.databases(spec)).toEqual(await bench.stand.restingDatabases(spec));
    expect((await bench.platform.databaseFacts(spec)).rowCounts['otree_participant']).toBe(2);
  });

  it('is well again after every database connection was cut', async () => {
    await bench.stand.cutConnections(spec);
    await expect.poll(async () => await version(bench.platform, spec), { timeout: 60_000, interval: 100 }).toBe(200);
    // One of the web process, one of the timeout worker, without which page timeouts silently stop.
    const works = async () => (await bench.platform.askOtree(spec, { method: 'GET', path: '/api/sessions', timeoutMs: 30_000 })).status === 200;
    await expect
      .poll(async () => ((await works()) ? await bench.stand.countConnections(spec) : 0), { timeout: 60_000, interval: 200 })
      .toBeGreaterThanOrEqual(2);
  });

  it('stops, and no process is left', async () => {
    await bench.platform.stop(spec, never);
    expect(await bench.stand.countProcesses(spec)).toBe(0);
    expect(await stateOf(bench.platform, spec)).toMatchObject({ state: 'stopped', webProcesses: 0 });
    expect(await bench.platform.measure([spec.instanceId])).toEqual(new Map());
    expect((await refusal(bench.platform.askOtree(spec, { method: 'GET', path: '/api/rooms', timeoutMs: 1000 }))).code).toBe('not_running');
    await bench.platform.stop(spec, never);
  });
}
