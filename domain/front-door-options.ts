// What the front door is told by the settings: the same for the worker, which keeps it, and for the start after a reboot.

import { isIP } from 'node:net';
import { trustedProxiesOf, type Config } from './config.ts';

/** Everything but where nginx is found. */
export function frontDoorOptionsOf(config: Config) {
  const { publicUrl, pathUrl, HTTPS_PORT, PATH_PORT } = config;
  return {
    layout: config.layout,
    listenPort: config.PORT,
    https: HTTPS_PORT === undefined ? null : { port: HTTPS_PORT, origin: publicUrl.origin },
    paths: pathUrl === null ? null : { url: pathUrl.href, port: PATH_PORT ?? null },
    hstsDays: config.HSTS_DAYS,
    workerUser: config.isRoot ? 'arboretum' : null,
    trustedProxies: trustedProxiesOf(config),
    maxPanelBodyMib: Math.max(config.MAX_UPLOAD_MIB, config.UPLOAD_MAX_MIB),
    panelHostNames: isIP(publicUrl.hostname.replaceAll(/[[\]]/g, '')) ? [] : [publicUrl.hostname],
  };
}
