// The local platform against the contract, and what only it must prove: that instances cannot reach or starve each other.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pathsOf } from '../../platforms/local/files.ts';
import { confineArguments } from '../../platforms/confined.ts';
import type { Ground } from '../../platforms/local/ground.ts';
import { processesOf, scanProcesses } from '../../platforms/local/processes.ts';
import { listProcesses } from '../../platforms/local/supervisor.ts';
import type { InstanceSpec, Platform } from '../../platforms/platform.ts';
import { InstanceDatabases } from '../../platforms/postgres.ts';
import { runCommand } from '../../platforms/run-command.ts';
import { Secret } from '../../platforms/secret.ts';
import { foreignPlaces } from '../../platforms/uv.ts';
import { type LocalStand, makeLocalStand, requireEnvironment, until } from './local-stand.ts';
import { build, deploy, makeSpec, projectWith, refusal, stateOf, TRUST_GAME } from './instances.ts';
import { localDatabases, rolesLeft } from './local-databases.ts';
import { describePlatform } from './platform-contract.ts';

const never = new AbortController().signal;
const asRoot = process.getuid?.() === 0;

const groundOf = (stand: LocalStand): Ground => ({ ...stand.options, databases: new InstanceDatabases(stand.options.postgres) });

async function ownProcesses(stand: LocalStand, spec: InstanceSpec): Promise<number[]> {
  const info = (await listProcesses(groundOf(stand))).get(spec.instanceId);
  const owner = { userId: stand.separatesUsers ? spec.osUserId : null, keeperPid: info?.pid ?? null };
  return processesOf(await scanProcesses(), owner).map(({ pid }) => pid);
}

describePlatform('local', async () => {
  const stand = await makeLocalStand();
  const paths = (spec: InstanceSpec) => pathsOf(groundOf(stand), spec.instanceId);
  return {
    platform: stand.platform,
    traits: { measuresMemory: true, keepsFailedStart: true, startMark: 'started as process', recoveryMs: 30_000 },
    ...localDatabases,
    countProcesses: async (spec) => (await ownProcesses(stand, spec)).length,
    crash: async (spec) => {
      for (const pid of await ownProcesses(stand, spec)) process.kill(pid, 'SIGKILL');
    },
    leftovers: async (spec) => {
      const places = [
        ...Object.values(paths(spec)).filter((place) => typeof place === 'string'),
        path.join(stand.layout.supervisorPrograms, `${spec.instanceId}.conf`),
      ];
      const groups = ['memory', 'pids', '.'].flatMap((mount) =>
        ['', 'try-', 'build-', 'source-', 'end-'].map((purpose) => path.join('/sys/fs/cgroup', mount, 'arboretum', `${purpose}${spec.instanceId}`)),
      );
      const kept = (await listProcesses(groundOf(stand))).has(spec.instanceId) ? ['supervisord keeps it'] : [];
      return [...[...places, ...groups].filter((place) => existsSync(place)), ...kept, ...(await rolesLeft(spec))];
    },
    close: stand.close,
  };
});

