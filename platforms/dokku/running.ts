// Starting, stopping and resetting one instance.

import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../contracts/errors.ts';
import { type DokkuResult, psReport, psStart, psStop, resourceLimit } from '../dokku-commands.ts';
import { explainFailure, saysNotDeployed } from '../dokku-failures.ts';
import { readPsReport, withoutColours } from '../dokku-reports.ts';
import { diagnoseLauncher, lastWords } from '../diagnose.ts';
import { answersLogin } from '../otree-client.ts';
import type { InstanceSpec } from '../platform.ts';
import { ask, change, failure, settle } from './asking.ts';
import { keepLog } from '../timed-log.ts';
import { ensureLink, isApp, liveService } from './databases.ts';
import { ensureDomain } from './domains.ts';
import { placeOf } from './front.ts';
import { type Host, liveApp } from './host.ts';
import { logOf } from './logs.ts';
import { openPass, shutPass } from './passes.ts';
import { addressOf, runLauncher } from './runs.ts';
import { deployRelease, isRunning, selectedRelease } from './releases.ts';
import { readVariables, RELEASE, writeSettings } from './settings.ts';
import { endConnections } from './sql.ts';

export type RunIo = { readonly signal: AbortSignal; readonly onOutput: (text: string) => void };

const ANSWER_LIMIT_MS = 60_000;
const RESET_LIMIT_MS = 120_000;
const POLL_MS = 200;
const REPAIRS = 3;

/** @see Platform.start. Making the image's container takes Dokku 25–60 s; the limit of 60 s is for oTree's answer after that. */
export async function startInstance(host: Host, spec: InstanceSpec, signal: AbortSignal): Promise<void> {
  const app = liveApp(spec.instanceId);
  const release = await selectedRelease(host, spec.instanceId);
  if (release === null) throw new AppError('not_deployed');
  signal.throwIfAborted();
  await settle(host, app);
  host.fronts.delete(app);
  const began = Date.now();
  const isDeployed = (await readVariables(host, app))[RELEASE] === String(release);
  if (!isDeployed || !(await isRunning(host, app))) {
    await ensureLink(host, spec.instanceId);
    await shutPass(host, { instanceId: spec.instanceId, service: await liveService(host, spec.instanceId) });
    await writeSettings(host, app, { spec });
    await ensureDomain(host, spec);
    await ask(host, resourceLimit(app, { memoryMib: spec.limits.memoryMib }));
    await keepLog(logOf(host, spec.instanceId));
    signal.throwIfAborted();
    if (!isDeployed) demand(await deployRelease(host, { app, instanceId: spec.instanceId, release, signal }), began);
    // A deploy of a stopped app need not start it.
    if (!(await isRunning(host, app))) await startContainer(host, { app, signal, began });
  }
  await waitForAnswer(host, spec, { signal, began });
}

async function startContainer(host: Host, { app, signal, began }: { app: string; signal: AbortSignal; began: number }): Promise<void> {
  const command = psStart(app);
  const result = await change(host, command, { app, signal, fine: ['check_failed', 'unknown'], isDone: async () => await isRunning(host, app) });
  if (result !== null) demand(result, began);
  if (result !== null && saysNotDeployed(result)) throw new AppError('not_deployed');
}

/** @throws what a failed deploy means for people */
function demand(result: DokkuResult, began: number): void {
  if (result.exitCode === 0) return;
  const output = withoutColours(`${result.stdout}\n${result.stderr}`);
  const problem = diagnoseLauncher({ exitCode: 65, output: unindented(output) });
  if (problem !== null) throw problem;
  const { kind } = explainFailure(psStart('x'), result);
  if (kind === 'check_failed') throw startFailed(began, output);
  throw failure(psStart('x'), result);
}

/** Dokku moves the container's own words to the right. */
const unindented = (output: string): string => output.replace(/^ +/gm, '');

/** What the container said stands between two lines of Dokku's. */
function startFailed(began: number, output: string): AppError {
  const said = [...output.matchAll(/^=====> Start of \S+ container output .*?\n(.*?)^=====> End of /gms)].map((match) => match[1] ?? '').join('\n');
  return new AppError('start_failed', { seconds: Math.max(1, Math.round((Date.now() - began) / 1000)), lastLine: lastWords({ exitCode: null, output: said }) });
}

/** Waits for `/login` through the host's nginx; notices a container that ended. @throws start_failed */
async function waitForAnswer(host: Host, spec: InstanceSpec, { signal, began }: { signal: AbortSignal; began: number }): Promise<void> {
  const place = await placeOf(host, spec.instanceId);
  for (const deadline = Date.now() + ANSWER_LIMIT_MS; !(await answersLogin(place, 5000)); await pause(POLL_MS, undefined, { signal })) {
    signal.throwIfAborted();
    if (Date.now() < deadline && (await isRunning(host, liveApp(spec.instanceId)))) continue;
    throw new AppError('start_failed', {
      seconds: Math.round((Date.now() - began) / 1000),
      lastLine: 'It runs, but the Dokku host’s web server gets no answer from it.',
    });
  }
}

/** @see Platform.stop */
export async function stopInstance(host: Host, instanceId: string, signal: AbortSignal): Promise<void> {
  const app = liveApp(instanceId);
  if (!(await isApp(host, app))) return;
  await settle(host, app);
  for (let attempt = 0; await mayRun(host, app); attempt += 1) {
    signal.throwIfAborted();
    if (attempt > REPAIRS) throw new AppError('platform_failed', { reason: 'Dokku says that it stopped the experiment, but it runs on.' });
    await change(host, psStop(app), { app, fine: ['not_deployed'], isDone: async () => true });
  }
}

/** Whether it runs, or Docker or a reboot of the host would start it. */
async function mayRun(host: Host, app: string): Promise<boolean> {
  const { isDeployed, isMeantToRun } = readPsReport((await ask(host, psReport(app))).stdout);
  return (isDeployed && isMeantToRun) || (await isRunning(host, app));
}

/** @see Platform.resetDatabase */
export async function resetDatabase(host: Host, spec: InstanceSpec, io: RunIo): Promise<void> {
  const app = liveApp(spec.instanceId);
  const release = await selectedRelease(host, spec.instanceId);
  if (release === null) throw new AppError('not_deployed');
  await settle(host, app);
  if (await isRunning(host, app)) throw new AppError('platform_failed', { reason: 'the experiment must be stopped before its database is emptied.' });
  const service = await liveService(host, spec.instanceId);
  const pass = { instanceId: spec.instanceId, service };
  // A client that idles in a transaction would hold the reset for ever.
  await endConnections(host, service);
  const result = await runLauncher(host, spec, {
    release,
    command: 'resetdb',
    openDatabase: async () => await openPass(host, pass, await addressOf(host, spec.instanceId)),
    timeoutMs: RESET_LIMIT_MS,
    signal: io.signal,
    onBuild: () => {},
    onOutput: (text) => io.onOutput(text.replace(/^ARBORETUM-PROBLEM .*\n?/gm, '')),
  }).finally(async () => await shutPass(host, pass));
  if (result.exitCode === 0) return;
  const said = { exitCode: result.exitCode, output: `${result.stdout}\n${result.stderr}` };
  throw diagnoseLauncher(said) ?? new AppError('platform_failed', { reason: `oTree did not empty the database. It says: “${lastWords(said)}”.` });
}
