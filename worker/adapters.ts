// Chooses the adapters: the only place that knows which platform and which front door there are.

import { statSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { trustedProxiesOf } from '../domain/config.ts';
import type { Context } from '../domain/context.ts';
import type { FrontDoor } from '../platforms/front-door.ts';
import { LocalPlatform } from '../platforms/local/local.ts';
import { NginxFrontDoor } from '../platforms/nginx.ts';
import type { Platform } from '../platforms/platform.ts';
import { Secret } from '../platforms/secret.ts';

/** Owns the package cache and the environments; an id without an account, below those of the instances. */
const buildUserId = 199_999;

/** Where an instance finds its database: the socket's directory of the panel's own server, else host and port. */
function instanceHost(databaseUrl: Secret): string {
  const url = new URL(databaseUrl.open());
  return url.searchParams.get('host') ?? `${url.hostname}:${url.port || '5432'}`;
}

/** @throws when the database's address is not set */
export async function openPlatform({ config, log }: Context): Promise<Platform> {
  const { layout, DATABASE_URL: adminUrl } = config;
  if (!adminUrl) throw new Error('DATABASE_URL is not set: start the panel with npm start.');
  const platform = new LocalPlatform({
    layout,
    systemPython: config.PYTHON,
    uvBinary: path.join(layout.toolsDir, 'bin', 'uv'),
    postgres: { adminUrl, binDir: config.POSTGRES_BIN ?? null, instanceHost: instanceHost(adminUrl) },
    separatesUsers: config.isRoot,
    buildUserId,
    panelGroupId: config.isRoot ? statSync(layout.repositoriesDir).gid : null,
    packageIndex: {
      ...(config.PIP_INDEX_URL ? { indexUrl: new Secret(config.PIP_INDEX_URL) } : {}),
      ...(config.PIP_EXTRA_INDEX_URL ? { extraIndexUrl: new Secret(config.PIP_EXTRA_INDEX_URL) } : {}),
      ...(config.PIP_CERT ? { caFile: config.PIP_CERT } : {}),
    },
    log: (message) => log.info(message),
  });
  await platform.prepare();
  return platform;
}

export function openFrontDoor({ config }: Context): FrontDoor {
  return new NginxFrontDoor({
    layout: config.layout,
    listenPort: config.PORT,
    nginxBinary: config.NGINX,
    workerUser: config.isRoot ? 'arboretum' : null,
    trustedProxies: trustedProxiesOf(config),
    maxPanelBodyMib: Math.max(config.MAX_UPLOAD_MIB, config.UPLOAD_MAX_MIB),
    panelHostNames: isIP(config.publicUrl.hostname.replaceAll(/[[\]]/g, '')) ? [] : [config.publicUrl.hostname],
  });
}
