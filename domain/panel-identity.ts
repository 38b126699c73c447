// How a panel knows itself when it calls its own public address: through proxies and address translation, too.

import { createHash } from 'node:crypto';
import os from 'node:os';
import type { Layout } from '../platforms/layout.ts';

/** Header of `/healthz` that carries the identity. */
export const identityHeader = 'arboretum-panel';
/** Header of `/healthz` that says how the request arrived: protocol and host. */
export const sawHeader = 'arboretum-saw';

/** The same for every process of one panel on one machine, another one for every other panel; no secret. */
export const panelIdentity = ({ dataDir }: Pick<Layout, 'dataDir'>): string =>
  createHash('sha256').update(`arboretum panel ${os.hostname()} ${dataDir}`).digest('hex').slice(0, 16);
