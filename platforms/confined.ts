// Running what others wrote: as a user of its own, within limits, through the launcher's `confine.py`.

import { readdir, readFile, rmdir } from 'node:fs/promises';
import path from 'node:path';
import type { Layout } from './layout.ts';
import { makeDirectory, replaceFile } from './owned-files.ts';
import { type Command, type CommandResult, runCommand } from './run-command.ts';
import type { Secret } from './secret.ts';

/** What inspecting and building a project needs of this machine. */
export type BuildGround = {
  readonly layout: Layout;
  /** Absolute path of the system's Python; instances get this version unless their project asks for another that is there. */
  readonly systemPython: string;
  /** Where further Pythons are looked for, as `pythonX.Y`; `/usr/local/bin` and `/usr/bin` when left out. */
  readonly pythonDirs?: readonly string[];
  readonly uvBinary: string;
  /** Whether foreign code runs under user ids of its own (only as root). */
  readonly separatesUsers: boolean;
  /** Owns the shared package cache and all environments. */
  readonly buildUserId: number;
  readonly packageIndex: {
    readonly indexUrl?: Secret;
    readonly extraIndexUrl?: Secret;
    readonly findLinks?: string;
    /** Further certificate authorities (PEM), as behind an inspecting proxy. */
    readonly caFile?: string;
    readonly proxyUrl?: Secret;
  };
};

const LAUNCHER_SOURCE = path.join(import.meta.dirname, '..', 'launcher');
const CGROUP_ROOT = '/sys/fs/cgroup';

/** How much one confined run may use; what is left out is not limited. */
export type Limits = {
  readonly memoryMib?: number;
  readonly processes?: number;
  readonly fileMib?: number;
  readonly openFiles?: number;
  readonly cpuSeconds?: number;
};

export type Confinement = {
  /** Who runs it; ignored where users are not separated. */
  readonly userId: number | null;
  readonly limits: Limits;
  /** Name of its control group, below `arboretum/`. */
  readonly group: string;
  readonly home: string;
  readonly cwd: string;
};

export type ConfinedRun = Pick<Command, 'input' | 'timeoutMs' | 'signal' | 'onOutput'> & {
  readonly confinement: Confinement;
  readonly command: readonly string[];
  /** Handed over by name: no value stands in argv. */
  readonly env?: Readonly<Record<string, string>>;
};

/** Folder of the launcher's copy: the checkout may lie where instances cannot read it. */
export const launcherDir = (ground: BuildGround): string => path.join(ground.layout.toolsDir, 'launcher');
export const startScript = (ground: BuildGround): string => path.join(launcherDir(ground), 'start.py');

/** The command line of `launcher/confine.py` (see there) up to the command's own argv. */
export function confineArguments(ground: BuildGround, confinement: Confinement, extra: readonly string[] = []): string[] {
  const { limits } = confinement;
  const option = (name: string, value: string | number | null | undefined): string[] => (value === undefined || value === null ? [] : [name, String(value)]);
  const userId = ground.separatesUsers ? confinement.userId : null;
  return [
    '-I',
    path.join(launcherDir(ground), 'confine.py'),
    ...option('--uid', userId),
    ...option('--gid', userId),
    ...option('--cgroup', `arboretum/${confinement.group}`),
    ...option('--memory-mib', limits.memoryMib),
    ...option('--processes', limits.processes),
    ...option('--file-mib', limits.fileMib),
    ...option('--open-files', limits.openFiles),
    ...option('--cpu-seconds', limits.cpuSeconds),
    ...option('--home', confinement.home),
    ...option('--cwd', confinement.cwd),
    ...extra,
    '--',
  ];
}

/** Runs a command confined, to its end. The launcher's own remarks about limits are not passed on as output. */
export async function runConfined(ground: BuildGround, run: ConfinedRun): Promise<CommandResult> {
  const env = run.env ?? {};
  const names = Object.keys(env).flatMap((name) => ['--env', name]);
  const { onOutput } = run;
  return await runCommand({
    file: ground.systemPython,
    args: [...confineArguments(ground, run.confinement, names), ...run.command],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', ...env },
    timeoutMs: run.timeoutMs,
    signal: run.signal,
    ...(run.input === undefined ? {} : { input: run.input }),
    ...(onOutput === undefined ? {} : { onOutput: (text: string) => onOutput(withoutRemarks(text)) }),
  });
}

/** The launcher says on stderr how it limits; that is for administrators. */
export const withoutRemarks = (text: string): string => text.replace(/^confine: limits by .*\n?/gm, '');

/** Copies the launcher to where everybody may read it. Safe to repeat. */
export async function placeLauncher(ground: BuildGround): Promise<void> {
  await makeDirectory(ground, ground.layout.toolsDir, { mode: 0o755 });
  await makeDirectory(ground, launcherDir(ground), { mode: 0o755 });
  const names = (await readdir(LAUNCHER_SOURCE)).filter((name) => name.endsWith('.py') && !name.startsWith('test'));
  for (const name of names) {
    const [wanted, there] = await Promise.all([
      readFile(path.join(LAUNCHER_SOURCE, name), 'utf8'),
      readFile(path.join(launcherDir(ground), name), 'utf8').catch(() => null),
    ]);
    if (wanted !== there) await replaceFile(path.join(launcherDir(ground), name), wanted, { mode: 0o644 });
  }
}

/** Ends what runs in a control group and removes the group; without one, or without the right to, nothing happens. */
export async function endControlGroup(name: string): Promise<void> {
  const mounts = ['', ...(await readdir(CGROUP_ROOT).catch(() => []))].map((mount) => path.join(CGROUP_ROOT, mount, 'arboretum', name));
  for (const folder of new Set(mounts)) {
    const pids = await readFile(path.join(folder, 'cgroup.procs'), 'utf8').catch(() => null);
    if (pids === null) continue;
    for (const pid of pids.split('\n').filter(Boolean)) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // ended meanwhile, or not ours
      }
    }
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const isGone = await rmdir(folder).then(
        () => true,
        (error: NodeJS.ErrnoException) => error.code !== 'EBUSY',
      );
      if (isGone) break;
      await new Promise((resolve) => setTimeout(resolve, 25)); // the kernel takes a moment to bury them
    }
  }
}
