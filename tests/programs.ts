// Programs that single tests need besides those of scripts/system-packages.ts: installed where they are missing, one test file at a time.

import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findRights, installByApt } from '../scripts/apt.ts';
import { findProgram } from '../scripts/binaries.ts';
import { identify, readPid } from '../scripts/process-identity.ts';

/** Outlives a run; readable for every user id that tests use. */
export const cacheDir = path.join('/var/tmp', `arboretum-tests-${process.getuid?.() ?? 0}`);

/** Waits until no living process on this machine has the lock of this name, and takes it. @returns what gives it back */
export async function lockMachine(name: string): Promise<() => void> {
  mkdirSync(cacheDir, { recursive: true, mode: 0o755 });
  const lock = path.join(cacheDir, `${name}.lock`);
  while (!takeLock(lock)) {
    if (readPid(lock) === null) clearLock(lock);
    else await delay(500);
  }
  return () => rmSync(lock, { force: true });
}

/** Takes its place with the name of this process already in it: whoever found it empty would hold it for one that was left behind. */
function takeLock(lock: string): boolean {
  const own = `${lock}.${process.pid}`;
  writeFileSync(own, JSON.stringify(identify(process.pid)));
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(own);
  }
}

/** Removes the lock of a process that is gone; one that somebody took meanwhile is put back. */
function clearLock(lock: string): void {
  const aside = `${lock}.${process.pid}.old`;
  try {
    renameSync(lock, aside);
    if (readPid(aside) !== null) linkSync(aside, lock);
  } catch {
    // Somebody else was faster.
  }
  rmSync(aside, { force: true });
}

const missingOf = (programs: readonly string[]): string[] => programs.filter((name) => findProgram(name) === null);

/** Installs Debian's packages where one of the programs is missing. @throws naming those that are missing and cannot be installed */
export async function ensurePrograms(programs: readonly string[], from: readonly string[]): Promise<void> {
  if (missingOf(programs).length === 0) return;
  // Two installations at once would each think that it keeps services from starting.
  const unlock = await lockMachine('install');
  try {
    const missing = missingOf(programs);
    if (missing.length === 0) return;
    const rights = await findRights();
    if (rights === null) throw new Error(`${missing.join(', ')} are missing (Debian: ${from.join(' ')})`);
    await installByApt(rights, from, { log: () => {}, note: () => {} });
    const left = missingOf(programs);
    if (left.length > 0) throw new Error(`${left.join(', ')} are still missing after installing ${from.join(' ')}`);
  } finally {
    unlock();
  }
}
