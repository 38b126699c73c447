// A Docker Engine of the tests' own: installed where it is missing, on folders and a socket of its own, with a base image made here.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { findProgram } from '../scripts/binaries.ts';
import { endNoted, notePid, readPid } from '../scripts/process-identity.ts';
import { runOrThrow } from '../scripts/run.ts';
import { cacheDir, ensurePrograms, lockMachine } from './programs.ts';

/** Python of Debian 12, which debootstrap makes the image with. */
export const BASE_IMAGE = 'arboretum-test-base:bookworm';

const prefix = 'arb-engine-';
/** Gives a command a root of its own, where this machine is a chroot. */
export const withOwnRoot = [findProgram('python3') ?? '/usr/bin/python3', path.join(import.meta.dirname, 'own-root.py')];
const needed = ['dockerd', 'containerd', 'iptables', 'debootstrap', 'tar'] as const;
const packages = ['docker.io', 'iptables', 'debootstrap'];
const START_MS = 180_000;
const GRACE_MS = 30_000;
/** Where the second host of `tests/second-host.ts` finds the first one, and the registry there. */
export const PRIVATE = { first: '10.77.213.1', second: '10.77.213.2', registry: '10.77.213.1:5000' } as const;
export const PATH = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };

/** An engine with the base image, in no Swarm yet. */
export type TestEngine = {
  readonly socket: string;
  readonly docker: Docker;
  /** Its process: kill it (and containerd with it, or not), then `revive`. */
  readonly pid: () => number;
  readonly revive: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/**
 * Starts an engine, one at a time on this machine. null, with a printed sentence, where none can run; in CI that is an error.
 * To be called at the top of a test file: its tests are then left out by name.
 */
export async function engineForTests(): Promise<TestEngine | null> {
  try {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) throw new Error('a Docker Engine of the tests’ own needs Linux and root');
    // Two engines would share bridges, rules and Swarm's ports.
    const unlock = await lockMachine('engine');
    try {
      await ensurePrograms(needed, packages);
      await clearOldEngines();
      return await startEngine(unlock);
    } catch (error) {
      unlock();
      throw error;
    }
  } catch (error) {
    if (process.env['CI']) throw error;
    process.stderr.write(`\nThe tests of the Swarm platform are LEFT OUT: ${error instanceof Error ? error.message : String(error)}\n`);
    return null;
  }
}

/** A run that was killed leaves its engine behind. */
async function clearOldEngines(): Promise<void> {
  for (const name of readdirSync('/var/tmp').filter((entry) => entry.startsWith(prefix))) {
    const folder = path.join('/var/tmp', name);
    await endEngine(folder);
  }
}

/** Ends what was noted in an engine's folder, and removes it. */
export async function endEngine(folder: string): Promise<void> {
  for (const name of ['dockerd.noted', 'containerd.noted', 'registry.noted', 'host.noted']) await endNoted(path.join(folder, name), GRACE_MS);
  await removeFolder(folder);
}

