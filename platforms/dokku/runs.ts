// One-off runs of the launcher, always in the second app: the live one must neither change its image nor its settings for them.

import type { Writable } from 'node:stream';
import { AppError } from '../../contracts/errors.ts';
import { type DokkuResult, run } from '../dokku-commands.ts';
import { explainFailure } from '../dokku-failures.ts';
import type { InstanceSpec } from '../platform.ts';
import { failure, isUnknown, settle } from './asking.ts';
import { type LauncherCommand, launcherWords } from './dockerfile.ts';
import { type Host, liveApp, trialApp } from './host.ts';
import { deployRelease, hasImage } from './releases.ts';
import { readVariables, writeSettings } from './settings.ts';

export type Run = {
  readonly release: number;
  readonly command: Extract<LauncherCommand, 'try' | 'describe' | 'resetdb' | 'bots'>;
  /** What stands behind the command. */
  readonly words?: readonly string[];
  /** Address of the database that it gets; asked for anew for a second run, so that the first one can do nothing any more. */
  readonly openDatabase: () => Promise<string>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Receives what the build of a missing image prints. */
  readonly onBuild: (text: string) => void;
  readonly onOutput?: (text: string) => void;
  /** Made anew for each run: gets what it prints on stdout, and the result has none of it. */
  readonly openOutput?: () => Writable;
};

/**
 * Runs a command of the launcher with the image of a release and the instance's settings; makes the image first when
 * the app has another one. When the connection breaks, it is run once more, with another way into the database.
 * @throws build_failed, platform_failed
 */
export async function runLauncher(host: Host, spec: InstanceSpec, task: Run): Promise<DokkuResult> {
  const app = trialApp(spec.instanceId);
  await settle(host, app, 'now');
  task.signal.throwIfAborted();
  if (!(await hasImage(host, app, task.release))) await makeImage(host, spec.instanceId, task);
  try {
    return await runOnce(host, spec, task);
  } catch (error) {
    if (task.signal.aborted || !isUnknown(error)) throw error;
    return await runOnce(host, spec, task);
  }
}

async function runOnce(host: Host, spec: InstanceSpec, task: Run): Promise<DokkuResult> {
  const app = trialApp(spec.instanceId);
  await writeSettings(host, app, { spec, more: { ARBORETUM_DATABASE_URL: await task.openDatabase() } });
  const command = run(app, launcherWords(task.command, ...(task.words ?? [])), { timeoutMs: task.timeoutMs });
  return await host.connection.run(command, {
    signal: task.signal,
    ...(task.onOutput === undefined ? {} : { onOutput: task.onOutput }),
    ...(task.openOutput === undefined ? {} : { output: task.openOutput() }),
  });
}

/** Gives the second app the image of a release; no container comes of it. @throws build_failed */
export async function makeImage(host: Host, instanceId: string, { release, signal, onBuild }: Pick<Run, 'release' | 'signal' | 'onBuild'>): Promise<void> {
  const result = await deployRelease(host, { app: trialApp(instanceId), instanceId, release, signal, onOutput: onBuild });
  if (result.exitCode === 0) return;
  const { kind, detail, sentence } = explainFailure({ line: 'git:from-archive', showsSecrets: false }, result);
  if (kind === 'build_failed') throw new AppError('build_failed', { reason: `${sentence} What it printed is in the log above.` });
  throw failure({ line: 'git:from-archive', showsSecrets: false, takesInput: true, timeoutMs: 0 }, result) ?? detail;
}

/** `DATABASE_URL` of the live app, or the same with another database in it. @throws platform_failed */
export async function addressOf(host: Host, instanceId: string, database?: string): Promise<string> {
  const live = (await readVariables(host, liveApp(instanceId)))['DATABASE_URL'];
  if (live === undefined) throw new AppError('platform_failed', { reason: 'the experiment has no database on the Dokku host.' });
  return database === undefined ? live : live.replace(/\/[^/?]*(?=\?|$)/, `/${database}`);
}
