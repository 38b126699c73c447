// The connection to the Dokku host breaks at each step of what changes something there: nothing is claimed that is not true, and a second call completes the work.

import { execFileSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import type { InstanceSpec, Platform } from '../../platforms/platform.ts';
import type { CutMoment, ReplayHost } from '../dokku/replay-host.ts';
import { type DokkuStand, replaySite, standOn } from './dokku-stand.ts';
import { build, makeSpec, stateOf, TRUST_GAME } from './instances.ts';
import { never, silent, version } from './stand.ts';

const MOMENTS: readonly CutMoment[] = ['before', 'during', 'after'];

/** Each step at each moment. */
const cuts = (lines: readonly RegExp[]): [string, CutMoment, RegExp][] =>
  lines.flatMap((line) => MOMENTS.map((moment): [string, CutMoment, RegExp] => [line.source.replaceAll(/[\\^$]/g, ''), moment, line]));

describe('the connection breaks', { timeout: 180_000 }, () => {
  let replay: ReplayHost;
  let stand: DokkuStand;
  let platform: Platform;
  let lock: string;
  const spec = makeSpec();
  let release = 2;

  beforeAll(async () => {
    const site = await replaySite();
    replay = site.replay;
    stand = await standOn(site);
    platform = stand.platform;
    await platform.create(spec, never);
    lock = (await build(platform, spec, { dir: TRUST_GAME, number: 1 })).release.lock;
    await build(platform, spec, { dir: TRUST_GAME, number: 2, lock });
    await platform.selectRelease(spec, 2);
    await platform.start(spec, never);
  }, 180_000);

  afterAll(async () => {
    try {
      await platform.destroy(spec, never);
    } finally {
      await stand.close();
    }
  }, 60_000);

  let waiting = 0;
  /** Cuts once; whatever comes of it is success, or an error with a sentence of our own. */
  async function withCut(line: RegExp, moment: CutMoment, work: () => Promise<unknown>): Promise<AppError | null> {
    waiting = 1;
    replay.cutAt((sent) => {
      const isIt = waiting === 1 && line.test(sent);
      if (isIt) waiting = 0;
      return isIt;
    }, moment);
    const error = await work().then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(waiting, 'the connection was cut').toBe(0);
    if (error === null) return null;
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).not.toBe('internal');
    expect((error as AppError).message).toMatch(/^[A-Z“].*[.!”]$/s);
    return error as AppError;
  }

  /** What the platform says is what the host has. */
  async function isTrue(of: InstanceSpec): Promise<void> {
    const { state } = await stateOf(platform, of);
    const runs = (await stand.countProcesses(of)) > 0;
    expect([state, runs]).toEqual([state, ['running', 'starting', 'unhealthy', 'crashed'].includes(state)]);
  }

  describe('while an instance is made', () => {
    const steps = [/^apps:create i-\w+$/, /^postgres:create/, /^postgres:link/, /^ports:set/, /^ps:scale/, /^resource:limit/, /^--quiet config:import/];
    it.each(cuts(steps))('at %s, %s', async (_name, moment, line) => {
      const other = makeSpec();
      await withCut(line, moment, async () => await platform.create(other, never));
      await isTrue(other);
      await platform.create(other, never);
      expect(await stateOf(platform, other)).toMatchObject({ state: 'stopped' });
      expect((await platform.databaseFacts(other)).rowCounts).toEqual({});
      expect(await stand.databases(other)).toEqual(await stand.restingDatabases(other));
      await platform.destroy(other, never);
    });
  });

  describe('while a release is built', () => {
    let number = 10;
    it.each(cuts([/^git:from-archive/, /^--quiet config:import/, /^run .*describe/]))('at %s, %s', async (_name, moment, line) => {
      number += 1;
      const attempt = async () => await build(platform, spec, { dir: TRUST_GAME, number, lock });
      await withCut(line, moment, attempt);
      expect((await attempt()).release.project.sessionConfigs.map((config) => config.name)).toContain('trust_game');
      expect((await platform.tryRelease(spec, number, silent)).gaps).toEqual([]);
    });
  });

  describe('while a release is tried', () => {
    it.each(cuts([/^run .*try/, /^postgres:connect/]))('at %s, %s', async (_name, moment, line) => {
      await withCut(line, moment, async () => await platform.tryRelease(spec, 1, silent));
      expect((await platform.tryRelease(spec, 1, silent)).gaps).toEqual([]);
      expect(await stand.databases(spec)).toEqual(await stand.restingDatabases(spec));
    });
  });

  describe('while bots play', () => {
    it.each(cuts([/^run .* bots /]))('at %s, %s', async (_name, moment, line) => {
      const exportTo = path.join(await mkdtemp(path.join(os.tmpdir(), 'arb-bots-')), 'bots.tar.gz');
      const play = async () => await platform.playBots(spec, { releaseNumber: 2, config: 'trust_game', participants: null, exportTo, ...silent });
      await withCut(line, moment, play);
      await play();
      // Of two runs only the second one's data are in the file.
      expect(execFileSync('tar', ['-tzf', exportTo], { encoding: 'utf8' })).toMatch(/\.csv$/m);
      await isTrue(spec);
    });
  });

  describe('while another release is started', () => {
    it.each(cuts([/^--quiet config:import/, /^git:from-archive/]))('at %s, %s', async (_name, moment, line) => {
      release = 3 - release;
      await platform.stop(spec, never);
      await platform.selectRelease(spec, release);
      await withCut(line, moment, async () => await platform.start(spec, never));
      await isTrue(spec);
      await platform.start(spec, never);
      expect(await version(platform, spec)).toBe(200);
      expect(await stateOf(platform, spec)).toMatchObject({ state: 'running', restarts: 0 });
      expect(await stand.countProcesses(spec)).toBe(1);
    });
  });

  describe('while the same release is stopped and started', () => {
    it.each(cuts([/^ps:stop/]))('at %s, %s', async (_name, moment, line) => {
      await platform.start(spec, never);
      await withCut(line, moment, async () => await platform.stop(spec, never));
      await isTrue(spec);
      await platform.stop(spec, never);
      expect(await stateOf(platform, spec)).toMatchObject({ state: 'stopped' });
      expect(await stand.countProcesses(spec)).toBe(0);
    });

    it.each(cuts([/^ps:start/]))('at %s, %s', async (_name, moment, line) => {
      await platform.stop(spec, never);
      await withCut(line, moment, async () => await platform.start(spec, never));
      await isTrue(spec);
      await platform.start(spec, never);
      expect(await stateOf(platform, spec)).toMatchObject({ state: 'running' });
      expect(await stand.countProcesses(spec)).toBe(1);
    });
  });

  describe('while rooms are handed over', () => {
    it.each(cuts([/^--quiet config:import/, /^enter/]))('at %s, %s', async (_name, moment, line) => {
      await platform.start(spec, never);
      const hall = { name: `hall_${moment}_${line.source.length}`, displayName: 'Hall', labels: ['A01'], usesSecureUrls: false };
      await withCut(line, moment, async () => await platform.setRooms(spec, [hall]));
      await platform.setRooms(spec, [hall]);
      expect((await platform.askOtree(spec, { method: 'GET', path: '/api/rooms', timeoutMs: 30_000 })).body).toContain(hall.name);
    });
  });

  describe('while the database is emptied', () => {
    it.each(cuts([/^run .*resetdb/, /^postgres:connect/]))('at %s, %s', async (_name, moment, line) => {
      await platform.stop(spec, never);
      await stand.sql(spec, `CREATE TABLE IF NOT EXISTS left_over (n int); INSERT INTO otree_roomtosession (room_name) VALUES ('${moment}')`);
      await withCut(line, moment, async () => await platform.resetDatabase(spec, silent));
      await platform.resetDatabase(spec, silent);
      const { rowCounts } = await platform.databaseFacts(spec);
      expect(Object.keys(rowCounts)).toContain('trust_game_player');
      expect(Object.values(rowCounts).every((rows) => rows === 0)).toBe(true);
    });

    it('a run that was given up can do nothing any more', async () => {
      await platform.stop(spec, never);
      const before = replay.commands().length;
      await withCut(/^run .*resetdb/, 'during', async () => await platform.resetDatabase(spec, silent));
      await stand.sql(spec, `INSERT INTO otree_roomtosession (room_name) VALUES ('kept')`);
      // The first of the two runs went on without us, until its way into the database was shut.
      await expect
        .poll(
          () =>
            replay
              .commands()
              .slice(before)
              .filter(({ line }) => line.endsWith(' resetdb')),
          { timeout: 60_000 },
        )
        .toEqual([expect.objectContaining({ endedAt: expect.any(Number) }), expect.objectContaining({ endedAt: expect.any(Number), exitCode: 0 })]);
      expect((await platform.databaseFacts(spec)).rowCounts['otree_roomtosession']).toBe(1);
    });
  });

  describe('while a backup is put in the place of the data', () => {
    const steps = [/^postgres:create/, /^postgres:import/, /^postgres:unlink/, /^postgres:link/, /^postgres:destroy/];
    it.each(cuts(steps))('at %s, %s', async (_name, moment, line) => {
      const file = path.join(await mkdtemp(path.join(os.tmpdir(), 'dump-')), 'one.dump');
      await platform.stop(spec, never);
      const dump = await platform.dumpDatabase(spec, file, never);
      await stand.sql(spec, `INSERT INTO otree_roomtosession (room_name) VALUES ('later_${replay.commands().length}')`);
      const later = (await platform.databaseFacts(spec)).rowCounts;
      const error = await withCut(line, moment, async () => await platform.restoreDatabase(spec, { file, rowCounts: dump.rowCounts }, never));
      // Either the old data or those of the backup, never a mixture; and what is said of it holds.
      const found = (await platform.databaseFacts(spec)).rowCounts;
      expect([later, dump.rowCounts]).toContainEqual(found);
      if (error?.code === 'restore_failed') expect(found).toEqual(later);
      if (error === null) expect(found).toEqual(dump.rowCounts);
      await platform.restoreDatabase(spec, { file, rowCounts: dump.rowCounts }, never);
      expect((await platform.databaseFacts(spec)).rowCounts).toEqual(dump.rowCounts);
      expect(await stand.databases(spec)).toEqual(await stand.restingDatabases(spec));
      await platform.start(spec, never);
      expect(await version(platform, spec)).toBe(200);
    });
  });

  describe('while an instance is destroyed', () => {
    it.each(cuts([/^apps:destroy i-\w+-try/, /^apps:destroy i-\w+ /, /^postgres:destroy/]))('at %s, %s', async (_name, moment, line) => {
      const other = makeSpec();
      await platform.create(other, never);
      await withCut(line, moment, async () => await platform.destroy(other, never));
      await platform.destroy(other, never);
      expect(await stateOf(platform, other)).toMatchObject({ state: 'absent' });
      expect([...(await stand.leftovers(other)), ...(await stand.databases(other))]).toEqual([]);
    });
  });

  it('while nothing answers, it says since when, and what was seen last; afterwards it goes on by itself', async () => {
    await platform.start(spec, never);
    expect(await stateOf(platform, spec)).toMatchObject({ state: 'running' });
    await replay.stop();
    await expect
      .poll(async () => await stateOf(platform, spec))
      .toMatchObject({
        state: 'unknown',
        startedAt: expect.any(Date),
        detail: expect.stringMatching(/^The Dokku host cannot be reached since \d\d:\d\d UTC: .+\.$/),
      });
    const refused = await platform.stop(spec, never).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'host_unreachable' });
    await replay.revive();
    await platform.stop(spec, never);
    expect(await stateOf(platform, spec)).toMatchObject({ state: 'stopped' });
  });

  it('nothing was asked that no recording answers', () => expect(replay.unrecorded()).toEqual([]));
});
