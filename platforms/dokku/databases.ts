// The database services of an instance: which one holds its data, making it, linking it, clearing the others away.

import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../contracts/errors.ts';
import {
  appsExists,
  postgresAppLinks,
  postgresCreate,
  postgresDestroy,
  postgresExists,
  postgresLink,
  postgresLinks,
  postgresList,
  postgresUnlink,
} from '../dokku-commands.ts';
import { explainFailure } from '../dokku-failures.ts';
import { readLinks, readServices } from '../dokku-reports.ts';
import { ask, change, tryToAsk } from './asking.ts';
import { readSmallFile, keepFile } from '../kept-files.ts';
import { databaseIn, firstService, type Host, isServiceOf, liveApp, pathsOf, scratchService, trialPrefix } from './host.ts';
import { dropVariable, readVariables } from './settings.ts';
import { dropDatabases, sql } from './sql.ts';

/** A fresh server may need this long until it answers. */
const READY_MS = 60_000;
const POLL_MS = 500;
/** Taking away several links, setting the right one, and some of it again. */
const LINK_STEPS = 8;
/** How often it is looked again before a link that is half there counts as left behind. */
const LINK_LOOKS = 10;

/** Name of the service with the live data: what a finished restore wrote down, else what is linked, else the first one. */
export async function liveService(host: Host, instanceId: string): Promise<string> {
  const written = await readSmallFile(pathsOf(host, instanceId).service);
  if (written !== null) return written;
  const linked = (await linkedServices(host, instanceId)).find((service) => isServiceOf(instanceId, service));
  return linked ?? firstService(instanceId);
}

async function linkedServices(host: Host, instanceId: string): Promise<readonly string[]> {
  const command = postgresAppLinks(liveApp(instanceId));
  const result = await tryToAsk(host, command);
  if (result.exitCode === 0) return readLinks(result.stdout);
  if (explainFailure(command, result).kind === 'app_missing') return [];
  return readLinks((await ask(host, command)).stdout);
}

/** Makes the live service where there is none, and links it. */
export async function ensureDatabase(host: Host, instanceId: string): Promise<void> {
  const service = await liveService(host, instanceId);
  await createService(host, service);
  await keepFile(pathsOf(host, instanceId).service, service);
  await ensureLink(host, instanceId);
}

/** Makes a service and waits until it answers. One that is there but never answered, and was never linked, is made anew. */
export async function createService(host: Host, service: string, signal?: AbortSignal): Promise<void> {
  const io = signal === undefined ? {} : { signal };
  const create = async (): Promise<unknown> =>
    await change(host, postgresCreate(service), { ...io, fine: ['exists'], isDone: async () => await isThere(host, service) });
  await create();
  if (await answers(host, service, signal)) return;
  if (readLinks((await ask(host, postgresLinks(service))).stdout).length > 0) throw new AppError('database_unreachable');
  await destroyService(host, service);
  await create();
  if (!(await answers(host, service, signal))) throw new AppError('database_unreachable');
}

const isThere = async (host: Host, service: string): Promise<boolean> => (await tryToAsk(host, postgresExists(service))).exitCode === 0;

async function answers(host: Host, service: string, signal?: AbortSignal): Promise<boolean> {
  for (const deadline = Date.now() + READY_MS; Date.now() < deadline; await pause(POLL_MS)) {
    signal?.throwIfAborted();
    const lines = await sql(host, { service, text: 'SELECT 1;' }).catch(() => []);
    if (lines[0] === '1') return true;
  }
  return false;
}

/** Links the live service to the live app, and no other; each step looks anew at what Dokku says. */
export async function ensureLink(host: Host, instanceId: string): Promise<void> {
  const app = liveApp(instanceId);
  const service = await liveService(host, instanceId);
  const isDone = async (): Promise<boolean> => true; // it is looked at anew in any case
  for (let step = 0; step <= LINK_STEPS; step += 1) {
    const { linked, database } = await settledLink(host, instanceId);
    if (linked.length === 1 && linked[0] === service && database === databaseIn(service)) return;
    const wrong = linked.find((other) => other !== service);
    // Beside another address it would get a name of its own instead of DATABASE_URL.
    if (wrong === undefined && database !== null) await dropVariable(host, app, 'DATABASE_URL');
    else if (wrong === undefined) await change(host, postgresLink(service, app), { fine: ['already_linked'], isDone });
    else await change(host, postgresUnlink(wrong, app), { fine: ['not_linked', 'service_missing'], isDone });
  }
  throw new AppError('platform_failed', { reason: 'Dokku does not keep the link between the experiment and its database.' });
}

