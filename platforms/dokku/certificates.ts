// https at the Dokku host's own nginx: a certificate that the panel has, one by the plugin letsencrypt, or none.

import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { AppError } from '../../contracts/errors.ts';
import { certsAdd, certsRemove, certsReport, letsencryptEnable, letsencryptSet, pluginList, portsReport, portsSet } from '../dokku-commands.ts';
import { type DokkuCertificate, readCertificate, readPlugins, readPorts } from '../dokku-reports.ts';
import type { DoorCertificate } from '../front-door.ts';
import { keepFile, readSmallFile } from '../kept-files.ts';
import { ask, change } from './asking.ts';
import { type Host, liveApp, pathsOf, portsOf } from './host.ts';
import { packTar } from './small-tar.ts';

/** After an attempt that failed: an authority counts failures by the hour and the week. */
const LETSENCRYPT_PAUSE_MS = 12 * 3600_000;

type Wish = { readonly instanceId: string; readonly hostName: string; readonly certificate: DoorCertificate | null };
type Wanted = { readonly tar: Buffer; readonly mark: string; readonly expiresAt: Date };

/** The certificate with which the host's nginx shows an app. @throws platform_failed */
export const certificateOf = async (host: Host, app: string): Promise<DokkuCertificate> => readCertificate((await ask(host, certsReport(app))).stdout);

/**
 * Makes a running instance's app show this certificate, and reads it back. Without one, an earlier one of the panel's is
 * taken away, and one that others put there stays. Its key goes there on stdin.
 * @throws platform_failed when the certificate does not fit the name or its key, or Dokku does not keep it
 */
export async function ensureCertificate(host: Host, wish: Wish): Promise<DokkuCertificate> {
  const app = liveApp(wish.instanceId);
  const file = pathsOf(host, wish.instanceId).certificate;
  const [before, sent] = [await certificateOf(host, app), await readSmallFile(file)];
  if (wish.certificate !== null) {
    const wanted = read(wish.certificate, wish.hostName);
    if (sent === wanted.mark && isShown(before, wanted)) return before;
    await send(host, app, wanted);
    await keepFile(file, wanted.mark);
  } else if (sent !== null) {
    if (before.isEnabled) await change(host, certsRemove(app), { isDone: async () => !(await certificateOf(host, app)).isEnabled });
    await rm(file, { force: true });
  } else if (!before.isEnabled && host.letsencryptEmail !== null) {
    await orderOne(host, app, host.letsencryptEmail);
  } else return before;
  return await certificateOf(host, app);
}

async function send(host: Host, app: string, wanted: Wanted): Promise<void> {
  const isDone = async (): Promise<boolean> => isShown(await certificateOf(host, app), wanted);
  await change(host, certsAdd(app), { input: wanted.tar, isDone });
  if (!(await isDone())) throw new AppError('platform_failed', { reason: 'Dokku does not keep the certificate of this experiment.' });
  await ensureHttpsPort(host, app);
}

const isShown = ({ isEnabled, expiresAt }: DokkuCertificate, wanted: Wanted): boolean => isEnabled && expiresAt?.getTime() === wanted.expiresAt.getTime();

/** Dokku adds the port by itself (0.38); one that does not would show the app over http only. */
async function ensureHttpsPort(host: Host, app: string): Promise<void> {
  const maps = readPorts((await ask(host, portsReport(app))).stdout);
  if (maps.some(({ scheme }) => scheme === 'https')) return;
  await change(host, portsSet(app, portsOf(true)), { isDone: async () => true });
}

/** Files under the names that `certs:add` looks for. @throws platform_failed */
function read({ chain, privateKey }: DoorCertificate, hostName: string): Wanted {
  const refuse = (reason: string): never => {
    throw new AppError('platform_failed', { reason: `the certificate for ${hostName} cannot be used: ${reason}.` });
  };
  try {
    const own = new X509Certificate(chain);
    if (own.checkHost(hostName) === undefined) refuse('it is for another name');
    if (!own.checkPrivateKey(createPrivateKey(privateKey.open()))) refuse('its key does not belong to it');
    const tar = packTar({ 'server.crt': chain, 'server.key': privateKey.open() });
    return { tar, mark: createHash('sha256').update(chain).digest('hex'), expiresAt: new Date(own.validTo) };
  } catch (error) {
    if (error instanceof AppError) throw error;
    return refuse('it, or its key, cannot be read');
  }
}

/**
 * Lets the plugin letsencrypt get one. Its answers were not recorded: the words are those of its manual, only the exit
 * code is believed, and `certs:report` tells what came of it.
 * @throws platform_failed when it is not installed, or did not get one
 */
async function orderOne(host: Host, app: string, email: string): Promise<void> {
  if (Date.now() < (host.letsencryptAfter.get(app) ?? 0)) return;
  host.letsencryptAfter.set(app, Date.now() + LETSENCRYPT_PAUSE_MS);
  const plugins = readPlugins((await ask(host, pluginList())).stdout);
  if (!plugins.some(({ name, isEnabled }) => name === 'letsencrypt' && isEnabled))
    throw new AppError('platform_failed', { reason: 'DOKKU_LETSENCRYPT_EMAIL is set, but the Dokku host has no plugin letsencrypt.' });
  await change(host, letsencryptSet(app, email), { isDone: async () => true });
  await change(host, letsencryptEnable(app), { isDone: async () => (await certificateOf(host, app)).isEnabled });
}
