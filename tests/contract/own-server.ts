// What an instance with a database server of its own must be like, and what that server must live through.

import { readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type Docker from 'dockerode';
import { expect, it } from 'vitest';
import type { InstanceSpec } from '../../platforms/platform.ts';
import { databaseServiceName, LABEL } from '../../platforms/swarm/names.ts';
import { residentBytes } from '../../platforms/swarm/inspection.ts';
import { pathsOf } from '../../platforms/swarm/files.ts';
import { SwarmPlatform } from '../../platforms/swarm/swarm.ts';
import { importPostgres } from '../postgres-image.ts';
import { build, refusal, stateOf, TRUST_GAME } from './instances.ts';
import { localDatabases, rolesLeft } from './local-databases.ts';
import { requireEnvironment, until } from './local-stand.ts';
import { type Bench, never, newDumpFile, version } from './stand.ts';
import type { SwarmStand } from './swarm-stand.ts';

const BACK_MS = 120_000;

/** The bench's stand, which these themes know to be a Swarm. */
const swarmOf = (bench: Bench): SwarmStand => bench.stand as SwarmStand;
const partsOf = async (bench: Bench, { instanceId }: InstanceSpec, part: string): Promise<Docker.ContainerInfo[]> =>
  await swarmOf(bench).engine.docker.listContainers({ filters: { label: [`${LABEL.instance}=${instanceId}`, `${LABEL.part}=${part}`] } });
const look = async (bench: Bench, part: string): Promise<Docker.ContainerInspectInfo> => {
  const [found] = await partsOf(bench, bench.spec, part);
  if (found === undefined) throw new Error(`no container “${part}” runs`);
  return await swarmOf(bench).engine.docker.getContainer(found.Id).inspect();
};
const play = async ({ platform, spec }: Bench): Promise<number> => {
  const body = { session_config_name: 'trust_game', num_participants: 2, room_name: 'lab' };
  return await platform.askOtree(spec, { method: 'POST', path: '/api/sessions', body, timeoutMs: 30_000 }).then(
    ({ status }) => status,
    () => 0,
  );
};
const participants = async ({ platform, spec }: Bench): Promise<number | undefined> => (await platform.databaseFacts(spec)).rowCounts['otree_participant'];

/** From nothing to a session with two participants, and to a stop. */
export function ownServer(bench: Bench): void {
  const { spec } = bench;

  it('is made with the instance, and the shared server hears nothing of it', async () => {
    await bench.platform.create(spec, never);
    const [first] = await partsOf(bench, spec, 'database');
    await bench.stand.sql(spec, 'CREATE TABLE kept (n int)');
    await bench.platform.create(spec, never);
    expect((await partsOf(bench, spec, 'database')).map(({ Id }) => Id)).toEqual([first?.Id]);
    expect((await bench.platform.databaseFacts(spec)).rowCounts).toEqual({ kept: 0 });
    await bench.stand.sql(spec, 'DROP TABLE kept');
    expect([await localDatabases.databases(spec), await rolesLeft(spec)]).toEqual([[], []]);
    const settings = await bench.stand.sql(
      spec,
      `SELECT current_setting('listen_addresses') AS listens, current_setting('data_checksums') AS sums, current_setting('is_superuser') AS admin`,
    );
    expect(settings).toEqual([{ listens: '', sums: 'on', admin: 'off' }]);
    expect(await stateOf(bench.platform, spec)).toMatchObject({ state: 'stopped', hasOwnDatabaseServer: true });
  });

  it('has no rights, no port, no way out and no secret that the engine would tell', async () => {
    const { options, engine } = swarmOf(bench);
    const { HostConfig, Config, NetworkSettings, Mounts } = await look(bench, 'database');
    expect(Config.Volumes).toHaveProperty(['/var/lib/postgresql/data']);
    expect(Mounts.filter(({ Type }) => Type === 'volume')).toEqual([]);
    expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'], Privileged: false });
    expect([Config.User, NetworkSettings.Ports]).toEqual([`${spec.osUserId}:${spec.osUserId}`, {}]);
    for (const id of Object.values(NetworkSettings.Networks).map(({ NetworkID }) => NetworkID))
      expect((await engine.docker.getNetwork(id).inspect()) as unknown).toMatchObject({ Internal: true });
    const { databaseServer, databaseDir, databaseSocketDir } = pathsOf(options, spec.instanceId);
    const writable = Mounts.filter(({ RW, Type }) => RW && Type === 'bind').map(({ Source }) => Source);
    expect(writable.toSorted()).toEqual([databaseDir, databaseSocketDir].toSorted());
    expect([databaseServer, databaseDir, databaseSocketDir].map((place) => statSync(place).mode & 0o777)).toEqual([0o600, 0o700, 0o700]);
    const { password } = JSON.parse(readFileSync(databaseServer, 'utf8')) as { password: string };
    const told = JSON.stringify([await look(bench, 'database'), await engine.docker.getService(databaseServiceName(spec.instanceId)).inspect()]);
    expect(password).toHaveLength(48);
    expect(told).not.toContain(password);
  });

  it('serves builds, trials and sessions, takes a newer image with the next start, and gives the experiment its own folder alone', async () => {
    bench.built = (await build(bench.platform, spec, { dir: TRUST_GAME, number: 1 })).release;
    expect(await bench.platform.tryRelease(spec, 1, { signal: never, onOutput: () => {} })).toEqual({ gaps: [] });
    await bench.platform.selectRelease(spec, 1);
    // Another image of the same name, as after an update.
    const { Image } = await look(bench, 'database');
    await importPostgres(swarmOf(bench).engine);
    await bench.stand.sql(spec, 'CREATE TABLE kept (n int)');
    await bench.platform.start(spec, never);
    expect((await look(bench, 'database')).Image).not.toBe(Image);
    await bench.stand.sql(spec, 'DROP TABLE kept');
    expect(await play(bench)).toBe(200);
    expect(await participants(bench)).toBe(2);
    const { options } = swarmOf(bench);
    const sources = (await look(bench, 'serve')).Mounts.map(({ Source }) => Source);
    expect(sources).toContain(pathsOf(options, spec.instanceId).databaseSocketDir);
    expect(sources).not.toContain(new URL(requireEnvironment('ARBORETUM_TEST_DATABASE_URL')).searchParams.get('host'));
  });

  it('goes on while the experiment is stopped', async () => {
    await bench.platform.stop(spec, never);
    expect(await participants(bench)).toBe(2);
    const [container] = await partsOf(bench, spec, 'database');
    const stats = await swarmOf(bench)
      .engine.docker.getContainer(container?.Id ?? '')
      .stats({ stream: false });
    process.stderr.write(`\na database server at rest: ${((residentBytes(stats) ?? 0) / 1024 ** 2).toFixed(1)} MiB\n`);
  });
}

/** Crashes of the server and of the engine, a second server on the same data, other settings. */
export function livingThrough(bench: Bench): void {
  const { spec } = bench;

  const isBack = async (rows: number): Promise<void> => {
    await until('the experiment writes again', async () => (await version(bench.platform, spec)) === 200 && (await play(bench)) === 200, BACK_MS);
    expect(await participants(bench)).toBe(rows + 2);
  };

  it('is back by itself with all rows after a crash, and the experiment with it', async () => {
    await bench.platform.start(spec, never);
    expect(await play(bench)).toBe(200);
    const rows = (await participants(bench)) ?? 0;
    const { Id, State } = await look(bench, 'database');
    process.kill(State.Pid, 'SIGKILL');
    await until('another container runs', async () => (await partsOf(bench, spec, 'database')).some((one) => one.Id !== Id), BACK_MS);
    await isBack(rows);
  });

  it('lets no second server at its data, whatever process ids say', async () => {
    const { docker } = swarmOf(bench).engine;
    const { Config, HostConfig, Image } = await look(bench, 'database');
    const second = await docker.createContainer({
      Image,
      Entrypoint: [],
      Cmd: Config.Entrypoint as string[],
      User: Config.User,
      HostConfig: {
        NetworkMode: 'none',
        Binds: (HostConfig.Mounts ?? []).filter(({ Type }) => Type === 'bind').map(({ Source, Target }) => `${Source}:${Target}`),
      },
    });
    try {
      await second.start();
      expect(((await second.wait()) as { StatusCode: number }).StatusCode).toBe(75);
      expect(String(await second.logs({ stdout: true, stderr: true, follow: false }))).toContain('another server holds these data');
    } finally {
      await second.remove({ force: true, v: true });
    }
    expect(await play(bench)).toBe(200);
  });

  it('is back with all rows after the death of the engine', async () => {
    const { engine } = swarmOf(bench);
    const rows = (await participants(bench)) ?? 0;
    const { Id } = await look(bench, 'database');
    process.kill(engine.pid(), 'SIGKILL');
    await until('the engine is away', async () => (await engine.docker.ping().catch(() => null)) === null);
    expect(await participants(bench)).toBe(rows);
    await engine.revive();
    await until('another container runs', async () => (await partsOf(bench, spec, 'database').catch(() => [])).some((one) => one.Id !== Id), BACK_MS);
    await isBack(rows);
  });

  it('stays with its instance under other settings, and is not cleared away for a move', async () => {
    const { options } = swarmOf(bench);
    const other = new SwarmPlatform({ ...options, newDatabases: { on: 'shared', image: null } });
    await other.create(spec, never);
    expect(await localDatabases.databases(spec)).toEqual([]);
    expect((await other.databaseFacts(spec)).rowCounts['otree_participant']).toBeGreaterThan(0);
    expect(await other.findTie(spec.instanceId)).toContain('a database server of its own');
    expect(await refusal(other.vacate(spec, never))).toMatchObject({ code: 'platform_failed' });
    expect(await version(bench.platform, spec)).toBe(200);
  });

  it('whose data were lost is made anew, and takes a backup', async () => {
    const { engine, options } = swarmOf(bench);
    const file = await newDumpFile();
    const dump = await bench.platform.dumpDatabase(spec, file, never);
    await bench.platform.stop(spec, never);
    await engine.docker.getService(databaseServiceName(spec.instanceId)).remove();
    await until('it is gone', async () => (await partsOf(bench, spec, 'database')).length === 0, BACK_MS);
    await rm(pathsOf(options, spec.instanceId).databaseDir, { recursive: true });
    // An empty experiment would look as if nobody had ever taken part.
    await expect(bench.platform.start(spec, never)).rejects.toMatchObject({ code: 'database_lost' });
    // As on a machine that was set up again: first of all a backup of what is there, which is nothing.
    expect((await bench.platform.dumpDatabase(spec, await newDumpFile(), never)).rowCounts).toEqual({});
    await bench.platform.restoreDatabase(spec, { file, rowCounts: dump.rowCounts }, never);
    expect((await bench.platform.databaseFacts(spec)).rowCounts).toEqual(dump.rowCounts);
    await bench.platform.start(spec, never);
    expect(await play(bench)).toBe(200);
  });

  it('is put back when its service was removed by hand', async () => {
    const { engine, options } = swarmOf(bench);
    const rows = await participants(bench);
    await engine.docker.getService(databaseServiceName(spec.instanceId)).remove();
    await until('it is gone', async () => (await partsOf(bench, spec, 'database')).length === 0, BACK_MS);
    await new SwarmPlatform(options).prepare();
    await until('its rows are there', async () => (await participants(bench).catch(() => null)) === rows, BACK_MS);
  });
}
