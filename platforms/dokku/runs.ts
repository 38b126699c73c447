// One-off runs of the launcher, always in the second app: the live one must neither change its image nor its settings for them.

import { AppError } from '../../contracts/errors.ts';
import { type DokkuResult, run } from '../dokku-commands.ts';
import { explainFailure } from '../dokku-failures.ts';
import type { InstanceSpec } from '../platform.ts';
import { failure, isUnknown, settle } from './asking.ts';
import { type LauncherCommand, launcherWords } from './dockerfile.ts';
import { type Host, liveApp, trialApp, trialDatabase } from './host.ts';
import { deployRelease, hasImage } from './releases.ts';
import { readVariables, writeSettings } from './settings.ts';

export type Run = {
  readonly release: number;
  readonly command: Extract<LauncherCommand, 'try' | 'describe' | 'resetdb'>;
  /** The live database, or the one for trials, which need not exist. */
  readonly database: 'live' | 'trial';
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Receives what the build of a missing image prints. */
  readonly onBuild: (text: string) => void;
  readonly onOutput?: (text: string) => void;
  /** Ends what a run whose end is not known may still be doing. */
  readonly clear?: () => Promise<void>;
};

/**
 * Runs a command of the launcher with the image of a release and the instance's settings; makes the image first when
 * the app has another one. A run whose connection breaks is cleared away and run once more.
 * @throws build_failed, platform_failed
 */
export async function runLauncher(host: Host, spec: InstanceSpec, task: Run): Promise<DokkuResult> {
  const app = trialApp(spec.instanceId);
  await settle(host, app, 'now');
  task.signal.throwIfAborted();
  if (!(await hasImage(host, app, task.release))) await makeImage(host, spec.instanceId, task);
  await writeSettings(host, app, { spec, more: { ARBORETUM_DATABASE_URL: await addressOf(host, spec.instanceId, task.database) } });
  const command = run(app, launcherWords(task.command), { timeoutMs: task.timeoutMs });
  const io = { signal: task.signal, ...(task.onOutput === undefined ? {} : { onOutput: task.onOutput }) };
  try {
    return await host.connection.run(command, io);
  } catch (error) {
    await task.clear?.();
    if (task.signal.aborted || !isUnknown(error)) throw error;
    return await host.connection.run(command, io);
  }
}

/** Gives the second app the image of a release; no container comes of it. @throws build_failed */
export async function makeImage(host: Host, instanceId: string, { release, signal, onBuild }: Pick<Run, 'release' | 'signal' | 'onBuild'>): Promise<void> {
  const result = await deployRelease(host, { app: trialApp(instanceId), instanceId, release, signal, onOutput: onBuild });
  if (result.exitCode === 0) return;
  const { kind, detail, sentence } = explainFailure({ line: 'git:from-archive', showsSecrets: false }, result);
  if (kind === 'build_failed') throw new AppError('build_failed', { reason: `${sentence} What it printed is in the log above.` });
  throw failure({ line: 'git:from-archive', showsSecrets: false, takesInput: true, timeoutMs: 0 }, result) ?? detail;
}

/** `DATABASE_URL` of the live app, or the same with the name of the trial's database. */
async function addressOf(host: Host, instanceId: string, database: Run['database']): Promise<string> {
  const live = (await readVariables(host, liveApp(instanceId)))['DATABASE_URL'];
  if (live === undefined) throw new AppError('platform_failed', { reason: 'the experiment has no database on the Dokku host.' });
  return database === 'live' ? live : live.replace(/\/[^/?]*(?=\?|$)/, `/${trialDatabase(instanceId)}`);
}
