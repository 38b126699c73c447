// What every platform must do: one suite, run against each adapter with a real oTree and a real PostgreSQL.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, stat, truncate } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuiltRelease, InstanceSpec, Platform } from '../../platforms/platform.ts';
import { Secret } from '../../platforms/secret.ts';
import { archiveOf, askPostgres, brokenProjects, build, deploy, LAB_GAMES, makeSpec, projectWith, refusal, stateOf, TRUST_GAME } from './instances.ts';

/** What the suite needs from an adapter under test. */
export type PlatformStand = {
  readonly platform: Platform;
  /** Processes (or tasks) that exist for an instance, however they were started. */
  readonly countProcesses: (spec: InstanceSpec) => Promise<number>;
  /** What is left of an instance anywhere but in PostgreSQL: paths, services, networks. */
  readonly leftovers: (spec: InstanceSpec) => Promise<string[]>;
  /** Ends the instance's web process from outside, as a crash would. */
  readonly crash: (spec: InstanceSpec) => Promise<void>;
  readonly adminUrl: string;
  readonly close: () => Promise<void>;
};

const never = new AbortController().signal;

const version = async (platform: Platform, spec: InstanceSpec): Promise<number> =>
  (await platform.askOtree(spec, { method: 'GET', path: '/api/otree_version', timeoutMs: 5000 }).catch(() => ({ status: 0 }))).status;

const silent = { signal: never, onOutput: (): void => {} };

