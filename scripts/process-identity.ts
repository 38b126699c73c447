// A process told apart from a later one with the same number: pid and start time, kept in small files.

import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Pids are used again; together with its start time one names a process for good (until a reboot). */
export type ProcessIdentity = { readonly pid: number; readonly startedAt: string };

/** Null when there is no such process. */
export function identify(pid: number): ProcessIdentity | null {
  const startedAt = startOf(pid);
  return startedAt === null ? null : { pid, startedAt };
}

/** Whether exactly this process still lives. */
export const isAlive = (process_: ProcessIdentity): boolean => startOf(process_.pid) === process_.startedAt;

/** Notes a living process in a file, whole or not at all. */
export function notePid(file: string, pid: number): void {
  writeFileSync(`${file}.new`, JSON.stringify(identify(pid)));
  renameSync(`${file}.new`, file);
}

/** The living process that a file names, else null (a stale or broken file counts as none). */
export function readPid(file: string): ProcessIdentity | null {
  try {
    const noted = JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity | null;
    return noted !== null && isAlive(noted) ? noted : null;
  } catch {
    return null;
  }
}

/** Ends a noted process, waits until it is gone, removes the file. Returns whether there was one. */
export async function endNoted(file: string, graceMs = 10_000): Promise<boolean> {
  const noted = readPid(file);
  if (noted !== null) await endProcess(noted, graceMs);
  rmSync(file, { force: true });
  return noted !== null;
}

/** SIGTERM, then SIGKILL after the grace; returns when it is gone. */
export async function endProcess(process_: ProcessIdentity, graceMs: number): Promise<void> {
  signal(process_, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (isAlive(process_) && Date.now() < deadline) await delay(20);
  signal(process_, 'SIGKILL');
  while (isAlive(process_)) await delay(20);
}

function signal(process_: ProcessIdentity, name: NodeJS.Signals): void {
  try {
    if (isAlive(process_)) process.kill(process_.pid, name);
  } catch {
    // It went just now.
  }
}

function startOf(pid: number): string | null {
  if (process.platform !== 'linux') return startByPs(pid);
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything. After it: state (field 3) … start time in ticks since boot (field 22).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function startByPs(pid: number): string | null {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() || null;
  } catch {
    return null;
  }
}
