// Playing a project's bots: in memory, in the release's own environment, as the instance's user, beside whatever runs.

import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../contracts/errors.ts';
import { type Confinement, endControlGroup, runConfined, startScript, withoutRemarks } from '../confined.ts';
import { diagnoseLauncher, lastWords } from '../diagnose.ts';
import type { BotsRun, InstanceSpec } from '../platform.ts';
import type { CommandResult } from '../run-command.ts';
import { Secret } from '../secret.ts';
import { cacheOf, prepareCache, publish, uv } from '../uv.ts';
import { pathsOf, writeEnvironment } from './files.ts';
import type { Ground } from './ground.ts';

const LIMIT_MS = 10 * 60_000;
/** oTree 6.0 bots/bot.py imports it; its test client speaks through it. */
const PACKAGE = 'requests';

/** @see Platform.playBots */
export async function playBots(ground: Ground, spec: InstanceSpec, run: BotsRun): Promise<void> {
  const paths = pathsOf(ground, spec.instanceId);
  const [file, group, out] = [path.join(paths.root, 'bots.json'), `bots-${spec.instanceId}`, path.join(paths.home, 'bots')];
  const projectDir = paths.project(run.releaseNumber);
  try {
    await rm(out, { recursive: true, force: true });
    const packages = await botPackages(ground, spec, run);
    // No database, no socket: whoever reads this file can reach neither.
    await writeEnvironment(ground, spec, { file, databaseUrl: new Secret('none'), socket: path.join(paths.home, 'none'), projectDir });
    const words = [run.config, run.participants === null ? '' : String(run.participants), run.exportTo === null ? '' : out];
    const result = await runConfined(ground, {
      confinement: confinementOf(ground, spec, { projectDir, group }),
      command: [paths.python(run.releaseNumber), startScript(ground), file, 'bots', ...words],
      env: { ...(packages === null ? {} : { ARBORETUM_BOT_PACKAGES: packages }), PYTHONUNBUFFERED: '1' },
      timeoutMs: LIMIT_MS,
      signal: run.signal,
      onOutput: (text) => run.onOutput(forPeople(text)),
    });
    if (result.exitCode !== 0) throw explain(result, run.config);
    if (run.exportTo !== null) await pack(out, run.exportTo);
  } finally {
    await endControlGroup(group);
    await rm(file, { force: true });
    await rm(out, { recursive: true, force: true });
  }
}

function confinementOf(ground: Ground, spec: InstanceSpec, run: { projectDir: string; group: string }): Confinement {
  const { memoryMib, processes, diskMib } = spec.limits;
  const limits = { memoryMib, processes, fileMib: diskMib, openFiles: 4096, cpuSeconds: LIMIT_MS / 1000 };
  return { userId: spec.osUserId, limits, group: run.group, home: pathsOf(ground, spec.instanceId).home, cwd: run.projectDir };
}

const forPeople = (text: string): string =>
  withoutRemarks(text)
    .replace(/^ARBORETUM-PROBLEM .*\n?/gm, '')
    .replace(/\/[^\s"']*\/releases\/\d+\/(?:project\/)?/g, '');

function explain(result: CommandResult, config: string): AppError {
  const output = withoutRemarks(`${result.stdout}\n${result.stderr}`);
  if (result.isTimedOut) return new AppError('platform_timeout', { what: `Playing “${config}”`, seconds: LIMIT_MS / 1000 });
  const app = /No module named '([A-Za-z_]\w*)\.tests'/.exec(output)?.[1];
  if (app !== undefined) return new AppError('bots_missing', { app });
  const failure = { exitCode: result.exitCode, output };
  const known = diagnoseLauncher(failure);
  if (known !== null && known.code !== 'otree_check') return known;
  return new AppError('bots_failed', { config, reason: known === null ? lastWords(failure) : String(known.details['message']) });
}

/** The folder that holds what bots need, made once for each version of Python; null when the release has it already. */
async function botPackages(ground: Ground, spec: InstanceSpec, run: BotsRun): Promise<string | null> {
  const venv = path.join(pathsOf(ground, spec.instanceId).release(run.releaseNumber), 'venv');
  const [version = ''] = await readdir(path.join(venv, 'lib'));
  const own = await readdir(path.join(venv, 'lib', version, 'site-packages')).catch((): string[] => []);
  if (own.includes(PACKAGE)) return null;
  await prepareCache(ground);
  const place = cacheOf(ground, 'environments', `bots-${version}`);
  if ((await readdir(place).catch((): string[] => [])).includes(PACKAGE)) return place;
  run.onOutput(`-----> Fetching the package ${PACKAGE}, which bots need\n`);
  const part = `${place}.${spec.instanceId}`;
  const task = { ground, spec, signal: run.signal };
  const python = path.join(venv, 'bin', 'python');
  const done = await uv(task, ['pip', 'install', '--quiet', '--only-binary', ':all:', '--python', python, '--target', part, PACKAGE]);
  if (done.exitCode !== 0)
    throw new AppError('platform_failed', {
      reason: `bots need the Python package ${PACKAGE}, which cannot be fetched. Add a line ${PACKAGE} to requirements.txt.`,
    });
  await publish(task, { part, place });
  return place;
}

/** Links that bots leave are packed as links: nothing outside the folder is read. */
async function pack(folder: string, file: string): Promise<void> {
  const tar = spawn('tar', ['-cz', '-C', folder, '.'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise<number | null>((resolve) => tar.once('close', resolve));
  await pipeline(tar.stdout, createWriteStream(file, { mode: 0o600 }));
  if ((await ended) !== 0) throw new AppError('platform_failed', { reason: 'what the bots did could not be packed.' });
}
