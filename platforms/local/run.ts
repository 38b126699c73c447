// Starting, trying, stopping and resetting one instance.

import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../contracts/errors.ts';
import { type Confinement, confineArguments, endControlGroup, runConfined, startScript, withoutRemarks } from '../confined.ts';
import { diagnoseLauncher, diagnoseTrial, lastWords, findMissingTemplate } from '../diagnose.ts';
import type { InstanceSpec } from '../platform.ts';
import type { Trial } from '../release.ts';
import { compareWithScratch } from '../postgres-schema.ts';
import { makeSocketDirectory } from '../instance-records.ts';
import { pathsOf, selectedRelease, writeEnvironment, writeRecord } from './files.ts';
import type { Ground } from './ground.ts';
import { readTail } from './log-file.ts';
import { answersLogin } from '../otree-client.ts';
import { endProcesses } from './processes.ts';
import { listProcesses, type ProcessInfo, readProgram, removeProgram, renderProgram, startProgram } from './supervisor.ts';

export type RunIo = { readonly signal: AbortSignal; readonly onOutput: (text: string) => void };

const START_LIMIT_MS = 60_000;
const RESET_LIMIT_MS = 60_000;
const POLL_MS = 60;
const GRACE_SECONDS = 8;

/** @see Platform.start */
export async function startInstance(ground: Ground, spec: InstanceSpec, signal: AbortSignal): Promise<void> {
  const { instanceId } = spec;
  const paths = pathsOf(ground, instanceId);
  const release = await selectedRelease(ground, instanceId);
  if (release === null) throw new AppError('not_deployed');
  await writeRecord(ground, spec);
  await writeEnvironment(ground, spec, liveEnvironment(ground, spec, release));
  const program = renderProgram(instanceId, programArguments(ground, spec, release));
  const known = (await listProcesses(ground)).get(instanceId);
  const logStart = (await stat(paths.log).catch(() => null))?.size ?? 0;
  const isRunning = isUp(known) && (await readProgram(ground, instanceId)) === program;
  if (!isRunning) {
    signal.throwIfAborted();
    await removeProgram(ground, instanceId);
    await makeSocketDirectory(ground, paths.socketDir, spec.osUserId);
    await rm(paths.socket, { force: true });
    await rm(paths.stopReason, { force: true });
    await startProgram(ground, instanceId, program);
  }
  await waitForAnswer(ground, spec, { signal, logStart: isRunning ? null : logStart });
}

const isUp = (info: ProcessInfo | undefined): boolean => info?.state === 'RUNNING' || info?.state === 'STARTING';

/** Whether supervisord keeps its process running. */
export const isProgramUp = async (ground: Ground, instanceId: string): Promise<boolean> => isUp((await listProcesses(ground)).get(instanceId));

/** What `env.json` says for a release. */
export const liveEnvironment = (ground: Ground, spec: InstanceSpec, release: number) => {
  const paths = pathsOf(ground, spec.instanceId);
  return {
    file: paths.env,
    databaseUrl: ground.databases.urlOf(spec.instanceId, spec.databasePassword),
    socket: paths.socket,
    projectDir: paths.project(release),
  };
};

/** The release's own paths, not `current`: a process that loads a module late must find the one it started with. */
function programArguments(ground: Ground, spec: InstanceSpec, release: number): string[] {
  const paths = pathsOf(ground, spec.instanceId);
  const keeping = ['--kill-others', '--pid-file', paths.pidFile, '--grace', String(GRACE_SECONDS), '--log', paths.log, '--log-mib', '10', '--log-files', '5'];
  const command = [paths.python(release), startScript(ground), paths.env, 'serve'];
  return [ground.systemPython, ...confineArguments(ground, confinementOf(ground, spec, { release, group: spec.instanceId }), keeping), ...command];
}

function confinementOf(ground: Ground, spec: InstanceSpec, run: { release: number; group: string }): Confinement {
  const paths = pathsOf(ground, spec.instanceId);
  const { memoryMib, processes, diskMib } = spec.limits;
  return {
    userId: spec.osUserId,
    limits: { memoryMib, processes, fileMib: diskMib, openFiles: 8192 },
    group: run.group,
    home: paths.home,
    cwd: paths.project(run.release),
  };
}

