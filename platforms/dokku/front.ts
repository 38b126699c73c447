// Reaching an instance through the Dokku host's own nginx.

import { AppError } from '../../contracts/errors.ts';
import { askOtree as ask, openOtree as open, type OtreePlace } from '../otree-client.ts';
import type { FrontView, FrontWish } from '../own-front.ts';
import type { InstanceAccess, OpenedAnswer, OtreeRequest } from '../platform.ts';
import { certificateOf, ensureCertificate } from './certificates.ts';
import { domainsOf, ensureDomain } from './domains.ts';
import { type Host, liveApp } from './host.ts';

/** What nginx itself answers while nothing stands behind it. */
const NOBODY_THERE = new Set([502, 503]);

/** The host's nginx, asked for the instance's own name; over https where that is what participants use. @throws platform_failed when it has none */
export async function placeOf(host: Host, instanceId: string): Promise<OtreePlace> {
  const app = liveApp(instanceId);
  const front = host.fronts.get(app) ?? { name: await firstName(host, app), isHttps: (await certificateOf(host, app)).isEnabled };
  host.fronts.set(app, front);
  const { host: address, port, httpsPort } = host.http;
  return { host: address, port: front.isHttps ? httpsPort : port, hostHeader: front.name, isHttps: front.isHttps };
}

/** @see Platform.keepFront */
export async function keepFront(host: Host, wish: FrontWish): Promise<FrontView> {
  const { instanceId } = wish;
  const app = liveApp(instanceId);
  await ensureDomain(host, wish);
  const name = wish.hostName ?? (await firstName(host, app));
  const { isEnabled, expiresAt } = await ensureCertificate(host, { instanceId, hostName: name, certificate: wish.certificate });
  host.fronts.set(app, { name, isHttps: isEnabled });
  return { certificateUntil: isEnabled ? (expiresAt ?? new Date(0)) : null };
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
