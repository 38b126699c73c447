// uv and supervisor, in a Python environment of the panel's own (from PyPI, pinned).

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { StartProblem } from './problem.ts';
import { run, runOrThrow } from './run.ts';

/** What builds are made with; the image for docker-compose.yml brings it along. */
export const uvRequirement = 'uv==0.13.8';
/** supervisor 4.3 reads its own version through pkg_resources, which setuptools left out from 82 on. */
const requirements = [uvRequirement, 'supervisor==4.3.0', 'setuptools==80.9.0'];

/**
 * Makes the environment unless the right one is there. Returns whether something was installed.
 * @throws StartProblem when PyPI cannot be reached
 */
export async function ensureTools(toolsDir: string, python: string, log: (text: string) => void): Promise<boolean> {
  const note = path.join(toolsDir, '.arboretum-tools');
  const version = (await runOrThrow({ file: python, args: ['--version'] }, 'asking Python for its version')).trim();
  const wanted = [python, version, ...requirements].join('\n');
  if (existsSync(note) && readFileSync(note, 'utf8') === wanted) return false;
  rmSync(note, { force: true });
  // Not cleared: other things of the platform lie in this folder, and a supervisord may be running from it.
  await runOrThrow({ file: python, args: ['-m', 'venv', toolsDir], timeoutMs: 120_000, onOutput: log }, 'python3 -m venv');
  const pip = path.join(toolsDir, 'bin', 'python');
  const result = await run({
    file: pip,
    args: ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', ...requirements],
    timeoutMs: 15 * 60_000,
    onOutput: log,
  });
  if (result.exitCode !== 0) {
    const reason = result.output.split('\n').findLast((line) => line.startsWith('ERROR')) ?? 'see the log';
    throw new StartProblem(
      `uv and supervisor could not be installed from PyPI: ${reason}`,
      'Check the network; behind a proxy set HTTPS_PROXY, with an own package index PIP_INDEX_URL, with an own certificate authority PIP_CERT.',
    );
  }
  writeFileSync(note, wanted);
  return true;
}