/** Waits for `/login`; notices a crash at once. @throws start_failed, module_missing, syntax_error, otree_check, path_not_supported */
async function waitForAnswer(ground: Ground, spec: InstanceSpec, wait: { signal: AbortSignal; logStart: number | null }): Promise<void> {
  const paths = pathsOf(ground, spec.instanceId);
  const [begin, deadline] = [Date.now(), Date.now() + START_LIMIT_MS];
  while (!(await answersLogin({ socketPath: paths.socket }, 5000))) {
    wait.signal.throwIfAborted();
    const info = (await listProcesses(ground)).get(spec.instanceId);
    if (Date.now() > deadline || !isUp(info)) throw await explainFailedStart(ground, spec, { begin, logStart: wait.logStart });
    await pause(POLL_MS, undefined, { signal: wait.signal });
  }
}

async function explainFailedStart(ground: Ground, spec: InstanceSpec, since: { begin: number; logStart: number | null }): Promise<AppError> {
  const { log } = pathsOf(ground, spec.instanceId);
  const size = (await stat(log).catch(() => null))?.size ?? 0;
  // A rotated log is shorter than it was: then its end has to do.
  const newBytes = since.logStart === null || size <= since.logStart ? 16 * 1024 : size - since.logStart;
  const output = await readTail(log, Math.min(newBytes, 64 * 1024));
  const seconds = Math.max(1, Math.round((Date.now() - since.begin) / 1000));
  return diagnoseLauncher({ exitCode: 65, output }) ?? new AppError('start_failed', { seconds, lastLine: lastWords({ exitCode: null, output }) });
}

