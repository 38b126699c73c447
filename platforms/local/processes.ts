// Which processes belong to an instance, what they use, and ending all of them.

import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { AppError } from '../../contracts/errors.ts';
import { confineArguments } from '../confined.ts';
import { runCommand } from '../run-command.ts';
import { pathsOf } from './files.ts';
import type { Ground } from './ground.ts';

export type RunningProcess = {
  readonly pid: number;
  readonly userIds: readonly number[];
  readonly group: number;
  readonly memoryBytes: number;
  /** Processor time, seconds. */ readonly cpuSeconds: number;
};

/** All live processes of the machine (proc(5)); one pass for all instances. */
export async function scanProcesses(): Promise<RunningProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  return pids.map(readProcess).filter((running) => running !== null);
}

/** Not by promises: the kernel answers from memory at once, and a detour over threads costs several times the reading. */
function readProcess(pid: number): RunningProcess | null {
  try {
    const [status, stat] = [readFileSync(`/proc/${pid}/status`, 'utf8'), readFileSync(`/proc/${pid}/stat`, 'utf8')];
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    const userIds = (/^Uid:\s+(.+)$/m.exec(status)?.[1] ?? '').split(/\s+/).map(Number);
    // Fields 14 and 15 of stat, in ticks: Linux has told every program 100 a second for twenty years (proc(5), USER_HZ).
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / 100;
    return { pid, userIds, group: Number(fields[2]), cpuSeconds, memoryBytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024 };
  } catch {
    return null; // ended while we looked
  }
}

/** Those of one instance: by its user id, or by the process group under `keeperPid` where users are not separated. */
export function processesOf(all: readonly RunningProcess[], owner: { userId: number | null; keeperPid: number | null }): RunningProcess[] {
  return all.filter(({ userIds, group }) => (owner.userId === null ? group === owner.keeperPid : userIds.includes(owner.userId)));
}

/** Ends whatever still runs of an instance, whoever started it. @throws platform_failed when something survives */
export async function endProcesses(ground: Ground, instanceId: string, osUserId: number | null): Promise<void> {
  const paths = pathsOf(ground, instanceId);
  const userId = ground.separatesUsers ? osUserId : null;
  // Without a user id of its own an instance is known by the group recorded in its folder alone.
  if (userId === null && !existsSync(paths.root)) return;
  const how = userId === null ? ['--kill-others', '--pid-file', paths.pidFile] : ['--kill-others'];
  const confinement = { userId, limits: {}, group: `end-${instanceId}`, home: '/nonexistent', cwd: '/' };
  const result = await runCommand({
    file: ground.systemPython,
    args: [...confineArguments(ground, confinement, how), '/bin/true'],
    env: { PATH: '/usr/bin:/bin' },
    timeoutMs: 15_000,
  });
  if (result.exitCode !== 0) throw new AppError('platform_failed', { reason: `processes could not be ended: ${result.stderr.trim()}` });
}
