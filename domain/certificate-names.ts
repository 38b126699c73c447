// Which host names need a certificate, and which of them an ACME authority can be asked for.

import net from 'node:net';
import { asAddressed, isServed, routeAddressOf } from './addresses.ts';
import type { Context } from './context.ts';
import { withFormer } from './routes.ts';

/**
 * Every host name that wants a certificate, each once: the panel's, that of all paths, and those that instances have or had and
 * keep. None where the front door takes no https itself.
 */
export async function namesToCertify({ config, db }: Pick<Context, 'config' | 'db'>): Promise<readonly string[]> {
  if (config.HTTPS_PORT === undefined) return [];
  const paths = config.pathUrl?.protocol === 'https:' ? [config.pathUrl.hostname] : [];
  const own = config.PLATFORM === 'dokku' ? [] : await instanceNames({ config, db });
  return [...new Set([config.publicUrl.hostname, ...paths, ...own])];
}

async function instanceNames({ config, db }: Pick<Context, 'config' | 'db'>): Promise<string[]> {
  const instances = await db.instance.findMany({ where: { deletedAt: null, state: { not: 'failed' } }, include: withFormer, orderBy: { createdAt: 'asc' } });
  return instances
    .flatMap((instance) => [instance, ...instance.formerAddresses.map((former) => asAddressed(instance, former)).filter((one) => isServed(config, one))])
    .map((addressed) => routeAddressOf(config, addressed, () => null))
    .flatMap((address) => (address.mode === 'name' ? [address.hostName] : []));
}

/** Nobody else can reach these names, and an address is no name (RFC 8555 asks for names). */
export const isAskable = (hostName: string): boolean =>
  hostName !== 'localhost' && !hostName.endsWith('.localhost') && net.isIP(hostName.replaceAll(/^\[|\]$/g, '')) === 0;