/** The suite. Instances are made and destroyed by it; one of them, with the sample project, serves most tests. */
export function describePlatform(name: string, makeStand: () => Promise<PlatformStand>): void {
  describe(`the ${name} platform`, { timeout: 120_000 }, () => {
    let stand: PlatformStand;
    let platform: Platform;
    let built: BuiltRelease;
    const spec = makeSpec();
    const strays: InstanceSpec[] = [];
    const makeStray = (overrides: Partial<InstanceSpec> = {}): InstanceSpec => {
      const stray = makeSpec(overrides);
      strays.push(stray);
      return stray;
    };

    beforeAll(async () => {
      stand = await makeStand();
      platform = stand.platform;
    }, 60_000);

    afterAll(async () => {
      try {
        for (const stray of [spec, ...strays]) await platform.destroy(stray, never);
      } finally {
        await stand.close();
      }
    }, 60_000);

    const query = async (database: string | null, text: string) => await askPostgres(stand.adminUrl, database, text);
    const databases = async (of: InstanceSpec): Promise<string[]> =>
      (await query(null, `SELECT datname FROM pg_database WHERE datname LIKE '%${of.instanceId}%' ORDER BY 1`)).rows.map((row) => String(row['datname']));

    it('sees nothing of an instance that was never made', async () => {
      expect(await stateOf(platform, spec)).toMatchObject({ state: 'absent', webProcesses: 0, memoryBytes: null, diskBytes: null });
    });

    it('makes an instance, and making it again keeps it', async () => {
      await platform.create(spec, never);
      await query(`i_${spec.instanceId}`, `SET ROLE i_${spec.instanceId}; CREATE TABLE kept (n int)`);
      await platform.create(spec, never);
      expect((await platform.databaseFacts(spec)).rowCounts).toEqual({ kept: 0 });
      await query(`i_${spec.instanceId}`, `SET ROLE i_${spec.instanceId}; DROP TABLE kept`);
      expect(await stateOf(platform, spec)).toMatchObject({ state: 'stopped' });
      expect(await platform.participants(spec)).toEqual([]);
    });

    it('does not start without a project', async () => {
      expect((await refusal(platform.start(spec, never))).code).toBe('not_deployed');
    });

    it('builds the sample experiment and reads what it offers', async () => {
      const { release, output } = await build(platform, spec, { dir: TRUST_GAME, number: 1 });
      built = release;
      expect(release.isLockReused).toBe(false);
      expect(release.lock.split('\n')).toContain(`otree==${release.project.otreeVersion}`);
      expect(release.lock).toMatch(/^psycopg2-binary==/m);
      expect(release.project.sessionConfigs.map((config) => config.name)).toContain('trust_game');
      expect(release.project.rooms.find((room) => room.name === 'lab')).toMatchObject({ problem: null, labels: expect.arrayContaining(['seat_1']) });
      expect(output).toContain(`oTree ${release.project.otreeVersion}`);
    });

    it('gives a finished release back when asked again', async () => {
      const again = await build(platform, spec, { dir: TRUST_GAME, number: 1 });
      expect(again.release).toEqual(built);
    });

    it('tries a release on a scratch database and leaves neither process nor database', async () => {
      await platform.tryRelease(spec, 1, silent);
      expect(await databases(spec)).toEqual([`i_${spec.instanceId}`]);
      expect(await stand.countProcesses(spec)).toBe(0);
      expect((await platform.databaseFacts(spec)).rowCounts).toEqual({});
    });

    it('starts, answers, and is seen running', async () => {
      await platform.selectRelease(spec, 1);
      await platform.start(spec, never);
      expect(await platform.askOtree(spec, { method: 'GET', path: '/api/otree_version', timeoutMs: 5000 })).toEqual({
        status: 200,
        body: JSON.stringify({ version: built.project.otreeVersion }),
      });
      const seen = await stateOf(platform, spec);
      expect(seen).toMatchObject({ state: 'running', webProcesses: 1, restarts: 0, exitCode: null });
      expect(seen.memoryBytes).toBeGreaterThan(20 * 1024 * 1024);
      // Null where the platform measures no disk; where it does, it is what was written and not more than the share.
      if (seen.diskBytes !== null) expect(seen.diskBytes).toBeLessThan(spec.limits.diskMib * 1024 * 1024);
    });

    it('starting what runs disturbs nobody', async () => {
      const before = (await stateOf(platform, spec)).startedAt;
      await platform.start(spec, never);
      expect((await stateOf(platform, spec)).startedAt).toEqual(before);
    });

    it('runs a session: REST, participants, row counts', async () => {
      const body = { session_config_name: 'trust_game', num_participants: 2, room_name: 'lab' };
      expect((await platform.askOtree(spec, { method: 'POST', path: '/api/sessions', body, timeoutMs: 10_000 })).status).toBe(200);
      const people = await platform.participants(spec);
      expect(people).toHaveLength(2);
      expect(people[0]).toMatchObject({ room: 'lab', hasStarted: false, isFinished: false, pageIndex: 0, lastPageAt: null });
      expect((await platform.databaseFacts(spec)).rowCounts['otree_participant']).toBe(2);
    });

    describe('rooms that are edited in the panel', () => {
      const hall = { name: 'hall', displayName: 'Hall', labels: ['A01', 'A02'], usesSecureUrls: false };
      const rooms = async (): Promise<string[]> =>
        (JSON.parse((await platform.askOtree(spec, { method: 'GET', path: '/api/rooms', timeoutMs: 5000 })).body) as { name: string }[]).map(
          ({ name }) => name,
        );
      const waits = async (label: string): Promise<boolean> =>
        (await platform.askOtree(spec, { method: 'GET', path: `/room/hall?participant_label=${label}&welcome_page_ok=1`, timeoutMs: 5000 })).body.includes(
          'wait_for_session_in_room',
        );

      it('are known to the running oTree at once, and nobody is disturbed', async () => {
        const before = (await stateOf(platform, spec)).startedAt;
        await platform.setRooms(spec, [hall]);
        expect(await rooms()).toEqual(['lab', 'hall']);
        expect([await waits('A01'), await waits('B01')]).toEqual([true, false]);
        expect((await stateOf(platform, spec)).startedAt).toEqual(before);
      });

      it('are there after a restart, and after a later release', async () => {
        await platform.stop(spec, never);
        await platform.start(spec, never);
        expect(await waits('A02')).toBe(true);
        await build(platform, spec, { dir: TRUST_GAME, number: 5, lock: built.lock });
        await platform.stop(spec, never);
        await platform.selectRelease(spec, 5);
        await platform.configure(spec);
        await platform.start(spec, never);
        expect(await waits('A02')).toBe(true);
        await platform.stop(spec, never);
        await platform.selectRelease(spec, 1);
        await platform.start(spec, never);
      });

      it('go when they are removed', async () => {
        await platform.setRooms(spec, []);
        expect(await rooms()).toEqual(['lab']);
        expect(await waits('A01')).toBe(false);
      });

      it('may be handed over before the first release', async () => {
        const early = makeStray();
        await platform.create(early, never);
        await platform.setRooms(early, [hall]);
        await platform.setRooms(early, [hall]);
        expect(await stateOf(platform, early)).toMatchObject({ state: 'stopped' });
      });
    });

    it('is production-ready untouched: admin pages ask for a password, the key is asked for', async () => {
      const ask = async (to: string) => await platform.askOtree({ ...spec, restKey: new Secret('wrong') }, { method: 'GET', path: to, timeoutMs: 5000 });
      expect((await ask('/demo')).status).toBe(302);
      expect((await ask('/api/rooms')).status).toBe(403);
    });

    it('comes back by itself after a crash', async () => {
      await stand.crash(spec);
      await expect.poll(async () => await version(platform, spec), { timeout: 30_000, interval: 100 }).toBe(200);
      expect(await stateOf(platform, spec)).toMatchObject({ state: 'running', restarts: 1 });
    });

    it('builds, tries and fails a second release while the first one answers', async () => {
      const dir = await projectWith(TRUST_GAME, { 'trust_game/__init__.py': 'import not_there_at_all\n' });
      const { release } = await build(platform, spec, { dir, number: 2, lock: built.lock });
      expect(release.isLockReused).toBe(true);
      const error = await refusal(platform.tryRelease(spec, 2, silent));
      expect(error).toMatchObject({ code: 'module_missing', details: { module: 'not_there_at_all', file: 'trust_game/__init__.py' } });
      expect(await version(platform, spec)).toBe(200);
      expect(await databases(spec)).toEqual([`i_${spec.instanceId}`]);
      expect((await platform.databaseFacts(spec)).rowCounts['otree_participant']).toBe(2);
    });

    it('is well again after every database connection was cut', async () => {
      await query(null, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = 'i_${spec.instanceId}'`);
      const connections = async (): Promise<number> =>
        (await query(null, `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = 'i_${spec.instanceId}'`)).rows.length;
      await expect.poll(async () => await version(platform, spec), { timeout: 20_000, interval: 100 }).toBe(200);
      // One of the web process, one of the timeout worker, without which page timeouts silently stop.
      const works = async () => (await platform.askOtree(spec, { method: 'GET', path: '/api/sessions', timeoutMs: 5000 })).status === 200;
      await expect.poll(async () => ((await works()) ? await connections() : 0), { timeout: 30_000, interval: 200 }).toBeGreaterThanOrEqual(2);
    });

    it('stops, and no process is left', async () => {
      await platform.stop(spec, never);
      expect(await stand.countProcesses(spec)).toBe(0);
      expect(await stateOf(platform, spec)).toMatchObject({ state: 'stopped', webProcesses: 0 });
      expect((await refusal(platform.askOtree(spec, { method: 'GET', path: '/api/rooms', timeoutMs: 1000 }))).code).toBe('not_running');
      await platform.stop(spec, never);
    });

    it('dumps with the row counts of the same moment, and the dump can be restored', async () => {
      const file = path.join(await mkdtemp(path.join(os.tmpdir(), 'dump-')), 'one.dump');
      const dump = await platform.dumpDatabase(spec, file, never);
      const content = await readFile(file);
      expect(dump).toMatchObject({ sizeBytes: content.length, sha256: createHash('sha256').update(content).digest('hex') });
      expect(dump.rowCounts['otree_participant']).toBe(2);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(await platform.verifyDump(spec, file, never)).toEqual(dump.rowCounts);
      await truncate(file, content.length - 1000);
      expect((await refusal(platform.verifyDump(spec, file, never))).code).toBe('backup_failed');
      expect(await databases(spec)).toEqual([`i_${spec.instanceId}`]);
    });

    it('restores a dump: equal rows, owned by the instance, and oTree writes into it afterwards', async () => {
      const file = path.join(await mkdtemp(path.join(os.tmpdir(), 'dump-')), 'one.dump');
      const dump = await platform.dumpDatabase(spec, file, never);
      await query(`i_${spec.instanceId}`, `SET ROLE i_${spec.instanceId}; DELETE FROM trust_game_player; CREATE TABLE later (n int)`);
      const address = new URL(stand.adminUrl);
      address.pathname = `/i_${spec.instanceId}`;
      const idle = new pg.Client({ connectionString: address.href });
      const cut = new Promise((resolve) => idle.on('error', resolve));
      await idle.connect();
      await idle.query(`SET ROLE i_${spec.instanceId}; BEGIN; SELECT * FROM otree_session`);
      await platform.restoreDatabase(spec, { file, rowCounts: dump.rowCounts }, never);
      await cut;
      expect((await platform.databaseFacts(spec)).rowCounts).toEqual(dump.rowCounts);
      expect(await databases(spec)).toEqual([`i_${spec.instanceId}`]);
      const owners = await query(
        `i_${spec.instanceId}`,
        `SELECT DISTINCT tableowner AS owner FROM pg_tables WHERE schemaname = 'public'
          UNION SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()`,
      );
      expect(owners.rows).toEqual([{ owner: `i_${spec.instanceId}` }]);
      const rights = await query(null, `SELECT has_database_privilege('public', 'i_${spec.instanceId}', 'CONNECT') AS open`).catch(() => null);
      if (rights) expect(rights.rows).toEqual([{ open: false }]);
      await platform.start(spec, never);
      const body = { session_config_name: 'trust_game', num_participants: 2 };
      expect((await platform.askOtree(spec, { method: 'POST', path: '/api/sessions', body, timeoutMs: 10_000 })).status).toBe(200);
      expect((await platform.databaseFacts(spec)).rowCounts['otree_participant']).toBe(4);
      expect((await refusal(platform.restoreDatabase(spec, { file, rowCounts: dump.rowCounts }, never))).code).toBe('restore_failed');
      await platform.stop(spec, never);
    });

    it('refuses a damaged file, other row counts and an abort, with the old data in place', async () => {
      const before = (await platform.databaseFacts(spec)).rowCounts;
      const file = path.join(await mkdtemp(path.join(os.tmpdir(), 'dump-')), 'one.dump');
      const dump = await platform.dumpDatabase(spec, file, never);
      const other = { ...dump.rowCounts, otree_participant: 99 };
      expect(await refusal(platform.restoreDatabase(spec, { file, rowCounts: other }, never))).toMatchObject({
        code: 'restore_failed',
        details: { reason: expect.stringContaining('otree_participant') },
      });
      const abort = new AbortController();
      const restoring = platform.restoreDatabase(spec, { file, rowCounts: dump.rowCounts }, abort.signal);
      const ended = restoring.catch((error: unknown) => error);
      await expect.poll(async () => (await databases(spec)).length, { interval: 1 }).toBe(2);
      abort.abort(new Error('the panel was stopped'));
      expect(await ended).toMatchObject({ message: 'the panel was stopped' });
      await truncate(file, dump.sizeBytes - 1000);
      expect((await refusal(platform.restoreDatabase(spec, { file, rowCounts: dump.rowCounts }, never))).code).toBe('restore_failed');
      expect((await platform.databaseFacts(spec)).rowCounts).toEqual(before);
      expect(await databases(spec)).toEqual([`i_${spec.instanceId}`]);
    });

    it('clears away what a crash in the middle of a restore left, before or after the change of places', async () => {
      const before = (await platform.databaseFacts(spec)).rowCounts;
      await query(null, `CREATE DATABASE restore_${spec.instanceId}`);
      await query(null, `CREATE DATABASE old_${spec.instanceId}`);
      const file = path.join(await mkdtemp(path.join(os.tmpdir(), 'dump-')), 'one.dump');
      const dump = await platform.dumpDatabase(spec, file, never);
      await platform.restoreDatabase(spec, { file, rowCounts: dump.rowCounts }, never);
      expect((await platform.databaseFacts(spec)).rowCounts).toEqual(before);
      expect(await databases(spec)).toEqual([`i_${spec.instanceId}`]);
    });

    it('hands out the runtime log piece by piece and as a whole', async () => {
      const first = await platform.readLogFrom(spec.instanceId, { position: null, maxBytes: 4096 });
      expect(first.text).not.toBe('');
      expect(await platform.readLogFrom(spec.instanceId, { position: first.position, maxBytes: 4096 })).toEqual({ ...first, text: '' });
      await platform.start(spec, never);
      await platform.stop(spec, never);
      const next = await platform.readLogFrom(spec.instanceId, { position: first.position, maxBytes: 1e6 });
      expect(next.text).toContain('started as process');
      let whole = '';
      for await (const bytes of platform.openLog(spec.instanceId)) whole += String(bytes);
      expect(whole.endsWith(next.text)).toBe(true);
      expect(await platform.readLogFrom('t0000000000', { position: null, maxBytes: 10 })).toEqual({ text: '', position: '', hasGap: false });
    });

    it('drops scratch databases that a crash left', async () => {
      await query(null, `CREATE DATABASE try_${spec.instanceId}`);
      await query(null, `CREATE DATABASE verify_${spec.instanceId}_00ff00ff`);
      await platform.create(spec, never);
      expect(await databases(spec)).toEqual([`i_${spec.instanceId}`]);
    });

    it('resets the database of a stopped instance, past a connection that idles in a transaction', async () => {
      const address = new URL(stand.adminUrl);
      address.pathname = `/i_${spec.instanceId}`;
      const idle = new pg.Client({ connectionString: address.href });
      idle.on('error', () => {});
      await idle.connect();
      await idle.query(`SET ROLE i_${spec.instanceId}; BEGIN; SELECT * FROM otree_session`);
      await platform.resetDatabase(spec, silent);
      const { rowCounts } = await platform.databaseFacts(spec);
      expect(Object.keys(rowCounts)).toContain('trust_game_player');
      expect(Object.values(rowCounts).every((rows) => rows === 0)).toBe(true);
      await idle.end().catch(() => {});
    });

    it('refuses to reset what runs', async () => {
      await platform.start(spec, never);
      expect((await refusal(platform.resetDatabase(spec, silent))).code).toBe('platform_failed');
      await platform.stop(spec, never);
    });

    it('passes on the owner’s variables and a new password at the next start', async () => {
      const changed = { ...spec, adminPassword: new Secret('another'), environment: { OTREE_AUTH_LEVEL: new Secret('DEMO') } };
      await platform.configure(changed);
      await platform.start(changed, never);
      expect((await platform.askOtree(changed, { method: 'GET', path: '/demo', timeoutMs: 5000 })).status).toBe(200);
      await platform.stop(changed, never);
      await platform.configure(spec);
    });

    it('starts the release that was selected last, and removes the others', async () => {
      await build(platform, spec, { dir: TRUST_GAME, number: 3, lock: built.lock });
      await platform.start(spec, never);
      await platform.selectRelease(spec, 3);
      await platform.stop(spec, never);
      await platform.start(spec, never);
      await platform.pruneReleases(spec, []);
      expect(await version(platform, spec)).toBe(200);
      expect((await refusal(platform.selectRelease(spec, 1))).code).toBe('platform_failed');
      await platform.stop(spec, never);
    });

    it('ends a build that is aborted, and builds it afterwards', async () => {
      const abort = new AbortController();
      const request = { releaseNumber: 4, openArchive: archiveOf(TRUST_GAME), lockFor: async () => null, signal: abort.signal };
      const building = platform.build(spec, { ...request, onOutput: () => abort.abort(new Error('the person changed their mind')) });
      await expect(building).rejects.toThrow('changed their mind');
      await build(platform, spec, { dir: TRUST_GAME, number: 4, lock: built.lock });
    });

    it('ends a start that is aborted, and starts afterwards', async () => {
      const abort = new AbortController();
      const starting = platform.start(spec, abort.signal);
      setImmediate(() => abort.abort(new Error('enough')));
      await expect(starting).rejects.toThrow('enough');
      await platform.start(spec, never);
      expect(await version(platform, spec)).toBe(200);
    });

    it('explains a start that fails, sees the crash, and leaves the neighbour alone', async () => {
      const other = makeStray();
      const dir = await projectWith(TRUST_GAME, { 'trust_game/__init__.py': 'import os\nos._exit(3)\n' });
      await platform.create(other, never);
      await build(platform, other, { dir, number: 1, lock: built.lock });
      await platform.selectRelease(other, 1);
      expect((await refusal(platform.start(other, never))).code).toBe('start_failed');
      await expect.poll(async () => (await stateOf(platform, other)).restarts, { timeout: 20_000, interval: 100 }).toBeGreaterThan(1);
      expect(await stateOf(platform, other)).toMatchObject({ state: 'crashed', exitCode: 3, webProcesses: 0 });
      expect(await version(platform, spec)).toBe(200);
      await platform.stop(other, never);
      expect(await stateOf(platform, other)).toMatchObject({ state: 'stopped' });
    });

    it('names what the tables of a live database lack for a new version, and only what would make oTree fail', async () => {
      const other = makeStray();
      await platform.create(other, never);
      const table = async (text: string) => await query(`i_${other.instanceId}`, `SET ROLE i_${other.instanceId}; ${text}`);
      const app = await readFile(path.join(TRUST_GAME, 'trust_game', '__init__.py'), 'utf8');
      const fields = 'offer = models.IntegerField()\n    belief = models.FloatField()\n    remark = models.StringField()';
      const changed = app.replace('class Player(BasePlayer):\n    pass', `class Player(BasePlayer):\n    ${fields}`);
      await build(platform, other, { dir: await projectWith(TRUST_GAME, { 'trust_game/__init__.py': changed }), number: 1, lock: built.lock });
      const gaps = async () => (await platform.tryRelease(other, 1, silent)).gaps;
      expect(await gaps(), 'a database without tables lacks nothing: oTree makes them').toEqual([]);

      await platform.selectRelease(other, 1);
      await platform.start(other, never);
      await platform.stop(other, never);
      expect(await gaps(), 'its own tables').toEqual([]);

      await table('DROP TABLE trust_game_player; CREATE TABLE old_app_player (id int NOT NULL, x int NOT NULL)');
      expect(await gaps(), 'a new app, and one that was removed').toEqual([]);
      await platform.start(other, never);
      await platform.stop(other, never);

      await table('ALTER TABLE trust_game_player ADD left_over int, ADD filled int NOT NULL DEFAULT 0, ALTER remark TYPE text');
      expect(await gaps(), 'columns that nobody needs, and longer text').toEqual([]);

      await table(`ALTER TABLE trust_game_player DROP offer, ALTER belief TYPE varchar(50), ALTER remark SET NOT NULL, ADD must_be int NOT NULL`);
      const player = { table: 'trust_game_player' };
      expect(await gaps()).toEqual([
        { ...player, kind: 'missing', column: 'offer', wanted: 'integer', found: null },
        { ...player, kind: 'changed', column: 'belief', wanted: 'double precision', found: 'character varying(50)' },
        { ...player, kind: 'required', column: 'remark', wanted: null, found: 'text' },
        { ...player, kind: 'required', column: 'must_be', wanted: null, found: 'integer' },
      ]);
    });

    it('runs a richer project with two rooms beside the first', async () => {
      const other = makeStray();
      const { project } = await deploy(platform, other, { dir: LAB_GAMES });
      expect(project.rooms.length).toBeGreaterThanOrEqual(2);
      expect(project.rooms.some((room) => room.usesSecureUrls)).toBe(true);
      expect(await version(platform, other)).toBe(200);
      expect(await version(platform, spec)).toBe(200);
      expect([...(await platform.observe([spec.instanceId, other.instanceId])).values()].map(({ state }) => state)).toEqual(['running', 'running']);
    });

    it('destroys a running instance and leaves nothing', async () => {
      await platform.destroy(spec, never);
      expect(await stateOf(platform, spec)).toMatchObject({ state: 'absent' });
      expect(await stand.countProcesses(spec)).toBe(0);
      expect(await stand.leftovers(spec)).toEqual([]);
      expect(await databases(spec)).toEqual([]);
      expect((await query(null, `SELECT 1 FROM pg_roles WHERE rolname = 'i_${spec.instanceId}'`)).rows).toEqual([]);
      await platform.destroy(spec, never);
    });

    it.each(brokenProjects)('refuses a project with %s, in a sentence', async (_what, files, expected) => {
      const other = makeStray();
      await platform.create(other, never);
      const dir = await projectWith(TRUST_GAME, files);
      expect(await refusal(build(platform, other, { dir, number: 1 }))).toMatchObject(expected);
      expect((await refusal(platform.selectRelease(other, 1))).code).toBe('platform_failed');
    });
  });
}
