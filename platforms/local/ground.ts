// What every part of the local platform stands on: its options, and running something confined.

import path from 'node:path';
import type { Layout } from '../layout.ts';
import type { InstanceDatabases, PostgresOptions } from '../postgres.ts';
import { type Command, type CommandResult, runCommand } from '../run-command.ts';
import type { Secret } from '../secret.ts';

export type LocalOptions = {
  readonly layout: Layout;
  /** Absolute path of the system's Python; instances get this version unless their project asks for another that is there. */
  readonly systemPython: string;
  /** Where further Pythons are looked for, as `pythonX.Y`; `/usr/local/bin` and `/usr/bin` when left out. */
  readonly pythonDirs?: readonly string[];
  readonly uvBinary: string;
  readonly postgres: PostgresOptions;
  /** Whether each instance runs under a user id of its own (only as root). */
  readonly separatesUsers: boolean;
  /** Owns the shared package cache and all environments. */
  readonly buildUserId: number;
  /** The front door connects to instance sockets as a member of this group; null: only the panel's own user. */
  readonly panelGroupId: number | null;
  readonly packageIndex: {
    readonly indexUrl?: Secret;
    readonly extraIndexUrl?: Secret;
    readonly findLinks?: string;
    /** Further certificate authorities (PEM), as behind an inspecting proxy. */
    readonly caFile?: string;
    readonly proxyUrl?: Secret;
  };
  readonly log: (message: string) => void;
};

export type Ground = LocalOptions & { readonly databases: InstanceDatabases };

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
export const launcherDir = (ground: Ground): string => path.join(ground.layout.toolsDir, 'launcher');
export const startScript = (ground: Ground): string => path.join(launcherDir(ground), 'start.py');

/** The command line of `launcher/confine.py` (see there) up to the command's own argv. */
export function confineArguments(ground: Ground, confinement: Confinement, extra: readonly string[] = []): string[] {
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
export async function runConfined(ground: Ground, run: ConfinedRun): Promise<CommandResult> {
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
