// Building the pages, only when something that goes into them changed.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { StartProblem } from './problem.ts';
import { run } from './run.ts';

const sources = ['web', 'contracts', 'vite.config.ts', 'package-lock.json'];

/**
 * Runs `vite build` unless dist/ was built from exactly these sources. Returns whether it was built.
 * @param root the project's folder
 */
export async function buildWeb(root: string, log: (text: string) => void): Promise<boolean> {
  const note = path.join(root, 'dist', '.hash');
  const wanted = hashOf(root, sources);
  if (existsSync(note) && readFileSync(note, 'utf8') === wanted) return false;
  const vite = path.join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const { exitCode, output } = await run({
    file: process.execPath,
    args: [vite, 'build'],
    cwd: root,
    env: { NODE_ENV: 'production' },
    timeoutMs: 10 * 60_000,
    onOutput: log,
  });
  if (exitCode !== 0)
    throw new StartProblem(
      `The pages could not be built: ${output.trim().split('\n').slice(-5).join('\n')}`,
      'Is this a clean checkout? Compare with “git status”.',
    );
  writeFileSync(note, wanted);
  return true;
}

/** Over names and contents of these files and folders of the project. */
export function hashOf(root: string, names: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of names.flatMap((name) => filesIn(root, name))) hash.update(`${file}\0`).update(readFileSync(path.join(root, file)));
  return hash.digest('hex');
}

/** The files in a folder (or the file itself), named from the project's folder; without what Python leaves behind. */
export function filesIn(root: string, name: string): string[] {
  const at = path.join(root, name);
  if (!statSync(at, { throwIfNoEntry: false })?.isDirectory()) return existsSync(at) ? [name] : [];
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('__pycache__'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .toSorted();
}
