// What the front door is opened with, and how it becomes nginx's settings on this machine.

import { networkInterfaces } from 'node:os';
import { AppError } from '../contracts/errors.ts';
import type { Layout } from './layout.ts';
import { connectionsPerAddressOf } from './nginx-limits.ts';
import type { NginxHost } from './nginx-host.ts';
import type { NginxBuild } from './nginx-process.ts';
import type { NginxSettings, PathDoor } from './nginx-settings.ts';

export type NginxOptions = {
  readonly layout: Layout;
  /** The panel's and all sub-domains' port; 8080. */
  readonly listenPort: number;
  /** Where https is taken, and the panel's address as people type it (`https://HOST[:PORT]`). Unset: not by us. */
  readonly https?: { readonly port: number; readonly origin: string } | null;
  /** Host names of the panel without port. Unset: the panel answers to every name that no instance has. */
  readonly panelHostNames?: readonly string[];
  /** The address of all paths without a slash at the end, and its own listener, if any. */
  readonly paths?: { readonly url: string; readonly port: number | null } | null;
  /** How many days browsers shall insist on https; 0, or unset: not said. */
  readonly hstsDays?: number;
  /** Found in PATH, or absolute; `nginx`. */
  readonly nginxBinary?: string;
  /** Who keeps nginx, when it does not run beside us. */
  readonly nginxHost?: NginxHost;
  /** User and group of the workers; counts only as root. */
  readonly workerUser: string | null;
  /** Addresses and networks of proxies in front whose X-Forwarded-Proto and -For are believed. */
  readonly trustedProxies: readonly string[];
  readonly maxPanelBodyMib: number;
  /** How many connections one client address may have; unset: as nginx-limits.ts says. */
  readonly connectionsPerAddress?: number;
};

/** @param build what the installed nginx can do; null: there is none @throws platform_failed when that is too little */
export function settingsOf(options: NginxOptions, build: NginxBuild | null): NginxSettings {
  if (build === null) throw new AppError('platform_failed', { reason: `there is no ${options.nginxBinary ?? 'nginx'}; install the package nginx.` });
  const https = options.https ?? null;
  // `ssl_reject_handshake` came with it: without, a name with no certificate would be shown another one's.
  if (https !== null && !(build.isAtLeast(1, 19, 4) && build.hasTls))
    throw new AppError('platform_failed', { reason: 'HTTPS_PORT needs nginx 1.19.4 or later with its ssl module.' });
  return {
    layout: options.layout,
    listenPort: options.listenPort,
    https,
    panelHostNames: options.panelHostNames ?? [],
    pathDoor: pathDoorOf(options),
    hstsDays: options.hstsDays ?? 0,
    workerUser: process.getuid?.() === 0 ? options.workerUser : null,
    trustedProxies: options.trustedProxies,
    maxPanelBodyMib: options.maxPanelBodyMib,
    hasIpv6: Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ family }) => family === 'IPv6')),
    canEditCookieFlags: build.isAtLeast(1, 19, 3),
    http2: !build.hasHttp2 ? 'none' : build.isAtLeast(1, 25, 1) ? 'directive' : 'listen',
    canKeepResting: build.isAtLeast(1, 27, 4),
    openFiles: build.openFiles,
    connectionsPerAddress: options.connectionsPerAddress ?? connectionsPerAddressOf(build.openFiles),
  };
}

function pathDoorOf({ paths = null, https = null }: NginxOptions): PathDoor | null {
  if (paths === null) return null;
  const { hostname, origin, pathname, protocol } = new URL(paths.url);
  return { hostName: hostname, origin, prefix: pathname, port: paths.port, isTls: protocol === 'https:' && https !== null };
}
