// Which host names need a certificate, and which of them an ACME authority can be asked for.

import net from 'node:net';
import { routeAddressOf } from './addresses.ts';
import type { Context } from './context.ts';

type Parts = Pick<Context, 'config' | 'db'>;

/** The panel's host name, that of all paths, and those of instances with a name of their own, in this order. */
export async function namesToCertify({ config, db }: Parts): Promise<readonly string[]> {
  const own = [config.publicUrl.hostname, ...(config.pathUrl?.protocol === 'https:' ? [config.pathUrl.hostname] : [])];
  // On Dokku instances have names of that host, which has certificates of its own.
  const instances = config.PLATFORM === 'dokku' ? [] : await db.instance.findMany({ where: { deletedAt: null }, orderBy: { name: 'asc' } });
  const former = await db.formerAddress.findMany({ where: { hostName: { not: null }, instance: { deletedAt: null } }, orderBy: { hostName: 'asc' } });
  const names = [
    ...own,
    ...instances.map((instance) => routeAddressOf(config, instance)).flatMap((address) => (address.mode === 'name' ? [address.hostName] : [])),
    ...former.flatMap(({ hostName }) => hostName ?? []),
  ];
  return [...new Set(names.map((name) => name.toLowerCase()))];
}

/** Nobody else can reach these names, and an address is no name (RFC 8555 asks for names). */
export const isAskable = (hostName: string): boolean =>
  hostName !== 'localhost' && !hostName.endsWith('.localhost') && net.isIP(hostName.replaceAll(/^\[|\]$/g, '')) === 0;
