// Starting, stopping and resetting one instance.

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../contracts/errors.ts';
import { launcherDir } from '../confined.ts';
import { diagnoseLauncher, lastWords } from '../diagnose.ts';
import { answersLogin } from '../otree-client.ts';
import type { InstanceSpec } from '../platform.ts';
import { keepLog } from '../timed-log.ts';
import { makeSocketDirectory } from '../instance-records.ts';
import { ensureDatabaseServer } from './database-server.ts';
import { pathsOf, requireRelease, selectedRelease, writeRecord } from './files.ts';
import { type Ground, userOf } from './ground.ts';
import { gateSpec } from './gate-spec.ts';
import { idOf } from './images.ts';
import { lookAtEnd } from './inspection.ts';
import { runLauncher, serviceConfig } from './launcher.ts';
import { linesOf, logOf } from './logs.ts';
import { GATE } from './names.ts';
import { handOver } from './registry.ts';
import type { ContainerResult } from './runs.ts';
import { createService, endService, ensureNetwork, ensureSecret, findService, hashOf, listTasks, removeSecrets, servingOf } from './services.ts';
import { type Folders, serviceSpec } from './service-spec.ts';
import { nodeOf } from './swarm-node.ts';

export type RunIo = { readonly signal: AbortSignal; readonly onOutput: (text: string) => void };

const START_LIMIT_MS = 60_000;
const FETCH_LIMIT_MS = 300_000;
const RESET_LIMIT_MS = 60_000;
const POLL_MS = 80;
const LAST_LINES = 500;
/** What Docker's own scheduler says of a task that will never come to run as it is. */
const ENDED = new Set(['failed', 'rejected', 'complete', 'shutdown', 'orphaned', 'remove']);

/** @see Platform.start */
export async function startInstance(ground: Ground, spec: InstanceSpec, signal: AbortSignal): Promise<void> {
  const { instanceId } = spec;
  const release = await selectedRelease(ground, instanceId);
  if (release === null) throw new AppError('not_deployed');
  const { images } = await requireRelease(ground, instanceId, release);
  if ((await idOf(ground, images.image)) === null) {
    throw new AppError('platform_failed', { reason: `version ${release} has no image on the Docker Engine any more. Deploy it again.` });
  }
  await writeRecord(ground, spec);
  const secret = await ensureSecret(ground, instanceId, serviceConfig(ground, spec));
  // Before anything is stopped: sending an image takes its time.
  const image = ground.registry === null ? images.image : await handOver(ground, { instanceId, image: images.image }, signal);
  const wanted = await wantedService(ground, spec, { image, secret });
  const there = await findService(ground, instanceId);
  const isRunning = there?.hash === hashOf(wanted) && (await servingOf(ground, instanceId)).some(({ State }) => State === 'running');
  if (!isRunning) {
    signal.throwIfAborted();
    await stopInstance(ground, instanceId);
    // Nobody uses it now: the moment to take over another image or other limits.
    await ensureDatabaseServer(ground, spec, { mayReplace: true, mayBeEmpty: false, signal });
    const paths = pathsOf(ground, instanceId);
    await makeSocketDirectory(ground, paths.socketDir, spec.osUserId);
    if (ground.registry !== null) await createService(ground, await wantedGate(ground, spec));
    await createService(ground, wanted);
    await removeSecrets(ground, instanceId, secret.name);
  }
  await waitForAnswer(ground, spec, signal);
}

async function wantedService(ground: Ground, spec: InstanceSpec, { image, secret }: { image: string; secret: { id: string; name: string } }) {
  const { instanceId, limits } = spec;
  return serviceSpec({
    panelId: ground.panelId,
    instanceId,
    image,
    user: userOf(ground, spec.osUserId),
    limits,
    secret,
    networkId: await ensureNetwork(ground, instanceId),
    hasOutbound: ground.hasOutbound,
    home: ground.registry === null ? { nodeId: await nodeOf(ground), folders: foldersOf(ground, instanceId) } : null,
  });
}

async function wantedGate(ground: Ground, { instanceId, osUserId, databasePassword }: InstanceSpec) {
  const folder = ground.databases.socketDirOf(instanceId);
  return gateSpec({
    panelId: ground.panelId,
    instanceId,
    // By its id, which the engine asks no registry about.
    image: (await idOf(ground, ground.baseImages[0])) ?? ground.baseImages[0],
    user: userOf(ground, osUserId),
    networkId: await ensureNetwork(ground, instanceId),
    nodeId: await nodeOf(ground),
    folders: foldersOf(ground, instanceId),
    databaseSocket: folder === null ? null : path.join(folder, `.s.PGSQL.${ground.databases.addressOf(instanceId, databasePassword).port}`),
  });
}