type Link = { readonly linked: readonly string[]; /** Which database DATABASE_URL names; null: there is none. */ readonly database: string | null };

/** Dokku changes its list of links first and the address later: a command whose connection broke may be in between. */
async function settledLink(host: Host, instanceId: string): Promise<Link> {
  for (let look = 1; ; look += 1) {
    const linked = await linkedServices(host, instanceId);
    const address = (await readVariables(host, liveApp(instanceId)))['DATABASE_URL'];
    const database = address === undefined ? null : (/\/([^/?]*)(?:\?.*)?$/.exec(address)?.[1] ?? '');
    const isWhole = database === null ? linked.length === 0 : linked.some((service) => databaseIn(service) === database);
    if (isWhole || look >= LINK_LOOKS) return { linked, database };
    await pause(POLL_MS);
  }
}

/** Drops what trials, checks and restores may have left: other services of the instance, and the database of a trial. */
export async function clearScratch(host: Host, instanceId: string): Promise<void> {
  const live = await liveService(host, instanceId);
  const services = (await servicesOf(host, instanceId)).filter((service) => service !== live);
  for (const service of services) await destroyService(host, service);
  if (await isThere(host, live)) await dropDatabases(host, live, trialPrefix(instanceId));
}

/** All services that exist for an instance. */
export const servicesOf = async (host: Host, instanceId: string): Promise<string[]> =>
  readServices((await ask(host, postgresList())).stdout).filter((service) => isServiceOf(instanceId, service));

/** Removes a service with its data, ending whoever is connected. Absent already: returns. */
export async function destroyService(host: Host, service: string): Promise<void> {
  for (const app of await appsOf(host, service)) {
    await change(host, postgresUnlink(service, app), { fine: ['not_linked', 'service_missing', 'app_missing'], isDone: async () => true });
  }
  await change(host, postgresDestroy(service), { fine: ['service_missing'], isDone: async () => !(await isThere(host, service)) });
}

async function appsOf(host: Host, service: string): Promise<readonly string[]> {
  const result = await tryToAsk(host, postgresLinks(service));
  return result.exitCode === 0 ? readLinks(result.stdout) : [];
}

/** Runs the work with a fresh service of its own, which is destroyed whatever happens. */
export async function withScratch<T>(host: Host, task: { instanceId: string; signal: AbortSignal }, work: (service: string) => Promise<T>): Promise<T> {
  const service = scratchService(task.instanceId, 'v');
  try {
    await createService(host, service, task.signal);
    return await work(service);
  } finally {
    await destroyService(host, service);
  }
}

/** From now on `service` holds the live data; the others are destroyed. Whatever comes in between is completed by the next call of anything that writes. */
export async function changeService(host: Host, instanceId: string, service: string): Promise<void> {
  await keepFile(pathsOf(host, instanceId).service, service);
  await ensureLink(host, instanceId);
  await clearScratch(host, instanceId);
}

/** Forgets everything; the app is gone already. */
export async function destroyServices(host: Host, instanceId: string): Promise<void> {
  for (const service of await servicesOf(host, instanceId)) await destroyService(host, service);
  await rm(pathsOf(host, instanceId).service, { force: true });
}

/** Whether an app is there. @throws platform_failed when Dokku cannot say */
export async function isApp(host: Host, app: string): Promise<boolean> {
  const command = appsExists(app);
  const result = await tryToAsk(host, command);
  if (result.exitCode === 0) return true;
  if (explainFailure(command, result).kind === 'app_missing') return false;
  await ask(host, command);
  return true;
}
