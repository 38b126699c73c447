// A second host for the tests: an engine in a network of its own, joined to the first one's Swarm by a cable, and an image registry between them.

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { findProgram } from '../scripts/binaries.ts';
import { endNoted, notePid } from '../scripts/process-identity.ts';
import { run, runOrThrow } from '../scripts/run.ts';
import { endEngine, folderFor, launchEngine, PATH, PRIVATE, type TestEngine, withOwnRoot } from './docker-engine.ts';
import { ensurePrograms } from './programs.ts';

const CABLE = ['arb-host-1', 'arb-host-2'] as const;
export const SECOND_NAME = 'second-host';
/** Who may use the registry when it is locked; the hash is bcrypt’s of the password. */
export const REGISTRY_ACCOUNT = { user: 'panel', password: 'a pass: word/ß?', hash: '$2b$05$abcdefghijklmnopqrstuuMihlUbbyqeoBRVJCMHPqxbd8FhgkMh.' } as const;
const START_MS = 60_000;

export type SecondHost = {
  readonly docker: Docker;
  /** As if its power had failed: no cable, no engine, none of its containers. */
  readonly lose: () => Promise<void>;
  /** Its power and its cable are back. */
  readonly revive: () => Promise<void>;
  /** Only the cable is pulled: what runs there goes on running. */
  readonly cut: (isCut: boolean) => Promise<void>;
  /** Names of the images in the registry, `REPOSITORY:TAG`. */
  readonly images: () => Promise<readonly string[]>;
  readonly emptyRegistry: () => void;
  readonly stop: () => Promise<void>;
};

const ip = async (...args: string[]): Promise<string> =>
  await runOrThrow({ file: findProgram('ip') ?? '/sbin/ip', args, timeoutMs: 10_000 }, `ip ${args.join(' ')}`);