const foldersOf = (ground: Ground, instanceId: string): Folders => {
  const { socketDir: socket, roomsDir: rooms } = pathsOf(ground, instanceId);
  return { socket, rooms, launcher: launcherDir(ground), database: ground.databases.socketDirOf(instanceId) };
};

/** Waits for `/login`; notices a crash at once. @throws start_failed, module_missing, syntax_error, otree_check, platform_failed */
async function waitForAnswer(ground: Ground, { instanceId }: InstanceSpec, signal: AbortSignal): Promise<void> {
  const [began, { socket }] = [Date.now(), pathsOf(ground, instanceId)];
  while (!(await answersLogin({ socketPath: socket }, 5000))) {
    signal.throwIfAborted();
    const service = await findService(ground, instanceId);
    const tasks = service === null ? [] : await listTasks(ground, service.id);
    const ended = tasks.find(({ Status }) => ENDED.has(Status.State));
    // A host that has not got the image yet fetches it.
    const limitMs = tasks.some(({ Status }) => Status.State === 'preparing') ? FETCH_LIMIT_MS : START_LIMIT_MS;
    if (Date.now() - began > limitMs || ended !== undefined || service === null) {
      const refused = ended?.Status.State === 'rejected' || ended === undefined ? tasks.at(-1) : undefined;
      throw await explainFailedStart(ground, instanceId, { began, refusal: refused?.Status.Err ?? null });
    }
    await pause(POLL_MS, undefined, { signal });
  }
}

async function explainFailedStart(ground: Ground, instanceId: string, { began, refusal }: { began: number; refusal: string | null }): Promise<AppError> {
  const first = (await servingOf(ground, instanceId)).find((run) => !('task' in run) || run.State !== 'created');
  if (first === undefined) return new AppError('platform_failed', { reason: `the Docker Engine cannot start the container: ${refusal ?? 'it says nothing.'}` });
  const output = (await linesOf(ground, first, LAST_LINES)).map(({ text }) => `${text}\n`).join('');
  const end = await lookAtEnd(ground, first);
  const failure = { exitCode: 65, output: whyItEnded({ stderr: output, isOutOfMemory: end?.isOutOfMemory === true }) };
  const seconds = Math.max(1, Math.round((Date.now() - began) / 1000));
  return diagnoseLauncher(failure) ?? new AppError('start_failed', { seconds, lastLine: lastWords({ ...failure, exitCode: end?.exitCode ?? null }) });
}

/** What it printed, and the kernel's reason where that was it. */
export const whyItEnded = ({ stderr, isOutOfMemory }: Pick<ContainerResult, 'stderr' | 'isOutOfMemory'>): string =>
  isOutOfMemory ? `${stderr}\nout of memory: it failed because it used more than it may.\n` : stderr;

/** Ends the service and everything else of the instance that runs; what it wrote is kept. @see Platform.stop */
export async function stopInstance(ground: Ground, instanceId: string): Promise<void> {
  const paths = pathsOf(ground, instanceId);
  if ((await servingOf(ground, instanceId)).length > 0) await keepLog(logOf(ground, instanceId));
  await endService(ground, instanceId);
  const told = path.join(paths.socketDir, GATE.useFile);
  // The experiment may have put anything in their places.
  for (const place of [paths.socket, told, paths.starts, paths.stopReason]) await rm(place, { recursive: true, force: true });
}

/** @see Platform.resetDatabase */
export async function resetDatabase(ground: Ground, spec: InstanceSpec, io: RunIo): Promise<void> {
  const { instanceId } = spec;
  const release = await selectedRelease(ground, instanceId);
  if (release === null) throw new AppError('not_deployed');
  if ((await findService(ground, instanceId)) !== null)
    throw new AppError('platform_failed', { reason: 'the experiment must be stopped before its database is emptied.' });
  const { images } = await requireRelease(ground, instanceId, release);
  await ground.databases.endConnections(instanceId);
  const result = await runLauncher(ground, spec, {
    image: images.image,
    command: 'resetdb',
    timeoutMs: RESET_LIMIT_MS,
    signal: io.signal,
    onOutput: (text) => io.onOutput(text.replace(/^ARBORETUM-PROBLEM .*\n?/gm, '')),
  });
  if (result.exitCode === 0) return;
  const failure = { exitCode: result.exitCode, output: `${result.stdout}\n${whyItEnded(result)}`, isTimedOut: result.isTimedOut };
  throw diagnoseLauncher(failure) ?? new AppError('platform_failed', { reason: `oTree did not empty the database: ${lastWords(failure)}` });
}
