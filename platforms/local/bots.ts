// Playing a project's bots: in memory, in the release's own environment, as the instance's user, beside whatever runs.

import { spawn } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../contracts/errors.ts';
import { BOTS_LIMIT_MS, BOTS_PACKAGE, botsOutput, botWords, ensureBotPackages, explainBots, keepBotsData } from '../bots.ts';
import { type Confinement, endControlGroup, runConfined, startScript } from '../confined.ts';
import type { BotsRun, InstanceSpec } from '../platform.ts';
import { Secret } from '../secret.ts';
import { pathsOf, writeEnvironment } from './files.ts';
import type { Ground } from './ground.ts';

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
    const result = await runConfined(ground, {
      confinement: confinementOf(ground, spec, { projectDir, group }),
      command: [paths.python(run.releaseNumber), startScript(ground), file, 'bots', ...botWords(run, out)],
      env: { ...(packages === null ? {} : { ARBORETUM_BOT_PACKAGES: packages }), PYTHONUNBUFFERED: '1' },
      timeoutMs: BOTS_LIMIT_MS,
      signal: run.signal,
      onOutput: (text) => run.onOutput(botsOutput(text)),
    });
    if (result.exitCode !== 0) throw explainBots(result, run.config);
    if (run.exportTo !== null) await pack(out, run.exportTo);
  } finally {
    await endControlGroup(group);
    await rm(file, { force: true });
    await rm(out, { recursive: true, force: true });
  }
}

function confinementOf(ground: Ground, spec: InstanceSpec, run: { projectDir: string; group: string }): Confinement {
  const { memoryMib, processes, diskMib } = spec.limits;
  const limits = { memoryMib, processes, fileMib: diskMib, openFiles: 4096, cpuSeconds: BOTS_LIMIT_MS / 1000 };
  return { userId: spec.osUserId, limits, group: run.group, home: pathsOf(ground, spec.instanceId).home, cwd: run.projectDir };
}

/** null when the release has them already. */
async function botPackages(ground: Ground, spec: InstanceSpec, run: BotsRun): Promise<string | null> {
  const venv = path.join(pathsOf(ground, spec.instanceId).release(run.releaseNumber), 'venv');
  const [version = ''] = await readdir(path.join(venv, 'lib'));
  const own = await readdir(path.join(venv, 'lib', version, 'site-packages')).catch((): string[] => []);
  if (own.includes(BOTS_PACKAGE)) return null;
  const task = { ground, spec, signal: run.signal, onOutput: run.onOutput };
  return await ensureBotPackages(task, { name: version, python: ['--python', path.join(venv, 'bin', 'python')] });
}

/** Links that bots leave are packed as links: nothing outside the folder is read. */
async function pack(folder: string, file: string): Promise<void> {
  const tar = spawn('tar', ['-cz', '-C', folder, '.'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise<number | null>((resolve) => tar.once('close', resolve));
  await keepBotsData(tar.stdout, file);
  if ((await ended) !== 0) throw new AppError('platform_failed', { reason: 'what the bots did could not be packed.' });
}
