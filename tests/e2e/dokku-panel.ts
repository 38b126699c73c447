// A whole panel in front of a Dokku host that answers with recordings of a real one.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { DokkuConnection } from '../../platforms/dokku/connection.ts';
import { appsCreate, domainsSet } from '../../platforms/dokku-commands.ts';
import { Secret } from '../../platforms/secret.ts';
import { ReplayHost } from '../dokku/replay-host.ts';
import { newSshKey } from '../../platforms/ssh-key.ts';
import { makePanel, type WholePanel } from './panel.ts';

/** Chromium finds every name under localhost on this machine. */
const domain = 'lab.localhost';
const certificates = '/etc/ssl/certs/ca-certificates.crt';

export type DokkuPanel = {
  readonly panel: WholePanel;
  readonly host: ReplayHost;
  /** The panel's own key, which the host knows. */
  readonly publicKey: string;
  /** Where people reach an instance. */
  address(name: string): string;
  /** Asks an instance through the host's nginx. */
  ask(name: string, where: string): Promise<{ status: number; body: string }>;
  /** Commands of somebody else who has a key for the host. */
  asSomebodyElse(work: (connection: DokkuConnection) => Promise<void>): Promise<void>;
  /** Another app of somebody else's on the host, which has this address. */
  takeAddress(name: string): Promise<void>;
  /** Names of the apps on the host that are no trial apps, by their address. */
  addresses(): readonly string[];
  remove(): Promise<void>;
};

/** Starts the host; the panel is made, but not started. */
export async function makeDokkuPanel(): Promise<DokkuPanel> {
  const databaseUrl = process.env['ARBORETUM_TEST_DATABASE_URL'];
  if (!databaseUrl) throw new Error('ARBORETUM_TEST_DATABASE_URL is set by tests/global-setup.ts');
  const home = mkdtempSync(path.join(os.tmpdir(), 'arb-key-'));
  const keys = newSshKey();
  const keyFile = path.join(home, 'key');
  writeFileSync(keyFile, keys.private, { mode: 0o600 });
  const host = await ReplayHost.start({ publicKey: keys.public, databaseUrl, domain, checkPauseMs: 300 });
  const panel = await makePanel({
    PLATFORM: 'dokku',
    DOKKU_HOST: '127.0.0.1',
    DOKKU_PORT: String(host.port),
    DOKKU_HTTP_PORT: String(host.httpPort),
    DOKKU_HTTPS_PORT: String(host.httpsPort),
    DOKKU_DOMAIN: domain,
    DOKKU_KEY_FILE: keyFile,
    ...(existsSync(certificates) ? { PIP_CERT: certificates } : {}),
  });
  const asSomebodyElse: DokkuPanel['asSomebodyElse'] = async (work) => {
    const connection = new DokkuConnection({ host: '127.0.0.1', port: host.port, user: 'dokku', privateKey: new Secret(keys.private), hostKey: null });
    await work(connection).finally(() => connection.close());
  };
  return {
    panel,
    host,
    asSomebodyElse,
    publicKey: keys.public.split(' ').slice(0, 2).join(' '),
    address: (name) => `http://${name}.${domain}:${host.httpPort}`,
    ask: (name, where) => ask(host.httpPort, `${name}.${domain}`, where),
    async takeAddress(name) {
      await asSomebodyElse(async (connection) => {
        await connection.run(appsCreate('blog'));
        await connection.run(domainsSet('blog', [`${name}.${domain}`]));
      });
    },
    addresses: () => [...host.state.apps.values()].filter(({ name }) => !name.endsWith('-try')).flatMap(({ domains }) => domains),
    async remove() {
      await panel.remove();
      await host.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Node does not resolve `*.localhost` everywhere. */
const ask = (port: number, name: string, where: string): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path: where, agent: false, headers: { host: name } }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      })
      .on('error', reject);
  });