/** A service of its own, as on a real host: containers live through the death of dockerd. */
async function startContainerd(folder: string, enter: readonly string[]): Promise<void> {
  const place = (name: string): string => path.join(folder, name);
  const config = [
    'version = 2',
    `root = "${place('containerd')}"`,
    `state = "${place('c-state')}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
  ];
  writeFileSync(place('containerd.toml'), `${[...config, `address = "${place('c.sock')}"`].join('\n')}\n`);
  rmSync(place('c.sock'), { force: true });
  const log = openSync(place('containerd.log'), 'a');
  const [file, ...args] = [...enter, ...withOwnRoot, findProgram('containerd') ?? '/usr/bin/containerd', '--config', place('containerd.toml')];
  const child = spawn(file, args, {
    stdio: ['ignore', log, log],
    detached: true,
    env: PATH,
  });
  closeSync(log);
  notePid(place('containerd.noted'), child.pid ?? 0);
  for (const deadline = Date.now() + START_MS; !existsSync(place('c.sock')); await delay(50)) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`containerd does not start here:\n${readFileSync(place('containerd.log'), 'utf8').slice(-1000)}`);
  }
}

const OVERLAY = 0x79_4c_76_30;
const ENOUGH_ROOM = 16 * 1024 ** 3;

/** On an overlay the engine copies a whole image for each layer, some 10 GiB for those of the panel; where there is less room its data lie in memory, as layers. */
async function giveRoom(folder: string): Promise<void> {
  const { type, bavail, bsize } = statfsSync(folder);
  if (type !== OVERLAY || bavail * bsize > ENOUGH_ROOM) return;
  const data = path.join(folder, 'data');
  mkdirSync(data, { mode: 0o711 });
  await runOrThrow({ file: '/bin/mount', args: ['-t', 'tmpfs', '-o', 'size=8g,mode=711', 'arboretum-tests', data], timeoutMs: 10_000 }, 'mount');
}

async function startEngine(unlock: () => void): Promise<TestEngine> {
  const folder = folderFor('');
  mkdirSync(folder, { mode: 0o711 });
  const stop = async (): Promise<void> => {
    await endEngine(folder);
    unlock();
  };
  try {
    await giveRoom(folder);
    const engine = await launchEngine(folder, []);
    await importBase(engine.docker);
    return { ...engine, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Folder of an engine of this run; a later run clears it away. */
export const folderFor = (suffix: string): string => path.join('/var/tmp', `${prefix}${process.pid}${suffix}`);

/** Starts an engine on a folder. @param enter what leads a command to where the engine is to live */
export async function launchEngine(folder: string, enter: readonly string[]): Promise<Omit<TestEngine, 'stop'>> {
  const socket = path.join(folder, 'docker.sock');
  const docker = new Docker({ socketPath: socket });
  await startContainerd(folder, enter);
  let child = await launch(folder, docker, enter);
  return {
    socket,
    docker,
    pid: () => child.pid ?? 0,
    revive: async () => {
      if (readPid(path.join(folder, 'containerd.noted')) === null) await startContainerd(folder, enter);
      child = await launch(folder, docker, enter);
    },
  };
}

/** What leads into containerd's mount namespace, when that is another one: both must see the same mounts. */
function besideContainerd(folder: string): string[] {
  const namespaceOf = (pid: number | 'self'): string => `/proc/${pid}/ns/mnt`;
  const pid = readPid(path.join(folder, 'containerd.noted'))?.pid ?? 'self';
  const isSame = readlinkSync(namespaceOf(pid)) === readlinkSync(namespaceOf('self'));
  return isSame ? [] : [findProgram('nsenter') ?? '/usr/bin/nsenter', `--mount=${namespaceOf(pid)}`];
}

async function launch(folder: string, docker: Docker, enter: readonly string[]): Promise<ChildProcess> {
  const place = (name: string): string => path.join(folder, name);
  const log = openSync(place('log'), 'a');
  rmSync(place('pid'), { force: true });
  const options = ['--containerd', place('c.sock'), '--data-root', place('data'), '--exec-root', place('exec'), '--pidfile', place('pid')];
  const [file = '', ...args] = [...enter, ...besideContainerd(folder), findProgram('dockerd') ?? '/usr/sbin/dockerd', ...options];
  const child = spawn(file, [...args, '-H', `unix://${place('docker.sock')}`, '--insecure-registry', PRIVATE.registry], {
    stdio: ['ignore', log, log],
    detached: true,
    env: PATH,
  });
  closeSync(log);
  notePid(place('dockerd.noted'), child.pid ?? 0);
  for (const deadline = Date.now() + START_MS; ; await delay(100)) {
    if (await docker.ping().catch(() => null)) return child;
    if (child.exitCode === null && Date.now() < deadline) continue;
    const said = readFileSync(place('log'), 'utf8').split('\n').slice(-5).join('\n');
    await endNoted(place('dockerd.noted'), GRACE_MS);
    throw new Error(`dockerd does not start here:\n${said}`);
  }
}

/** Kept as a tar outside the repository, so that only the first run on a machine makes it. */
async function importBase(docker: Docker): Promise<void> {
  const tar = path.join(cacheDir, 'docker-base-bookworm.tar');
  if (!existsSync(tar)) {
    const draft = path.join(cacheDir, 'docker-base-draft');
    rmSync(draft, { recursive: true, force: true });
    const include = '--include=python3,python3-venv,ca-certificates,git';
    await runOrThrow({ file: '/usr/sbin/debootstrap', args: ['--variant=minbase', include, 'bookworm', draft], timeoutMs: 15 * 60_000 }, 'debootstrap');
    for (const useless of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale'])
      rmSync(path.join(draft, useless), { recursive: true, force: true });
    await runOrThrow({ file: '/bin/tar', args: ['-c', '-f', `${tar}.new`, '-C', draft, '.'], timeoutMs: 300_000 }, 'packing the base image');
    renameSync(`${tar}.new`, tar);
    rmSync(draft, { recursive: true, force: true });
  }
  const [repo = '', tag = ''] = BASE_IMAGE.split(':');
  const progress = await docker.importImage(tar, { repo, tag });
  await new Promise<void>((resolve, reject) => docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve())));
}

/** After a kill of the engine its shims and mounts are left. */
async function removeFolder(folder: string): Promise<void> {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      // Only what runs from this engine's own folder.
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${folder}/`)) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // ended meanwhile
    }
  }
  const mounts = (): string[] =>
    readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((place) => place.startsWith(`${folder}/`));
  for (const place of mounts().toReversed()) await runOrThrow({ file: '/bin/umount', args: ['-l', place], timeoutMs: 10_000 }, 'umount').catch(() => '');
  rmSync(folder, { recursive: true, force: true });
}
