// The name under which the host's nginx shows an instance: one for each, and nobody else's.

import { AppError } from '../../contracts/errors.ts';
import { appsList, domainsReport, domainsSet } from '../dokku-commands.ts';
import { explainFailure } from '../dokku-failures.ts';
import { readApps, readDomains } from '../dokku-reports.ts';
import type { InstanceSpec } from '../platform.ts';
import { ask, change, failure, tryToAsk } from './asking.ts';
import { type Host, liveApp, trialApp } from './host.ts';

type Named = Pick<InstanceSpec, 'instanceId' | 'hostName'>;

/** Names under which the host's nginx shows an app. */
export async function domainsOf(host: Host, app: string): Promise<readonly string[]> {
  return readDomains((await ask(host, domainsReport(app))).stdout).hosts;
}

/**
 * Makes sure that the instance has its name at the host's nginx, and no other.
 * @throws host_name_taken; platform_failed when the host gives new apps no name and none is wanted
 */
export async function ensureDomain(host: Host, spec: Named): Promise<void> {
  const app = liveApp(spec.instanceId);
  const names = await domainsOf(host, app);
  const { hostName } = spec;
  if (hostName === null && names.length === 0) throw new AppError('platform_failed', { reason: 'the Dokku host gives new apps no domain: set DOKKU_DOMAIN.' });
  const hasIt = async (): Promise<boolean> => hostName === null || (await domainsOf(host, app)).join(' ') === hostName;
  if (hostName === null || names.join(' ') === hostName) return;
  await requireFreeName(host, spec);
  await change(host, domainsSet(app, [hostName]), { isDone: hasIt });
  if (!(await hasIt())) throw new AppError('platform_failed', { reason: 'Dokku does not keep the address of this experiment.' });
  host.fronts.delete(app);
}

/** Dokku gives the same name to two apps without a word, and nginx then shows one of them. @throws host_name_taken */
export async function requireFreeName(host: Host, { instanceId, hostName }: Named): Promise<void> {
  if (hostName === null) return;
  const own = [liveApp(instanceId), trialApp(instanceId)];
  const others = readApps((await ask(host, appsList())).stdout).filter((app) => !own.includes(app));
  const owners = await Promise.all(others.map(async (app) => ((await namesOf(host, app)).includes(hostName) ? [app] : [])));
  const [app] = owners.flat();
  if (app !== undefined) throw new AppError('host_name_taken', { app, hostName });
}

/** Of any app; none when it has been destroyed meanwhile. */
async function namesOf(host: Host, app: string): Promise<readonly string[]> {
  const command = domainsReport(app);
  const result = await tryToAsk(host, command);
  if (result.exitCode === 0) return readDomains(result.stdout).hosts;
  if (explainFailure(command, result).kind === 'app_missing') return [];
  throw failure(command, result);
}
