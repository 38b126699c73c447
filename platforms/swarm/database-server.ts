// An instance's own PostgreSQL server: which instances have one, making it, keeping it there, removing it with all it holds.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../contracts/errors.ts';
import { keepFile } from '../kept-files.ts';
import { makeDirectory, replaceFile } from '../owned-files.ts';
import type { InstanceAccess, InstanceSpec } from '../platform.ts';
import { asAdminOf, isDatabaseOf, type PostgresServer, scramVerifier } from '../postgres.ts';
import { Secret } from '../secret.ts';
import { DATABASE_END_SIGNAL, DATABASE_LIMITS, databaseSpec } from './database-spec.ts';
import { ifThere } from './engine.ts';
import { pathsOf, readRecord } from './files.ts';
import { type Ground, userOf } from './ground.ts';
import { linesOf } from './logs.ts';
import { DATABASE, databaseServiceName } from './names.ts';
import { demandDumpable, imageForNew, openPostgresImage } from './postgres-image.ts';
import { removeContainer } from './runs.ts';
import { containersOf, createService, endContainer, ensureNetwork, findNamed, hashOf, listTasks, removeNetwork, type Task } from './services.ts';
import { nodeOf } from './swarm-node.ts';

export type OwnServer = PostgresServer & { /** Name of its image. */ readonly image: string };
type Owner = Pick<InstanceSpec, 'instanceId' | 'osUserId'>;
type Kept = { readonly image: string; readonly password: string };

const READY_LIMIT_MS = 120_000;
/** So often it may end before it is said that it does not start. */
const ENDS = 3;
const POLL_MS = 80;
const STOP_LIMIT_MS = (DATABASE_LIMITS.graceSeconds + 10) * 1000;
const ENDED = new Set(['failed', 'rejected', 'complete']);

/** The server that an instance has for itself; null: it is on the shared one. Read at once, as whoever asks for an address needs it: a line in a small file. */
export function ownServerOf(ground: Pick<Ground, 'layout'>, instanceId: string): OwnServer | null {
  const { databaseServer, databaseSocketDir } = pathsOf(ground, instanceId);
  let kept: Kept;
  try {
    kept = JSON.parse(readFileSync(databaseServer, 'utf8')) as Kept;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const adminUrl = new Secret(`postgresql://${DATABASE.admin}:${kept.password}@localhost/postgres?host=${encodeURIComponent(databaseSocketDir)}`);
  return { adminUrl, instanceHost: databaseSocketDir, image: kept.image };
}

/**
 * Settles for the life of a new instance where its database is: with a server of its own where the settings say so. One that
 * was made before, or whose data came from another platform, keeps what it has.
 * @throws postgres_too_new, platform_failed, database_unreachable
 */
export async function chooseServer(ground: Ground, { instanceId }: Owner, signal: AbortSignal): Promise<void> {
  const { on, image: given } = ground.newDatabases;
  if (on === 'shared' || ownServerOf(ground, instanceId) !== null || (await readRecord(ground, instanceId)) !== null) return;
  if (await ground.databases.isOnShared(instanceId)) return;
  const image = await imageForNew(given, ground.postgres.binDir);
  await demandDumpable(ground, image, signal);
  await keepFile(pathsOf(ground, instanceId).databaseServer, JSON.stringify({ image, password: randomBytes(24).toString('hex') } satisfies Kept));
}

export type Ensuring = {
  /** One that was made otherwise than it would be now ends and is made anew, which cuts whoever is connected. */
  readonly mayReplace: boolean;
  /** Where its data were lost: an empty database, for who is about to fill it; otherwise that is refused. */
  readonly mayBeEmpty: boolean;
  readonly signal: AbortSignal;
};

/**
 * The instance's own server is there and answers (limit 2 minutes beside the fetching of its image), with the instance's
 * database; nothing happens where it has no server of its own.
 * @throws database_lost, platform_failed with what it said
 */
export async function ensureDatabaseServer(ground: Ground, spec: Owner & InstanceAccess, options: Ensuring): Promise<void> {
  const { instanceId } = spec;
  const own = ownServerOf(ground, instanceId);
  if (own === null) return;
  // First itself: while the engine is away its servers answer all the same.
  if (!options.mayReplace && (await hasDatabase(own, instanceId).catch(() => false))) return;
  await makeServer(ground, { owner: spec, own }, options.mayReplace);
  await waitUntilItAnswers(ground, { owner: spec, own }, options.signal);
  if (await hasDatabase(own, instanceId)) return;
  if (!options.mayBeEmpty) throw new AppError('database_lost');
  await ground.databases.create(instanceId, spec.databasePassword);
}

const hasDatabase = async (own: OwnServer, instanceId: string): Promise<boolean> => await asAdminOf(own, (admin) => isDatabaseOf(admin, instanceId));

/** Puts back what a restart of the machine took, and the service if somebody removed it; one that is there is left alone, and not waited for. */
export async function keepDatabaseServer(ground: Ground, owner: Owner): Promise<void> {
  const own = ownServerOf(ground, owner.instanceId);
  if (own !== null) await makeServer(ground, { owner, own }, false);
}

type Server = { readonly owner: Owner; readonly own: OwnServer };

async function makeServer(ground: Ground, { owner, own }: Server, mayReplace: boolean): Promise<void> {
  const { instanceId } = owner;
  await makeFolders(ground, { owner, own });
  const there = await findNamed(ground, databaseServiceName(instanceId));
  if (there !== null && !mayReplace) return;
  const { id: image, volumes } = await openPostgresImage(ground, own.image);
  const { databaseDir: data, databaseSocketDir: socket } = pathsOf(ground, instanceId);
  const wanted = databaseSpec({
    panelId: ground.panelId,
    instanceId,
    image,
    volumes,
    user: userOf(ground, owner.osUserId),
    networkId: await ensureNetwork(ground, instanceId, 'database'),
    nodeId: await nodeOf(ground),
    folders: { data, socket },
  });
  if (there?.hash === hashOf(wanted)) return;
  if (there !== null) await endServer(ground, instanceId);
  await createService(ground, wanted);
}

async function makeFolders(ground: Ground, { owner: { instanceId, osUserId }, own }: Server): Promise<void> {
  const { databaseDir, databaseSocketDir } = pathsOf(ground, instanceId);
  await makeDirectory(ground, path.dirname(databaseSocketDir), { mode: 0o711 });
  for (const dir of [databaseDir, databaseSocketDir]) await makeDirectory(ground, dir, { mode: 0o700, userId: osUserId });
  const id = userOf(ground, osUserId);
  await replaceFile(path.join(databaseDir, 'passwd'), `postgres:x:${id}::/tmp:/bin/sh\n`, { mode: 0o444 });
  // Of use before the first start only; with it nobody can sign in.
  const verifier = scramVerifier(new Secret(decodeURIComponent(new URL(own.adminUrl.open()).password)));
  await replaceFile(path.join(databaseDir, 'verifier'), `${verifier}\n`, { mode: 0o400, userId: ground.separatesUsers ? osUserId : null });
}

async function waitUntilItAnswers(ground: Ground, { owner: { instanceId }, own }: Server, signal: AbortSignal): Promise<void> {
  // Those that the engine remembers from crashes long ago say nothing about this start.
  const before = new Set((await endedTasks(ground, instanceId))?.map(({ ID }) => ID));
  for (const began = Date.now(); ; await pause(POLL_MS, undefined, { signal })) {
    try {
      await hasDatabase(own, instanceId);
      return;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'database_unreachable') throw error;
    }
    signal.throwIfAborted();
    const ended = (await endedTasks(ground, instanceId))?.filter(({ ID }) => !before.has(ID));
    if (ended !== undefined && ended.length < ENDS && Date.now() - began < READY_LIMIT_MS) continue;
    const words = (await lastWords(ground, instanceId)) ?? ended?.at(-1)?.Status.Err ?? 'it says nothing.';
    throw new AppError('platform_failed', { reason: `the instance’s own database server does not start: ${words}` });
  }
}

