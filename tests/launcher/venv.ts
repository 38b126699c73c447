/** Virtual environments with a real oTree, made once per machine and shared by all test files. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type OtreeVersion = '6.0.15' | '5.11.5' | '5.10.4';

/** The system's Python: unlike one below /root, an instance's user can run it. */
export const systemPython = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

/**
 * The Python of an environment with this oTree, psycopg2 and requests (for `otree test`).
 * `ARBORETUM_TEST_VENV` replaces the one for 6.0.15.
 */
export function pythonWith(version: OtreeVersion): string {
  const given = process.env['ARBORETUM_TEST_VENV'];
  if (given && version === '6.0.15') return join(given, 'bin/python');
  return join(makeOnce(`otree-${version}`, [`otree==${version}`, 'psycopg2-binary', 'requests']), 'bin/python');
}

/** Built beside its place and renamed into it: files that run side by side never see half of one. */
function makeOnce(name: string, requirements: string[]): string {
  const cache = join(tmpdir(), 'arboretum-test-venvs');
  const place = join(cache, name);
  if (existsSync(place)) return place;
  mkdirSync(cache, { recursive: true, mode: 0o755 });
  const draft = join(cache, `${name}.${process.pid}`);
  run(systemPython, ['-m', 'venv', draft]);
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
