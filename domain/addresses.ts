// How an instance is reached: the one place that decides between sub-domains, ports, paths and host names of one's own.

import { lookup } from 'node:dns/promises';
import net from 'node:net';
import os from 'node:os';
import type { AddressMode, NewAddressMode } from '../contracts/addresses.ts';
import type { RouteAddress } from '../platforms/front-door.ts';
import type { FormerAddress, Instance } from '../prisma/client/client.ts';
import type { Config } from './config.ts';
import type { CertificateFor } from './certificates.ts';
import type { Transaction } from './database.ts';

/** The columns that say how an instance is reached. */
export type Addressed = Pick<Instance, 'id' | 'name' | 'addressMode' | 'port' | 'hostName' | 'frontCertificateUntil'>;

/** The kind by the columns that decide. */
export const modeOf = ({ port, hostName, addressMode }: Pick<Addressed, 'port' | 'hostName' | 'addressMode'>): AddressMode => {
  if (port !== null) return 'port';
  if (addressMode === 'path') return 'path';
  return hostName === null ? 'subdomain' : 'host';
};

/** An address of before in the shape of a present one, so that everything below takes either. */
export const asAddressed = (instance: Pick<Instance, 'id' | 'name'>, former: Pick<FormerAddress, 'mode' | 'port' | 'hostName'>): Addressed => ({
  id: instance.id,
  name: instance.name,
  addressMode: former.mode,
  port: former.port,
  hostName: former.hostName,
  // Only platforms with a front door of their own note one, and there no address changes.
  frontCertificateUntil: null,
});

/** Whether the panel's settings still know this kind: without PATH_URL there are no paths. */
export const isServed = (config: Config, { addressMode }: Pick<Addressed, 'addressMode'>): boolean => addressMode !== 'path' || config.pathUrl !== null;

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Address of an instance without a slash at the end; on Dokku under that host's own domain. */
export function instanceUrl(config: Config, instance: Addressed): string {
  const own = platformHostName(config, instance);
  if (own !== null) return platformUrl(config, own, instance.frontCertificateUntil !== null);
  // Put together by hand: a list asks for fifty, and a URL object costs more than all else of a row.
  const { protocol, hostname, host, port } = config.publicUrl;
  if (instance.port !== null) return instance.port === defaultPorts[protocol] ? `${protocol}//${hostname}` : `${protocol}//${hostname}:${instance.port}`;
  if (instance.addressMode === 'path' && config.pathUrl !== null) return `${config.pathUrl.href}/${instance.name}`;
  if (instance.hostName !== null) return `${protocol}//${instance.hostName}${port === '' ? '' : `:${port}`}`;
  return `${protocol}//${instance.name}.${host}`;
}

/** The platform's own front door sends browsers to https as soon as it has a certificate for the name. */
function platformUrl({ DOKKU_HTTP_PORT, DOKKU_HTTPS_PORT }: Config, hostName: string, isHttps: boolean): string {
  const [protocol, port] = isHttps ? ['https:', DOKKU_HTTPS_PORT] : ['http:', DOKKU_HTTP_PORT];
  return `${protocol}//${hostName}${port === defaultPorts[protocol] ? '' : `:${port}`}`;
}

/** What oTree's own addresses begin with: `/otree/NAME` in mode `path`, otherwise nothing. */
export const pathPrefixOf = (config: Config, instance: Addressed): string =>
  instance.addressMode === 'path' && config.pathUrl !== null ? `${config.pathUrl.pathname}/${instance.name}` : '';

/** The name of an instance at the front door that its platform has of its own; null where the panel's is the only one. */
export const platformHostName = (config: Config, { name }: Pick<Instance, 'name'>): string | null =>
  config.PLATFORM === 'dokku' ? `${name}.${config.DOKKU_DOMAIN}` : null;

/** What goes after `git remote add lab`. */
export const gitRemoteUrl = (config: Config, name: string): string => `ssh://git@${config.publicUrl.hostname}:${config.GIT_SSH_PORT}/${name}.git`;

export const lobbyUrl = (config: Config, name: string, room: string): string => new URL(`/lobby/${name}/${room}`, config.publicUrl).href;

/** Every instance has a session cookie of its own name, because ports share cookies (RFC 6265 §8.5). */
export const cookieNameOf = (instanceId: string): string => `otree_${instanceId}`;

/** What the front door is to answer for this address. @param certificateFor the door's: none where it takes no https */
export function routeAddressOf(config: Config, instance: Addressed, certificateFor: CertificateFor): RouteAddress {
  if (instance.port !== null) return { mode: 'port', port: instance.port, certificate: certificateFor(config.publicUrl.hostname) };
  const prefix = pathPrefixOf(config, instance);
  if (prefix !== '') return { mode: 'path', prefix };
  const hostName = hostNameOf(config, instance);
  return { mode: 'name', hostName, certificate: certificateFor(hostName) };
}

/** The host name of an address that is one: its own, or NAME.HOST. */
export const hostNameOf = (config: Config, instance: Pick<Addressed, 'name' | 'hostName'>): string =>
  instance.hostName ?? `${instance.name}.${config.publicUrl.hostname}`;

/**
 * Sub-domains where a made-up name under the panel's host name leads to this machine, otherwise ports.
 * `localhost` counts: browsers resolve every name under it to the loopback (RFC 6761 §6.3).
 */
export async function resolveAddressMode(config: Config): Promise<NewAddressMode> {
  // No port of this machine leads to an instance on Dokku.
  if (config.PLATFORM === 'dokku') return 'subdomain';
  if (config.ADDRESS_MODE !== 'auto') return config.ADDRESS_MODE;
  const host = config.publicUrl.hostname;
  if (host === 'localhost' || host.endsWith('.localhost')) return 'subdomain';
  return (await leadsHere(config, `arboretum-probe.${host}`)) ? 'subdomain' : 'port';
}

/** Whether this machine takes a name under the panel's for its own, or for where the panel's name leads (a proxy in front). */
export async function leadsHere(config: Config, name: string): Promise<boolean> {
  const host = config.publicUrl.hostname;
  if (name.endsWith('.localhost')) return true;
  if (net.isIP(host.replace(/^\[|\]$/g, ''))) return false;
  const own = new Set(Object.values(os.networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)));
  const [panel, found] = await Promise.all([addressesOf(host), addressesOf(name)]);
  return found.some((address) => own.has(address) || panel.includes(address));
}

const addressesOf = async (host: string): Promise<string[]> => {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
};

/** Until the end of the transaction nobody else gives out a port or a host name. */
export const lockAddresses = (tx: Transaction): Promise<unknown> => tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('arboretum create instance'))`;

/** Whether a host name is an instance's, or was and still leads to it. Call after `lockAddresses`. */
export async function isHostNameGiven(tx: Transaction, hostName: string, exceptOf = ''): Promise<boolean> {
  const [present, former] = [
    await tx.instance.count({ where: { hostName, id: { not: exceptOf } } }),
    await tx.formerAddress.count({ where: { hostName, instanceId: { not: exceptOf } } }),
  ];
  return present + former > 0;
}