/** Runs of the server that are over; undefined: its service is not there. */
async function endedTasks(ground: Ground, instanceId: string): Promise<readonly Task[] | undefined> {
  const service = await findNamed(ground, databaseServiceName(instanceId));
  return service === null ? undefined : (await listTasks(ground, service.id)).filter(({ Status }) => ENDED.has(Status.State));
}

/** The last line of the last container that has said anything. */
async function lastWords(ground: Ground, instanceId: string): Promise<string | null> {
  for (const container of (await containersOf(ground, instanceId, 'database')).toReversed()) {
    const line = (await linesOf(ground, container, 5)).at(-1);
    if (line !== undefined) return line.text;
  }
  return null;
}

async function endServer(ground: Ground, instanceId: string): Promise<void> {
  await ifThere(ground.engine.quick.getService(databaseServiceName(instanceId)).remove());
  const told = new Set<string>();
  for (const deadline = Date.now() + STOP_LIMIT_MS; ; await pause(POLL_MS)) {
    const left = await containersOf(ground, instanceId, 'database');
    if (left.length === 0) return;
    const isLate = Date.now() > deadline;
    for (const one of left) await (isLate ? removeContainer(ground, one.Id) : endContainer(ground, one, { told, signal: DATABASE_END_SIGNAL }));
  }
}

/** Removes an instance's own server and its data; that it had one is forgotten last. Has it none: returns. */
export async function removeDatabaseServer(ground: Ground, instanceId: string): Promise<void> {
  if (ownServerOf(ground, instanceId) === null) return;
  const { databaseDir, databaseSocketDir, databaseServer } = pathsOf(ground, instanceId);
  await endServer(ground, instanceId);
  await removeNetwork(ground, instanceId, 'database');
  for (const place of [databaseDir, databaseSocketDir, databaseServer]) await rm(place, { recursive: true, force: true });
}
