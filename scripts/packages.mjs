// What start, test and check do before any package is there: look at Node, install what the lock file names. No dependencies.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Null when this Node can run the panel, otherwise what to do, in two lines. */
export function nodeProblem(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return null;
  return `Arboretum needs Node 20.19 or later; this is ${version}.\n  → On Debian and Ubuntu, “sudo bash scripts/install.sh” installs it; elsewhere see https://nodejs.org/en/download`;
}

/**
 * Installs the npm packages unless the ones of this lock file are there already. An interrupted installation is begun again,
 * because the note is written last. Resolves with whether something was installed.
 * @param onOutput receives npm's output
 */
export async function installPackages(onOutput) {
  const note = path.join(root, 'node_modules', '.arboretum-lock');
  // A native package is compiled for one Node: another major version installs anew.
  const wanted = createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .update(process.versions.modules)
    .digest('hex');
  if (existsSync(note) && readFileSync(note, 'utf8') === wanted) return false;
  const { code, output } = await runProgram({ file: 'npm', args: ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], onOutput });
  if (code !== 0) throw new Error(npmProblem(output));
  writeFileSync(note, wanted);
  return true;
}

function npmProblem(output) {
  const reasons = output
    .split('\n')
    .filter((line) => line.startsWith('npm error'))
    .slice(0, 6);
  const hint = output.includes('EUSAGE')
    ? 'package.json and package-lock.json do not fit together: take both from the same commit.'
    : 'Check the network (npm’s registry, a proxy), then run the same command again.';
  return ['npm could not install the packages.', ...reasons, `  → ${hint}`].join('\n');
}

/** Runs a program in the project's folder to its end. */
export function runProgram({ file, args, env = {}, onOutput = () => undefined }) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output.push(text);
        onOutput(text);
      });
    }
    child.once('error', (error) => reject(error.code === 'ENOENT' ? new Error(`${file} is not installed.`) : error));
    child.once('close', (code) => resolve({ code, output: output.join('') }));
  });
}

/** Hands over to another program: signals are passed on, its end is ours. */
export function becomeProgram(file, args, env = {}) {
  // A group of its own, so that the terminal's Ctrl-C arrives once: from us. Its input stays the terminal's.
  const child = spawn(file, args, { cwd: process.cwd(), env: { ...process.env, ...env }, stdio: 'inherit', detached: true });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signalNumbers[signal] ?? 0)));
  });
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 };

/** Seconds since `start` (milliseconds), as people read them. */
export const secondsSince = (start) => {
  const seconds = (Date.now() - start) / 1000;
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
};