/** @see Platform.tryRelease */
export async function tryRelease(ground: Ground, spec: InstanceSpec, run: RunIo & { release: number }): Promise<Trial> {
  const paths = pathsOf(ground, spec.instanceId);
  const [file, socket, group] = [path.join(paths.root, 'try.json'), path.join(paths.trialSocketDir, 'otree.sock'), `try-${spec.instanceId}`];
  run.onOutput('-----> Trying this version on an empty database\n');
  try {
    const database = await ground.databases.createScratch(spec.instanceId, 'try');
    const databaseUrl = ground.databases.urlOf(spec.instanceId, spec.databasePassword, database);
    await makeSocketDirectory(ground, paths.trialSocketDir, spec.osUserId);
    await writeEnvironment(ground, spec, { file, databaseUrl, socket, projectDir: paths.project(run.release) });
    const began = Date.now();
    // Side by side: the check needs neither the socket nor the database, and costs a second.
    const checking = checkPages(ground, spec, { ...run, file, socket, group });
    await serveUntilAnswer(ground, spec, { ...run, file, socket, group });
    run.onOutput(`       it answers after ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
    const problem = await checking;
    if (problem !== null) throw problem;
    return { gaps: await compareWithScratch(ground.databases, spec, database) };
  } finally {
    await endControlGroup(group);
    await rm(file, { force: true });
    await rm(paths.trialSocketDir, { recursive: true, force: true });
    await ground.databases.dropScratch(spec.instanceId);
  }
}

/** A page without a template. What else goes wrong in it is no news: the server of the trial says it better. */
async function checkPages(ground: Ground, spec: InstanceSpec, trial: Private): Promise<AppError | null> {
  const result = await runConfined(ground, {
    confinement: confinementOf(ground, spec, trial),
    command: [pathsOf(ground, spec.instanceId).python(trial.release), startScript(ground), trial.file, 'check'],
    timeoutMs: START_LIMIT_MS,
    signal: trial.signal,
  }).catch(() => null);
  return result?.exitCode === 0 ? findMissingTemplate(result.stdout) : null;
}

type Private = RunIo & { readonly release: number; readonly file: string; readonly socket: string; readonly group: string };

/** Serves until `/login` answers once, then ends the whole process group. The running release shares the user id, so nothing is ended by that. */
async function serveUntilAnswer(ground: Ground, spec: InstanceSpec, trial: Private): Promise<void> {
  const stop = new AbortController();
  let output = '';
  const serving = runConfined(ground, {
    confinement: confinementOf(ground, spec, trial),
    command: [pathsOf(ground, spec.instanceId).python(trial.release), startScript(ground), trial.file, 'serve'],
    timeoutMs: START_LIMIT_MS,
    signal: AbortSignal.any([trial.signal, stop.signal]),
    onOutput: (text) => {
      output = (output + text).slice(-64 * 1024);
    },
  });
  const ended = serving.then(
    ({ exitCode, isTimedOut }) => ({ exitCode, isTimedOut }),
    () => null,
  );
  const hasAnswered = await Promise.race([pollLogin(trial.socket, stop.signal), ended.then(() => false)]);
  stop.abort();
  const end = await ended;
  trial.signal.throwIfAborted();
  if (hasAnswered) return;
  trial.onOutput(
    output
      .replace(/^ARBORETUM-PROBLEM .*\n?/gm, '')
      // People know their files from the project's folder on; where the panel keeps it is of no use to them.
      .replace(/\/[^\s"']*\/releases\/\d+\/(?:project\/)?/g, '')
      .slice(-8192)
      .replace(/^(?=.)/gm, '       '),
  );
  throw diagnoseTrial({ exitCode: end?.exitCode ?? null, output: withoutRemarks(output), isTimedOut: end?.isTimedOut ?? false });
}

async function pollLogin(socket: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (await answersLogin({ socketPath: socket }, 5000)) return true;
    await pause(POLL_MS);
  }
  return false;
}

/** @see Platform.stop */
export async function stopInstance(ground: Ground, instanceId: string, osUserId: number | null): Promise<void> {
  const paths = pathsOf(ground, instanceId);
  await endInstance(ground, instanceId, osUserId);
  await rm(paths.socket, { force: true });
  await rm(paths.stopReason, { force: true });
}

/** Ends its processes: all under the user id, or, without one, those that were started here. */
export async function endInstance(ground: Ground, instanceId: string, osUserId: number | null): Promise<void> {
  try {
    await removeProgram(ground, instanceId);
  } finally {
    // Also when supervisord is away: what it kept must not run on.
    await endProcesses(ground, instanceId, osUserId);
  }
  for (const group of [instanceId, `try-${instanceId}`]) await endControlGroup(group);
}

/** @see Platform.resetDatabase */
export async function resetDatabase(ground: Ground, spec: InstanceSpec, io: RunIo): Promise<void> {
  const release = await selectedRelease(ground, spec.instanceId);
  if (release === null) throw new AppError('not_deployed');
  if (await isProgramUp(ground, spec.instanceId))
    throw new AppError('platform_failed', { reason: 'the experiment must be stopped before its database is emptied.' });
  const paths = pathsOf(ground, spec.instanceId);
  await writeEnvironment(ground, spec, liveEnvironment(ground, spec, release));
  await ground.databases.endConnections(spec.instanceId);
  const result = await runConfined(ground, {
    confinement: confinementOf(ground, spec, { release, group: `try-${spec.instanceId}` }),
    command: [paths.python(release), startScript(ground), paths.env, 'resetdb'],
    timeoutMs: RESET_LIMIT_MS,
    signal: io.signal,
    onOutput: (text) => io.onOutput(text.replace(/^ARBORETUM-PROBLEM .*\n?/gm, '')),
  });
  if (result.exitCode === 0) return;
  const output = `${result.stdout}\n${result.stderr}`;
  const failure = { exitCode: result.exitCode, output, isTimedOut: result.isTimedOut };
  throw diagnoseLauncher(failure) ?? new AppError('platform_failed', { reason: `oTree did not empty the database: ${lastWords(failure)}` });
}

/** Socket folders live where a reboot empties everything; supervisord tries again until they are there. */
export async function restoreSocketDirectories(ground: Ground, userIdOf: (instanceId: string) => Promise<number | null | undefined>): Promise<void> {
  for (const instanceId of await readdir(ground.layout.instancesDir).catch(() => [])) {
    const userId = await userIdOf(instanceId);
    if (userId !== undefined) await makeSocketDirectory(ground, pathsOf(ground, instanceId).socketDir, userId);
  }
}
