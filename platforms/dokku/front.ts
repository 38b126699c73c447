// Reaching an instance through the Dokku host's own nginx.

import { AppError } from '../../contracts/errors.ts';
import { askOtree as ask, openOtree as open, type OtreePlace } from '../otree-client.ts';
import type { InstanceAccess, OpenedAnswer, OtreeRequest } from '../platform.ts';
import { domainsOf } from './domains.ts';
import { type Host, liveApp } from './host.ts';

/** What nginx itself answers while nothing stands behind it. */
const NOBODY_THERE = new Set([502, 503]);

/** The host's nginx, asked for the instance's own name. @throws platform_failed when it has none */
export async function placeOf(host: Host, instanceId: string): Promise<OtreePlace> {
  const app = liveApp(instanceId);
  const name = host.names.get(app) ?? (await firstName(host, app));
  host.names.set(app, name);
  return { ...host.http, hostHeader: name };
}

async function firstName(host: Host, app: string): Promise<string> {
  const [name] = await domainsOf(host, app);
  if (name === undefined) throw new AppError('platform_failed', { reason: 'the experiment has no domain on the Dokku host.' });
  return name;
}

/** @see Platform.askOtree */
export async function askOtree(host: Host, spec: InstanceAccess, request: OtreeRequest): Promise<{ status: number; body: string }> {
  const answer = await ask(await placeOf(host, spec.instanceId), spec.restKey, request);
  if (NOBODY_THERE.has(answer.status)) throw new AppError('not_running');
  return answer;
}

/** @see Platform.openOtree */
export async function openOtree(host: Host, spec: InstanceAccess, request: Pick<OtreeRequest, 'path' | 'timeoutMs'>): Promise<OpenedAnswer> {
  const answer = await open(await placeOf(host, spec.instanceId), spec.restKey, request);
  if (!NOBODY_THERE.has(answer.status)) return answer;
  answer.body.destroy();
  throw new AppError('not_running');
}
