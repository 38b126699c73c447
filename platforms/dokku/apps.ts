// The two apps of an instance on the Dokku host: the live one, and the one for builds and trials.

import { rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../../contracts/errors.ts';
import { appsCreate, appsDestroy, checksSet, type DokkuCommand, gitSet, nginxSet, portsReport, portsSet, psScale, resourceLimit } from '../dokku-commands.ts';
import { readPorts } from '../dokku-reports.ts';
import type { InstanceSpec } from '../platform.ts';
import { ask, change } from './asking.ts';
import { clearScratch, destroyServices, ensureDatabase, isApp } from './databases.ts';
import { ensureDomain, requireFreeName } from './domains.ts';
import { type Host, liveApp, pathsOf, portsOf, trialApp } from './host.ts';

/** Old containers end so many seconds after their successors answer. */
const RETIRE_SECONDS = 5;

/** Makes both apps and the database with its link; what is there is kept. */
export async function createApps(host: Host, spec: InstanceSpec, signal: AbortSignal): Promise<void> {
  const [live, trial] = [liveApp(spec.instanceId), trialApp(spec.instanceId)];
  await requireFreeName(host, spec);
  for (const app of [live, trial]) {
    await change(host, appsCreate(app), { signal, fine: ['exists'], isDone: async () => await isApp(host, app) });
    await set(host, gitSet(app, 'deploy-branch', 'main'));
    await set(host, resourceLimit(app, { memoryMib: spec.limits.memoryMib }));
  }
  signal.throwIfAborted();
  await ensureDatabase(host, spec.instanceId);
  await clearScratch(host, spec.instanceId);
  signal.throwIfAborted();
  // Before the first deploy this only writes numbers down: a release in the second app never becomes a container.
  await set(host, psScale(trial, { web: 0 }));
  await set(host, psScale(live, { web: 1 }));
  await set(host, checksSet(live, 'wait-to-retire', String(RETIRE_SECONDS)));
  await set(host, nginxSet(live, 'client-max-body-size', `${host.maxBodyMib}m`));
  await ensurePorts(host, live);
  await ensureDomain(host, spec);
}

/** A property that may be set again at any time: unknown means once more. */
async function set(host: Host, command: DokkuCommand): Promise<void> {
  const done = await change(host, command, { isDone: async () => true });
  if (done === null) await ask(host, command);
}

/** What Dokku would choose by itself changes with the first deploy, so it is told in any case; https comes with a certificate and stays. */
async function ensurePorts(host: Host, app: string): Promise<void> {
  const read = async () => readPorts((await ask(host, portsReport(app))).stdout);
  const hasHttps = (await read()).some(({ scheme, hostPort }) => scheme === 'https' && hostPort === 443);
  const wanted = portsOf(hasHttps);
  const command = portsSet(app, wanted);
  const done = await change(host, command, { isDone: async () => true });
  if (done === null) await ask(host, command);
  if (!isDeepStrictEqual(await read(), wanted)) throw new AppError('platform_failed', { reason: 'Dokku does not keep the port of this experiment.' });
}

/** Removes both apps with whatever runs or is built in them, the databases, and the panel's own files. */
export async function destroyApps(host: Host, instanceId: string): Promise<void> {
  for (const app of [trialApp(instanceId), liveApp(instanceId)]) {
    await change(host, appsDestroy(app), { fine: ['app_missing'], isDone: async () => !(await isApp(host, app)) });
    host.settled.delete(app);
    host.fronts.delete(app);
  }
  await destroyServices(host, instanceId);
  await rm(pathsOf(host, instanceId).root, { recursive: true, force: true });
}
