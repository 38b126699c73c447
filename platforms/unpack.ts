// Getting a pushed project onto the disk: unpacked by the build id, and looked through.

import { lstat, readdir, realpath, rm } from 'node:fs/promises';
import type { Dirent } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream';
import { AppError } from '../contracts/errors.ts';
import { type BuildGround, runConfined } from './confined.ts';
import { makeDirectory } from './owned-files.ts';
import type { BuildRequest } from './release.ts';
import { nameProblem, TarGuard } from './tar-guard.ts';

export const PROJECT_LIMITS = { sizeMib: 500, entries: 50_000 } as const;
const LIMIT_MS = 120_000;

/** Left out wherever they are: made by the machine they come from, useless or harmful on this one. */
const LEFT_OUT = new Set(['__pycache__', '.git', '__MACOSX']);
const LEFT_OUT_ON_TOP = new Set(['db.sqlite3']);

/** Unpacks the project into `dir`, owned by the build id. @throws push_refused, project_too_large, platform_failed */
export async function unpackProject(ground: BuildGround, dir: string, request: BuildRequest): Promise<void> {
  await makeDirectory(ground, dir, { mode: 0o700, userId: ground.buildUserId });
  const guard = new TarGuard(PROJECT_LIMITS);
  const input = pipeline(request.openArchive(), guard, () => {}); // an error of either destroys the guard, which ends tar
  const result = await runConfined(ground, {
    confinement: {
      userId: ground.buildUserId,
      limits: { memoryMib: 512, fileMib: PROJECT_LIMITS.sizeMib, openFiles: 256, cpuSeconds: 120 },
      group: 'unpack',
      home: dir,
      cwd: dir,
    },
    command: ['/bin/tar', '-x', '-f', '-', '--no-same-owner', '--no-same-permissions', '--delay-directory-restore'],
    input,
    timeoutMs: LIMIT_MS,
    signal: request.signal,
  });
  if (result.exitCode !== 0) {
    throw new AppError('platform_failed', { reason: `the project could not be unpacked: ${result.stderr.trim().split('\n').at(-1) ?? ''}` });
  }
  const leftOut = await lookThrough(dir);
  for (const name of leftOut) request.onOutput(`       left out: ${name} (it is made anew where it is needed)\n`);
}

/** Second wall behind `TarGuard`: looks at what really lies there, and takes out what must not be deployed. */
async function lookThrough(dir: string): Promise<string[]> {
  const leftOut: string[] = [];
  const waiting = [''];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const entries = await readdir(path.join(dir, at), { withFileTypes: true });
    for (const entry of entries) {
      const name = path.join(at, entry.name);
      if (isLeftOut(at, entry.name) || (await isUseless(path.join(dir, name), entry))) {
        await rm(path.join(dir, name), { recursive: true, force: true });
        leftOut.push(entry.isDirectory() ? `${name}/` : name);
      } else if (entry.isDirectory()) waiting.push(name);
      else await checkPlain(dir, name, entry.isSymbolicLink());
    }
  }
  // Caches are many and nobody misses them.
  return leftOut.filter((name) => !name.endsWith('__pycache__/'));
}

const isLeftOut = (folder: string, name: string): boolean => LEFT_OUT.has(name) || (folder === '' && LEFT_OUT_ON_TOP.has(name));

/** A virtual environment of another machine, or a link to nothing. */
async function isUseless(full: string, entry: Dirent): Promise<boolean> {
  if (entry.isDirectory()) return (await lstat(path.join(full, 'pyvenv.cfg')).catch(() => null)) !== null;
  return entry.isSymbolicLink() && (await realpath(full).catch(() => null)) === null;
}

async function checkPlain(dir: string, name: string, isLink: boolean): Promise<void> {
  const full = path.join(dir, name);
  // Looked up, not read: by way of other links a link can lead further than its text says.
  const isInside = !isLink || `${await realpath(full)}/`.startsWith(`${await realpath(dir)}/`);
  const problem = isInside ? nameProblem(name) : `The link “${name}” leads out of the project.`;
  const info = await lstat(full);
  const reason = problem ?? (isLink || (info.isFile() && info.nlink === 1) ? null : `“${name}” is neither a file nor a folder.`);
  if (reason !== null) throw new AppError('push_refused', { reason, hint: 'Take it out of the commit, then push again.' });
}
