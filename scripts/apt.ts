// Installing packages on Debian and Ubuntu so that none of them starts anything by itself, now or after a reboot.

import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { StartProblem } from './problem.ts';
import type { Progress } from './progress.ts';
import { run, type RunResult } from './run.ts';

const policy = '/usr/sbin/policy-rc.d';
const keptPolicy = '/usr/sbin/policy-rc.d.kept-by-arboretum';
const clusterDir = '/etc/postgresql-common/createcluster.d';
const clusterFile = `${clusterDir}/arboretum.conf`;
/** Marks a policy of ours that an interrupted run left behind. */
const mark = '# Written by Arboretum while it installs packages';
const lockWaitMs = 10 * 60_000;
/** Services that these packages bring; disabled again when the package was not there before. */
const servicesOf: Readonly<Record<string, readonly string[]>> = {
  postgresql: ['postgresql'],
  'redis-server': ['redis-server'],
  nginx: ['nginx'],
  haproxy: ['haproxy'],
};

/** How commands get root's rights: as we are, or through `sudo -n`; null when neither. */
export type Rights = { readonly prefix: readonly string[] } | null;

/** Whether packages may be installed here by apt. */
export async function findRights(): Promise<Rights> {
  if (!existsSync('/usr/bin/apt-get')) return null;
  if (process.getuid?.() === 0) return { prefix: [] };
  return (await run({ file: 'sudo', args: ['-n', 'true'] })).exitCode === 0 ? { prefix: ['sudo', '-n'] } : null;
}

/** @throws StartProblem when apt fails */
export async function installByApt(
  rights: NonNullable<Rights>,
  packages: readonly string[],
  progress: Pick<Progress, 'log'> & { note(text: string): void },
): Promise<void> {
  const asRoot = rootRunner(rights, progress);
  const isNew = await Promise.all(packages.map(async (name) => !(await isInstalled(name))));
  await keepServicesOff(asRoot);
  try {
    await aptGet(asRoot, ['update'], progress);
    await aptGet(asRoot, ['install', '-y', '--no-install-recommends', ...packages], progress);
    for (const service of packages.flatMap((name, index) => (isNew[index] ? (servicesOf[name] ?? []) : []))) {
      // The package enables its service for the next boot; ours run under DATA_DIR instead.
      await asRoot('update-rc.d', [service, 'disable']);
    }
  } finally {
    await restorePolicy(asRoot);
  }
}

type AsRoot = (file: string, args: readonly string[], input?: string) => Promise<RunResult>;

function rootRunner(rights: NonNullable<Rights>, { log }: Pick<Progress, 'log'>): AsRoot {
  return (file, args, input = '') => {
    // sudo may drop the environment: what apt must know goes through env(1).
    const [first = 'env', ...rest] = [...rights.prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C.UTF-8', file, ...args];
    return run({ file: first, args: rest, input, timeoutMs: 30 * 60_000, onOutput: log });
  };
}

async function isInstalled(name: string): Promise<boolean> {
  const { exitCode, output } = await run({ file: 'dpkg-query', args: ['-W', '-f', '${Status}', name] });
  return exitCode === 0 && output.includes('install ok installed');
}

/** No init script may start anything, and PostgreSQL's package makes no cluster of its own. */
async function keepServicesOff(asRoot: AsRoot): Promise<void> {
  const isOurs = existsSync(policy) && readFileSync(policy, 'utf8').includes(mark);
  if (existsSync(policy) && !isOurs) await asRoot('mv', [policy, keptPolicy]);
  await asRoot('tee', [policy], `#!/bin/sh\n${mark}; it is taken away again.\nexit 101\n`);
  await asRoot('chmod', ['755', policy]);
  await asRoot('mkdir', ['-p', clusterDir]);
  await asRoot('tee', [clusterFile], '# Arboretum keeps its own PostgreSQL under DATA_DIR.\ncreate_main_cluster = false\n');
}

async function restorePolicy(asRoot: AsRoot): Promise<void> {
  await asRoot('rm', ['-f', policy, clusterFile]);
  if (existsSync(keptPolicy)) await asRoot('mv', [keptPolicy, policy]);
}

async function aptGet(asRoot: AsRoot, args: readonly string[], progress: { note(text: string): void }): Promise<void> {
  const deadline = Date.now() + lockWaitMs;
  for (let hasSaidSo = false; ; hasSaidSo = true) {
    const { exitCode, output } = await asRoot('apt-get', args);
    if (exitCode === 0) return;
    // An update of the lists that failed in part is no reason to stop: the packages may be known already.
    if (args[0] === 'update' && !isLocked(output)) return;
    if (!isLocked(output) || Date.now() > deadline) {
      throw new StartProblem(`apt-get ${args[0]} failed: ${lastError(output)}`, `Run it by hand and see what it says: sudo apt-get ${args.join(' ')}`);
    }
    if (!hasSaidSo) progress.note('another program is installing packages just now; waiting for it (10 minutes at most)');
    await delay(3000);
  }
}

const isLocked = (output: string): boolean => /Could not get lock|Unable to (lock|acquire)/.test(output);
const lastError = (output: string): string => output.split('\n').findLast((line) => line.startsWith('E:')) ?? output.trim().split('\n').at(-1) ?? 'no output';
