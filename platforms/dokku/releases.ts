// Built releases: the tree that the panel keeps of each, and getting its image onto the host.

import { createReadStream } from 'node:fs';
import { access, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../contracts/errors.ts';
import { type DokkuResult, gitFromArchive, psRebuild, psReport } from '../dokku-commands.ts';
import { explainFailure } from '../dokku-failures.ts';
import { readPsReport } from '../dokku-reports.ts';
import type { BuiltRelease } from '../release.ts';
import { ask, isUnknown, settle } from './asking.ts';
import { readSmallFile, keepFile } from '../kept-files.ts';
import { type Host, pathsOf } from './host.ts';
import { readVariables, RELEASE, setVariables } from './settings.ts';

const TREE = 'tree.tar';
const RECORD = 'release.json';

/** Files of a release: its tree, and what the build found out; with the second one it is finished. */
export const filesOf = (host: Host, instanceId: string, number: number): { dir: string; tree: string; record: string } => {
  const dir = pathsOf(host, instanceId).release(number);
  return { dir, tree: path.join(dir, TREE), record: path.join(dir, RECORD) };
};

/** What the build of a release found out; null when it was not built or has been removed. */
export async function readRelease(host: Host, instanceId: string, number: number): Promise<BuiltRelease | null> {
  const text = await readSmallFile(filesOf(host, instanceId, number).record);
  return text === null ? null : (JSON.parse(text) as BuiltRelease);
}

/** @throws platform_failed when it was not built, or has been removed */
export async function requireRelease(host: Host, instanceId: string, number: number): Promise<void> {
  await access(filesOf(host, instanceId, number).record).catch(() => {
    throw new AppError('platform_failed', { reason: `version ${number} was not built, or has been removed.` });
  });
}

/** Number of the selected release, or null before the first. */
export async function selectedRelease(host: Host, instanceId: string): Promise<number | null> {
  const text = await readSmallFile(pathsOf(host, instanceId).selected);
  return text === null ? null : Number(text);
}

/** Writes down which release the next start runs, atomically. */
export async function selectRelease(host: Host, instanceId: string, number: number): Promise<void> {
  await requireRelease(host, instanceId, number);
  await keepFile(pathsOf(host, instanceId).selected, String(number));
}

/** Removes the trees of releases except those named and the selected one. Images are the host's to clear away. */
export async function pruneReleases(host: Host, instanceId: string, keep: readonly number[]): Promise<void> {
  const { releases } = pathsOf(host, instanceId);
  const kept = new Set([...keep, await selectedRelease(host, instanceId)].map(String));
  const names = await readdir(releases).catch((): string[] => []);
  for (const name of names.filter((entry) => !kept.has(entry))) await rm(path.join(releases, name), { recursive: true, force: true });
}

export type Deploy = {
  readonly app: string;
  readonly instanceId: string;
  readonly release: number;
  readonly signal: AbortSignal;
  readonly onOutput?: (text: string) => void;
};

/** Whether an app's image is that of a release, by what was written down after it was made. */
export const hasImage = async (host: Host, app: string, release: number): Promise<boolean> => (await readVariables(host, app))[RELEASE] === String(release);

/**
 * Gives an app the image of a release; where the app is to run, its container changes, too. What was there is named
 * `none` first, so that no crash in the middle can make an unfinished image look like a finished one.
 * @returns what Dokku printed, also when it failed
 */
export async function deployRelease(host: Host, deploy: Deploy): Promise<DokkuResult> {
  const { app, instanceId, release, signal, onOutput } = deploy;
  await setVariables(host, app, { [RELEASE]: 'none' });
  const tree = filesOf(host, instanceId, release).tree;
  const io = { signal, ...(onOutput === undefined ? {} : { onOutput }) };
  let result = await attempt(host, deploy, async () => await host.connection.run(gitFromArchive(app), { ...io, input: createReadStream(tree) }));
  // The files arrived in an earlier attempt, which says nothing about how that one ended.
  if (result === null || explainFailure(gitFromArchive(app), result).kind === 'no_changes') {
    result = await attempt(host, deploy, async () => await host.connection.run(psRebuild(app), io));
  }
  if (result === null) throw new AppError('platform_failed', { reason: 'the connection to the Dokku host broke twice while it made this version.' });
  if (result.exitCode === 0) await setVariables(host, app, { [RELEASE]: String(release) });
  return result;
}

/** null: nobody knows how it ended, and nothing of it is under way any more. */
async function attempt(host: Host, { app, signal }: Deploy, work: () => Promise<DokkuResult>): Promise<DokkuResult | null> {
  try {
    return await work();
  } catch (error) {
    host.settled.delete(app);
    if (signal.aborted || !isUnknown(error)) throw error;
    await settle(host, app);
    return null;
  }
}

/** Whether a container of the app runs, or is just being started again after a crash. @throws platform_failed */
export async function isRunning(host: Host, app: string): Promise<boolean> {
  const { running, containers } = readPsReport((await ask(host, psReport(app))).stdout);
  return running !== 'false' || Object.values(containers).some(({ state }) => state === 'running' || state === 'restarting');
}