describe('the local platform on its own', { timeout: 120_000 }, () => {
  let stand: LocalStand;
  let platform: Platform;
  let ground: Ground;
  const quiet = makeSpec();
  const strays: InstanceSpec[] = [];
  const makeStray = (overrides: Partial<InstanceSpec> = {}): InstanceSpec => {
    const stray = makeSpec(overrides);
    strays.push(stray);
    return stray;
  };
  const answers = async (spec: InstanceSpec): Promise<boolean> =>
    (await platform.askOtree(spec, { method: 'GET', path: '/api/otree_version', timeoutMs: 30_000 }).catch(() => ({ status: 0 }))).status === 200;

  /** Deploys a sample whose app does something at its import, once it serves (not while it is tried or described). */
  async function deployMischief(spec: InstanceSpec, code: string): Promise<void> {
    const source = await readFile(path.join(TRUST_GAME, 'trust_game', '__init__.py'), 'utf8');
    const body = code
      .split('\n')
      .map((line) => `    ${line}`)
      .join('\n');
    const dir = await projectWith(TRUST_GAME, {
      'trust_game/__init__.py': `${source}\nimport threading, time, os\ndef _mischief():\n    time.sleep(1.5)\n${body}\nthreading.Thread(target=_mischief, daemon=True).start()\n`,
    });
    await deploy(platform, spec, { dir });
  }

  /** Runs a command exactly as the instance's own code would run. */
  const asInstance = async (spec: InstanceSpec, command: readonly string[], env: Record<string, string> = {}) => {
    const confinement = { userId: spec.osUserId, limits: {}, group: `probe-${spec.instanceId}`, home: '/', cwd: '/' };
    const names = Object.keys(env).flatMap((name) => ['--env', name]);
    return await runCommand({
      file: '/usr/bin/python3',
      args: [...confineArguments(ground, confinement, names), ...command],
      env: { PATH: '/usr/bin:/bin', ...env },
      timeoutMs: 60_000,
    });
  };

  beforeAll(async () => {
    stand = await makeLocalStand();
    platform = stand.platform;
    ground = groundOf(stand);
    await deploy(platform, quiet, { dir: TRUST_GAME });
  }, 120_000);

  afterAll(async () => {
    try {
      for (const spec of [quiet, ...strays]) await platform.destroy(spec, never);
    } finally {
      await stand.close();
    }
  }, 60_000);

  it('says how well it keeps instances apart', async () => {
    expect(await platform.capabilities()).toMatchObject({
      separatesUsers: asRoot,
      isolationNote: expect.stringContaining(asRoot ? 'user id of its own' : 'trusted users only'),
    });
  });

  it.runIf(asRoot)('one instance cannot read another’s settings, home, log, project or the panel’s files', async () => {
    const other = makeStray();
    await platform.create(other, never);
    const theirs = pathsOf(ground, quiet.instanceId);
    await writeFile(stand.layout.secretKeyFile, 'key', { mode: 0o600 });
    const places = [theirs.env, theirs.record, theirs.log, path.join(theirs.current, 'project', 'settings.py'), stand.layout.secretKeyFile];
    for (const place of places) {
      const result = await asInstance(other, ['/bin/cat', place]);
      expect([place, result.exitCode, result.stderr]).toEqual([place, 1, expect.stringContaining('Permission denied')]);
    }
    for (const place of [theirs.home, theirs.socketDir, theirs.logDir])
      expect((await asInstance(other, ['/bin/ls', place])).stderr).toContain('Permission denied');
    const [pid = 0] = await ownProcesses(stand, quiet);
    expect((await asInstance(other, ['/bin/cat', `/proc/${pid}/environ`])).stderr).toContain('Permission denied');
    expect((await asInstance(other, ['/bin/kill', '-9', String(pid)])).exitCode).not.toBe(0);
    expect(await answers(quiet)).toBe(true);
  });

  it.runIf(asRoot)('an instance can read its own settings, but change neither its release, its environment nor the shared cache', async () => {
    const mine = pathsOf(ground, quiet.instanceId);
    expect((await asInstance(quiet, ['/bin/cat', mine.env])).exitCode).toBe(0);
    const packages = (
      await asInstance(quiet, [
        '/usr/bin/find',
        path.join(mine.current, '/'),
        stand.layout.cacheDir,
        mine.root,
        stand.layout.toolsDir,
        '-writable',
        '-not',
        '-type',
        'l',
        '-not',
        '-path',
        `${mine.home}*`,
      ])
    ).stdout;
    const own = foreignPlaces(ground, quiet.instanceId).dir;
    expect(packages.split('\n').filter((line) => line !== '' && !line.startsWith(own))).toEqual([]);
    expect((await asInstance(quiet, ['/usr/bin/touch', path.join(mine.home, 'mine')])).exitCode).toBe(0);
  });

  it.runIf(asRoot)('an instance can connect neither to another’s database nor to the panel’s', async () => {
    const other = makeStray();
    await platform.create(other, never);
    const { host, port, user } = ground.databases.addressOf(other.instanceId, other.databasePassword);
    const connect = async (database: string) =>
      await asInstance(other, ['/usr/bin/psql', '-h', host, '-p', String(port), '-U', user, '-d', database, '-c', 'SELECT 1'], {
        PGPASSWORD: other.databasePassword.open(),
      });
    expect((await connect(`i_${other.instanceId}`)).exitCode).toBe(0);
    expect((await connect(`i_${quiet.instanceId}`)).stderr).toContain('permission denied');
    expect((await connect(new URL(requireEnvironment('ARBORETUM_TEST_DATABASE_URL')).pathname.slice(1))).stderr).toContain('permission denied');
  });

  it('no secret stands in argv, in supervisord’s files or in the log', async () => {
    const secrets = [quiet.databasePassword, quiet.adminPassword, quiet.secretKey, quiet.roomSecret, quiet.restKey].map((secret) => secret.open());
    const pids = await readdir('/proc');
    const argv = await Promise.all(pids.filter((pid) => /^\d+$/.test(pid)).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
    const program = await readFile(path.join(stand.layout.supervisorPrograms, `${quiet.instanceId}.conf`), 'utf8');
    const everything = [...argv, program, await platform.readLog(quiet.instanceId, 1e6)].join('\n');
    expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
  });

  it.runIf(asRoot)('a memory hog is ended, seen as out of memory, and the neighbour answers', async () => {
    const hog = makeStray({ limits: { memoryMib: 160, diskMib: 64, processes: 32 } });
    await deployMischief(hog, 'block = bytearray(400 * 1024 * 1024)\nprint(len(block))');
    await until('the hog was ended', async () => (await stateOf(platform, hog)).restarts > 0);
    await expect.poll(async () => (await stateOf(platform, hog)).detail).toContain('out of memory');
    expect(await answers(quiet)).toBe(true);
    await platform.stop(hog, never);
  });

  it('a flood in the log is bounded, and the neighbour answers', async () => {
    const flooder = makeStray();
    await deployMischief(flooder, 'while True:\n    print(("x" * 200 + chr(10)) * 5000)');
    await until('the flood was cut', async () => (await platform.readLog(flooder.instanceId, 4e6)).includes('the log was flooded'));
    expect(await answers(quiet)).toBe(true);
    const dir = pathsOf(ground, flooder.instanceId).logDir;
    const sizes = await Promise.all((await readdir(dir)).map(async (name) => (await stat(path.join(dir, name))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(50 * 1024 * 1024);
    expect(Buffer.byteLength(await platform.readLog(flooder.instanceId, 4096))).toBeLessThanOrEqual(4096);
    await platform.stop(flooder, never);
  });

  it('an instance that fills its disk share is stopped and says so, until it is started again', async () => {
    const hoarder = makeStray({ limits: { memoryMib: 512, diskMib: 8, processes: 64 } });
    await deployMischief(hoarder, 'home = os.environ["HOME"]\nfor n in range(5):\n    open(os.path.join(home, str(n)), "wb").write(b"x" * 4000000)');
    const files = async () => (await readdir(pathsOf(ground, hoarder.instanceId).home)).length;
    await until('the files are there', async () => (await files()) === 5);
    // A fresh platform has measured nothing yet.
    const { LocalPlatform } = await import('../../platforms/local/local.ts');
    const fresh = new LocalPlatform(stand.options);
    expect((await stateOf(fresh, hoarder)).detail).toContain('disk share full');
    await until('it was stopped', async () => (await ownProcesses(stand, hoarder)).length === 0);
    await until('the reason is kept', async () => (await stateOf(platform, hoarder)).state === 'crashed');
    expect(await answers(quiet)).toBe(true);
  });

  it.runIf(asRoot)('a fork bomb is held by its limit, and the neighbour answers', async () => {
    const bomber = makeStray({ limits: { memoryMib: 512, diskMib: 64, processes: 40 } });
    await deployMischief(
      bomber,
      'import subprocess\nwhile True:\n    try:\n        subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)\n    except OSError:\n        time.sleep(0.05)',
    );
    await until('it has many processes', async () => (await ownProcesses(stand, bomber)).length > 20);
    expect((await ownProcesses(stand, bomber)).length).toBeLessThanOrEqual(42);
    expect(await answers(quiet)).toBe(true);
    await platform.stop(bomber, never);
    expect(await ownProcesses(stand, bomber)).toEqual([]);
  });

  it.runIf(asRoot)('a trial of a second release leaves no process of a child that ran away', async () => {
    const before = await ownProcesses(stand, quiet);
    const source = await readFile(path.join(TRUST_GAME, 'trust_game', '__init__.py'), 'utf8');
    const dir = await projectWith(TRUST_GAME, {
      'trust_game/__init__.py': `${source}\nimport subprocess\nsubprocess.Popen(["/bin/sleep", "600"], start_new_session=True)\n`,
    });
    await build(platform, quiet, { dir, number: 2 });
    await platform.tryRelease(quiet, 2, { signal: never, onOutput: () => {} });
    const after = await ownProcesses(stand, quiet);
    expect(after.filter((pid) => !before.includes(pid))).toEqual([]);
    expect(await answers(quiet)).toBe(true);
  });

  it('lives through the death of supervisord: the experiment answers, and the next stop ends it', async () => {
    const second = await makeLocalStand();
    const spec = makeSpec();
    await deploy(second.platform, spec, { dir: TRUST_GAME });
    second.keeper().kill('SIGKILL');
    await until('supervisord is gone', () => second.keeper().exitCode !== null || second.keeper().signalCode !== null);
    const answer = await second.platform.askOtree(spec, { method: 'GET', path: '/api/otree_version', timeoutMs: 30_000 });
    expect(answer.status).toBe(200);
    expect(await stateOf(second.platform, spec)).toMatchObject({ state: 'running', detail: expect.stringContaining('supervisord') });
    expect((await refusal(second.platform.stop(spec, never))).code).toBe('platform_failed');
    await second.revive();
    await second.platform.start(spec, never);
    // The copy that the new supervisord started first was ended by the start, which may count as a restart.
    const revived = await stateOf(second.platform, spec);
    expect(revived.state).toBe('running');
    expect(revived.detail ?? '').not.toContain('supervisord');
    await second.platform.destroy(spec, never);
    await second.close();
  });

  it('makes the socket folders again that a reboot took', async () => {
    const { socketDir } = pathsOf(ground, quiet.instanceId);
    await platform.stop(quiet, never);
    await new Promise((resolve) => spawn('rm', ['-rf', socketDir]).once('exit', resolve));
    const { LocalPlatform } = await import('../../platforms/local/local.ts');
    await new LocalPlatform(stand.options).prepare();
    const info = await stat(socketDir);
    expect(info.mode & 0o7777).toBe(0o2750);
    expect(info.uid).toBe(asRoot ? quiet.osUserId : process.getuid?.());
  });

  it('keeps passwords out of PostgreSQL’s statements: a role is made with a verifier', async () => {
    const spec = makeStray({ databasePassword: new Secret('plain-text-password') });
    await platform.create(spec, never);
    await platform.create({ ...spec, databasePassword: new Secret('a new one') }, never);
    expect((await platform.databaseFacts({ ...spec, databasePassword: new Secret('a new one') })).rowCounts).toEqual({});
    expect((await refusal(platform.databaseFacts(spec))).code).toBe('platform_failed');
  });
});
