// Where the programs are that a start needs: PATH, the usual system folders, and Debian's folders of PostgreSQL.

import { accessSync, constants, readdirSync } from 'node:fs';
import path from 'node:path';
import { inheritedEnvironment } from './environment.ts';
import { run } from './run.ts';

/** What `npm start` looks for. `postgresBin` holds initdb, pg_ctl, postgres, psql, pg_dump. */
export type Programs = {
  readonly postgresBin: string | null;
  readonly redisServer: string | null;
  readonly nginx: string | null;
  readonly git: string | null;
  readonly python: string | null;
};

const usualFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/opt/homebrew/bin'];

/** Absolute path of a program, or null. */
export function findProgram(name: string): string | null {
  const folders = [...(inheritedEnvironment()['PATH'] ?? '').split(':').filter((folder) => folder.startsWith('/')), ...usualFolders];
  return folders.map((folder) => path.join(folder, name)).find(isProgram) ?? null;
}

/**
 * The folder of PostgreSQL's programs.
 * @param major the version that the data need; null: the newest
 * @param needs which programs must be in it
 */
export function findPostgres(major: number | null, needs: readonly string[]): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = list(debian)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((version) => major === null || version === major);
  const folders = versions.toSorted((a, b) => b - a).map((version) => path.join(debian, String(version), 'bin'));
  const onPath = findProgram(needs[0] ?? 'postgres');
  // Elsewhere (Fedora, macOS) the programs lie on the PATH; a wrong major shows itself when the data are looked at.
  const candidates = onPath === null ? folders : [...folders, path.dirname(onPath)];
  return candidates.find((folder) => needs.every((name) => isProgram(path.join(folder, name)))) ?? null;
}

/** The system's Python with venv and ensurepip: unlike one below a home folder, every user can run it. */
export async function findPython(): Promise<string | null> {
  const python = isProgram('/usr/bin/python3') ? '/usr/bin/python3' : findProgram('python3');
  if (python === null) return null;
  const { exitCode } = await run({ file: python, args: ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))'] });
  return exitCode === 0 ? python : null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
