// Bots on every platform: the package that they speak through, what their end means, and where their data go.

import { createWriteStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../contracts/errors.ts';
import { withoutRemarks } from './confined.ts';
import { diagnoseLauncher, lastWords } from './diagnose.ts';
import type { BotsRun } from './platform.ts';
import { lockedVersion } from './requirements.ts';
import type { CommandResult } from './run-command.ts';
import { cacheOf, prepareCache, publish, uv, type UvTask } from './uv.ts';

/** How long one config may be played, milliseconds. */
export const BOTS_LIMIT_MS = 10 * 60_000;
/** oTree 6.0 bots/bot.py imports it; its test client speaks through it. Few projects list it. */
export const BOTS_PACKAGE = 'requests';

/** What stands behind the launcher's command `bots` (see `launcher/start.py`). @param folder gets the CSV files where they are wanted */
export const botWords = (run: Pick<BotsRun, 'config' | 'participants' | 'exportTo'>, folder: string): string[] => [
  run.config,
  run.participants === null ? '' : String(run.participants),
  run.exportTo === null ? '' : folder,
];

/** What bots print, without the launcher's own remarks and with the project's files named from its folder on. */
export const botsOutput = (text: string): string =>
  withoutRemarks(text)
    .replace(/^ARBORETUM-PROBLEM .*\n?/gm, '')
    .replace(/\/[^\s"']*\/releases\/\d+\/(?:project\/)?|\/app\/project\//g, '');

/** Why they did not get through. */
export function explainBots(result: Pick<CommandResult, 'exitCode' | 'stdout' | 'stderr' | 'isTimedOut'>, config: string): AppError {
  const output = withoutRemarks(`${result.stdout}\n${result.stderr}`);
  if (result.isTimedOut) return new AppError('platform_timeout', { what: `Playing “${config}”`, seconds: BOTS_LIMIT_MS / 1000 });
  const app = /No module named '([A-Za-z_]\w*)\.tests'/.exec(output)?.[1];
  if (app !== undefined) return new AppError('bots_missing', { app });
  const failure = { exitCode: result.exitCode, output };
  const known = diagnoseLauncher(failure);
  if (known !== null && known.code !== 'otree_check') return known;
  return new AppError('bots_failed', { config, reason: known === null ? lastWords(failure) : String(known.details['message']) });
}

export type BotsTask = UvTask & Pick<BotsRun, 'onOutput'>;

/**
 * The folder that holds what bots need, for releases that have it not; made once for each version of Python.
 * @param wanted `name` tells such folders apart; `python` tells uv for which Python @throws platform_failed
 */
export async function ensureBotPackages(task: BotsTask, wanted: { readonly name: string; readonly python: readonly string[] }): Promise<string> {
  const { ground, spec, onOutput } = task;
  await prepareCache(ground);
  const place = cacheOf(ground, 'environments', `bots-${wanted.name}`);
  if ((await readdir(place).catch((): string[] => [])).includes(BOTS_PACKAGE)) return place;
  onOutput(`-----> Fetching the package ${BOTS_PACKAGE}, which bots need\n`);
  const part = `${place}.${spec.instanceId}`;
  const done = await uv(task, ['pip', 'install', '--quiet', '--only-binary', ':all:', ...wanted.python, '--target', part, BOTS_PACKAGE]);
  if (done.exitCode !== 0)
    throw new AppError('platform_failed', {
      reason: `bots need the Python package ${BOTS_PACKAGE}, which cannot be fetched. Add a line ${BOTS_PACKAGE} to requirements.txt.`,
    });
  await publish(task, { part, place });
  return place;
}

/**
 * The same for a release that runs in containers; null when it has them already. What of them is compiled it can do
 * without, so that one folder serves all images with that Python. @param release `python`: as `3.11` or `3.11.4`
 */
export async function botPackagesInContainer(task: BotsTask, release: { readonly lock: string; readonly python: string }): Promise<string | null> {
  if (lockedVersion(release.lock, BOTS_PACKAGE) !== null) return null;
  const python = release.python.split('.').slice(0, 2).join('.');
  return await ensureBotPackages(task, { name: `python${python}-containers`, python: ['--python', task.ground.systemPython, '--python-version', python] });
}

/** Writes packed data to a file that only the panel reads. */
export const keepBotsData = async (packed: Readable, file: string): Promise<void> => await pipeline(packed, createWriteStream(file, { mode: 0o600 }));
