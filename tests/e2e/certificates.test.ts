// Https from nothing: a panel that has no certificate gets one from a real ACME authority through its own front door.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hasPebble, startPebble, type Pebble } from '../pebble.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { freePorts } from '../free-ports.ts';
import { until } from './until.ts';

let pebble: Pebble;
let panel: WholePanel;
let httpsPort = 0;

beforeAll(async () => {
  if (!hasPebble) return;
  const [httpPort = 0, https = 0] = await freePorts(2);
  httpsPort = https;
  pebble = await startPebble({ httpPort });
  pebble.dns.tell('lab.test', ['127.0.0.1']);
  panel = await makePanel({
    PORT: String(httpPort),
    PUBLIC_URL: 'https://lab.test',
    HTTPS_PORT: String(httpsPort),
    ACME_EMAIL: 'lab@lab.test',
    ACME_DIRECTORY_URL: pebble.directoryUrl,
    ACME_CA_FILE: pebble.caFile,
  });
  await panel.start();
}, 400_000);
afterAll(async () => {
  await panel?.remove();
  await pebble?.close();
}, 240_000);

/** What the front door shows for this name, null: the handshake is refused, or it is not trusted. */
const handshake = (name: string, ca: string): Promise<string | null> =>
  new Promise((resolve) => {
    const socket = tls.connect({ port: httpsPort, host: '127.0.0.1', servername: name, ca }, () => {
      resolve(socket.getPeerCertificate().subjectaltname ?? '');
      socket.end();
    });
    socket.on('error', () => resolve(null));
  });

it.skipIf(!hasPebble)(
  'the panel’s name is trusted a moment after the start, and nothing is left of the proof',
  async () => {
    const root = await pebble.root();
    expect(await until('https with a trusted certificate', () => handshake('lab.test', root), { withinMs: 60_000 })).toBe('DNS:lab.test');
    expect(await handshake('other.test', root)).toBeNull();
    expect(readdirSync(path.join(panel.dataDir, 'nginx', 'acme-challenges'))).toEqual([]);
  },
  120_000,
);

it.skipIf(!hasPebble)(
  'http leads on to https',
  async () => {
    const response = await fetch(`http://127.0.0.1:${panel.env['PORT']}/sign-in`, { redirect: 'manual', headers: { host: 'lab.test' } });
    expect(response.status).toBe(308);
  },
  60_000,
);
