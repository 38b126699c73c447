/** Virtual environments with a real oTree, made once per machine and shared by all test files. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

export type OtreeVersion = '6.0.15' | '5.11.5' | '5.10.4' | '5.9.6' | '5.4.0';
/** 5.9's setup.py refuses Python 3.11 and later, and websockets of 5.4 take no connection with 3.10. */
const older: readonly OtreeVersion[] = ['5.9.6', '5.4.0'];

const cache = join(tmpdir(), 'arboretum-test-venvs');

/** The system's Python: unlike one below /root, an instance's user can run it. */
export const systemPython = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

/**
 * The Python of an environment with this oTree, psycopg2 and requests (for `otree test`).
 * `ARBORETUM_TEST_VENV` replaces the one for 6.0.15.
 */
export function pythonWith(version: OtreeVersion): string {
  const given = process.env['ARBORETUM_TEST_VENV'];
  if (given && version === '6.0.15') return join(given, 'bin/python');
  const python = older.includes(version) ? (findOlderPython() ?? 'python3.9') : systemPython;
  return join(makeOnce(`otree-${version}`, [`otree==${version}`, 'psycopg2-binary', 'requests'], python), 'bin/python');
}

/** Python 3.8 or 3.9: one on the PATH, or one of pyenv's. */
function findOlderPython(): string | undefined {
  const pyenv = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  const kept = existsSync(pyenv) ? readdirSync(pyenv).map((name) => join(pyenv, name, 'bin/python')) : [];
  const isOlder = 'import sys, venv; sys.exit(not (3, 8) <= sys.version_info < (3, 10))';
  return ['python3.9', 'python3.8', ...kept].find((file) => spawnSync(file, ['-c', isOlder], { stdio: 'ignore' }).status === 0);
}

/** The oldest versions that this machine can run: no distribution that is current has their Python any more, so they are tried where somebody has it. */
export function olderVersions(): readonly OtreeVersion[] {
  if (findOlderPython() !== undefined) return older;
  process.stderr.write(`\noTree ${older.join(' and ')} are LEFT OUT: they need Python 3.8 or 3.9, which is not on this machine\n`);
  return [];
}

/** Built beside its place and renamed into it: files that run side by side never see half of one. */
function makeOnce(name: string, requirements: string[], python: string): string {
  const place = join(cache, name);
  if (existsSync(place)) return place;
  mkdirSync(cache, { recursive: true, mode: 0o755 });
  const draft = join(cache, `${name}.${process.pid}`);
  run(python, ['-m', 'venv', draft]);
  run(join(draft, 'bin/python'), ['-m', 'pip', 'install', '--quiet', 'uv']);
  run(join(draft, 'bin/uv'), ['pip', 'install', '--quiet', '--python', join(draft, 'bin/python'), ...requirements]);
  try {
    renameSync(draft, place);
  } catch {
    rmSync(draft, { recursive: true, force: true });
  }
  return place;
}

function run(file: string, args: string[]): void {
  execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
