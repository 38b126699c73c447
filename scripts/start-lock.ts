// One start at a time: a lock file that names a process, taken over when that process is gone.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { identify, isAlive, readPid, type ProcessIdentity } from './process-identity.ts';

/** A lock that is held until `release` or the end of this process. */
export type Lock = { release(): void };

/** Takes the lock, or says who holds it. */
export function takeLock(file: string): Lock | { readonly holder: ProcessIdentity } {
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(identify(process.pid)));
  try {
    for (;;) {
      // Unlike a rename, a link fails when somebody was faster.
      if (attempt(() => linkSync(draft, file))) return { release: () => rmSync(file, { force: true }) };
      const holder = readPid(file);
      if (holder !== null) return { holder };
      putAside(file, `${file}.stale.${process.pid}`);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Removes a stale lock. Between our look and the renaming another start may have put its own there: that goes back. */
function putAside(file: string, aside: string): void {
  if (!attempt(() => renameSync(file, aside))) return;
  const moved = attemptRead(aside);
  if (moved !== null && isAlive(moved)) attempt(() => linkSync(aside, file));
  rmSync(aside, { force: true });
}

function attempt(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

function attemptRead(file: string): ProcessIdentity | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity | null;
  } catch {
    return null;
  }
}