/** Starts the registry, which asks for a password when it is locked, and the second engine; `joinSwarm` makes one Swarm of both. */
export async function startSecondHost({ isLocked = false } = {}): Promise<SecondHost> {
  await ensurePrograms(['docker-registry', 'ip', 'nsenter'], ['docker-registry', 'iproute2', 'util-linux']);
  const folder = folderFor('-second');
  mkdirSync(folder, { mode: 0o711 });
  const stop = async (): Promise<void> => {
    await endEngine(folder);
    await run({ file: findProgram('ip') ?? '/sbin/ip', args: ['link', 'delete', CABLE[0]] });
  };
  try {
    const enter = await makeHost(folder);
    await startRegistry(folder, isLocked);
    const engine = await launchEngine(folder, enter);
    const cut = async (isCut: boolean): Promise<void> => void (await ip('link', 'set', CABLE[0], isCut ? 'down' : 'up'));
    const revive = async (): Promise<void> => {
      await cut(false);
      await engine.revive();
    };
    const emptyRegistry = (): void => rmSync(path.join(folder, 'registry'), { recursive: true, force: true });
    return { docker: engine.docker, cut, stop, lose: async () => await lose(engine, folder, cut), revive, images, emptyRegistry };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Joins the second engine to the first one's Swarm. @returns the ids of both nodes */
export async function joinSwarm(first: Docker, second: Docker): Promise<{ first: string; second: string }> {
  const { JoinTokens } = (await first.swarmInspect()) as { JoinTokens: { Worker: string } };
  await second.swarmJoin({
    AdvertiseAddr: PRIVATE.second,
    ListenAddr: `${PRIVATE.second}:2377`,
    DataPathAddr: PRIVATE.second,
    RemoteAddrs: [`${PRIVATE.first}:2377`],
    JoinToken: JoinTokens.Worker,
  });
  const idOf = async (docker: Docker): Promise<string> => ((await docker.info()) as { Swarm: { NodeID: string } }).Swarm.NodeID;
  return { first: await idOf(first), second: await idOf(second) };
}

/** A process whose network, mounts and host name are the second host's. A bridge would be filtered by the engine's own rules; a cable is not. */
async function makeHost(folder: string): Promise<string[]> {
  const place = (name: string): string => path.join(folder, name);
  await run({ file: findProgram('ip') ?? '/sbin/ip', args: ['link', 'delete', CABLE[0]] });
  mkdirSync(place('run'));
  mkdirSync(place('cgroup'));
  writeFileSync(place('resolv.conf'), 'nameserver 127.0.0.1\n');
  const script = [
    'set -e',
    `hostname ${SECOND_NAME}`,
    // The engine asks /sys about the network, which must be this one's; the control groups are the machine's.
    `mount --rbind /sys/fs/cgroup ${place('cgroup')}`,
    'mount -t sysfs sysfs /sys',
    `mount --rbind ${place('cgroup')} /sys/fs/cgroup`,
    `mkdir -p /run/docker && mount --bind ${place('run')} /run/docker`,
    // Many machines name themselves as their name server; the one here knows every name.
    'ip link set lo up',
    `mount --bind ${place('resolv.conf')} /etc/resolv.conf`,
    `exec python3 ${path.join(import.meta.dirname, 'name-server.py')}`,
  ].join('\n');
  const host = spawn(findProgram('unshare') ?? '/usr/bin/unshare', ['--net', '--mount', '--uts', ...withOwnRoot, '/bin/sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    env: PATH,
  });
  notePid(place('host.noted'), host.pid ?? 0);
  await new Promise<void>((resolve, reject) => {
    host.stdout.once('data', () => resolve());
    host.once('exit', () => reject(new Error('the second host cannot be made here')));
  });
  host.stdout.destroy();
  const enter = ['nsenter', '--target', String(host.pid), '--net', '--mount', '--uts', '--'];
  const inside = async (...args: string[]): Promise<string> =>
    await runOrThrow(
      { file: findProgram('nsenter') ?? '/usr/bin/nsenter', args: [...enter.slice(1), findProgram('ip') ?? '/sbin/ip', ...args], timeoutMs: 10_000 },
      `ip ${args.join(' ')}`,
    );
  await ip('link', 'add', CABLE[0], 'type', 'veth', 'peer', 'name', CABLE[1], 'netns', String(host.pid));
  await ip('addr', 'add', `${PRIVATE.first}/24`, 'dev', CABLE[0]);
  await ip('link', 'set', CABLE[0], 'up');
  await inside('addr', 'add', `${PRIVATE.second}/24`, 'dev', CABLE[1]);
  await inside('link', 'set', CABLE[1], 'up');
  await inside('route', 'add', 'default', 'via', PRIVATE.first);
  return enter;
}

/** Debian's `docker-registry`, on the first host's private address. */
async function startRegistry(folder: string, isLocked: boolean): Promise<void> {
  const place = (name: string): string => path.join(folder, name);
  const config = [
    'version: 0.1',
    'log: {level: warn}',
    'storage:',
    `  filesystem: {rootdirectory: ${place('registry')}}`,
    `http: {addr: '${PRIVATE.registry}'}`,
    ...(isLocked ? [`auth: {htpasswd: {realm: lab, path: ${place('htpasswd')}}}`] : []),
  ];
  writeFileSync(place('htpasswd'), `${REGISTRY_ACCOUNT.user}:${REGISTRY_ACCOUNT.hash}\n`);
  writeFileSync(place('registry.yml'), `${config.join('\n')}\n`);
  const log = openSync(place('registry.log'), 'a');
  const child = spawn(findProgram('docker-registry') ?? '/usr/bin/docker-registry', ['serve', place('registry.yml')], {
    stdio: ['ignore', log, log],
    detached: true,
    env: PATH,
  });
  closeSync(log);
  notePid(place('registry.noted'), child.pid ?? 0);
  for (const deadline = Date.now() + START_MS; !(await answers(PRIVATE.registry)); await delay(50)) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`the registry does not start here:\n${readFileSync(place('registry.log'), 'utf8').slice(-1000)}`);
  }
}

/** By the registry's own interface (distribution 2.8 `/v2/_catalog`, `/v2/NAME/tags/list`). */
async function images(): Promise<string[]> {
  const headers = { authorization: `Basic ${Buffer.from(`${REGISTRY_ACCOUNT.user}:${REGISTRY_ACCOUNT.password}`).toString('base64')}` };
  const ask = async <T>(place: string): Promise<T> => (await (await fetch(`http://${PRIVATE.registry}/v2/${place}`, { headers })).json()) as T;
  const { repositories } = await ask<{ repositories: string[] }>('_catalog');
  const named = repositories.map(async (name) => ((await ask<{ tags?: string[] | null }>(`${name}/tags/list`)).tags ?? []).map((tag) => `${name}:${tag}`));
  return (await Promise.all(named)).flat();
}

const answers = async (address: string): Promise<boolean> =>
  await new Promise((resolve) => {
    const [host = '', port = ''] = address.split(':');
    const line = net.connect(Number(port), host);
    line.once('connect', () => resolve(true)).once('error', () => resolve(false));
    line.once('connect', () => line.destroy());
  });

async function lose(engine: Omit<TestEngine, 'stop'>, folder: string, cut: (isCut: boolean) => Promise<void>): Promise<void> {
  const containers = await engine.docker.listContainers();
  const pids = await Promise.all(containers.map(async ({ Id }) => (await engine.docker.getContainer(Id).inspect()).State.Pid));
  await cut(true);
  process.kill(engine.pid(), 'SIGKILL');
  await endNoted(path.join(folder, 'containerd.noted'), 0);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}
