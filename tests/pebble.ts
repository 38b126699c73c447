// Pebble, the ACME authority that Let's Encrypt tests with: installed from its source, run on loopback with a certificate of its own.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { startDns, type DnsServer } from './dns-server.ts';
import { freePort } from './free-ports.ts';

export type Pebble = {
  readonly directoryUrl: string;
  /** Certificate authority of its https, a file. */
  readonly caFile: string;
  readonly dns: DnsServer;
  /** What it wrote. */
  log(): string;
  /** Root of the certificates that it gives, PEM. */
  root(): Promise<string>;
  close(): Promise<void>;
};

type Wanted = {
  /** Where it asks for the answer to a challenge; left out: where nobody listens. */
  readonly httpPort?: number;
  /** How many of a hundred good nonces it refuses. */
  readonly refusedNonces?: number;
  /** Names that it gives no certificate for. */
  readonly blocked?: readonly string[];
  /** How long its certificates are good. */
  readonly days?: number;
};

/** Whether there is one: the set-up of the test run fetches it, and must in CI. */
export const hasPebble = Boolean(process.env['ARBORETUM_TEST_PEBBLE']);

/** Waits until it answers. Every name that `dns` is told leads where the test says; others do not exist. */
export async function startPebble({ httpPort, refusedNonces = 0, blocked = [], days = 90 }: Wanted = {}): Promise<Pebble> {
  const home = mkdtempSync(path.join(os.tmpdir(), 'arb-pebble-'));
  const at = (name: string): string => path.join(home, name);
  const [port, managementPort] = [await freePort(), await freePort()];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      at('key.pem'),
      '-out',
      at('cert.pem'),
      '-days',
      '3',
      '-subj',
      '/CN=localhost',
    ].concat(['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']),
    { stdio: 'pipe' },
  );
  writeFileSync(
    at('config.json'),
    JSON.stringify({
      pebble: {
        listenAddress: `127.0.0.1:${port}`,
        managementListenAddress: `127.0.0.1:${managementPort}`,
        certificate: at('cert.pem'),
        privateKey: at('key.pem'),
        httpPort: httpPort ?? (await freePort()),
        tlsPort: await freePort(),
        domainBlocklist: blocked,
        keyAlgorithm: 'ecdsa',
        profiles: { default: { description: 'of a test', validityPeriod: days * 86_400 } },
      },
    }),
  );
  const dns = await startDns();
  const child = spawn(process.env['ARBORETUM_TEST_PEBBLE'] ?? '', ['-config', at('config.json'), '-dnsserver', dns.address], {
    env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: String(refusedNonces), PEBBLE_AUTHZREUSE: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (written += text));
  const exited = once(child, 'exit');
  const directoryUrl = `https://localhost:${port}/dir`;
  while (!(await get(directoryUrl).catch(() => null))) if (child.exitCode !== null) throw new Error(`pebble ended: ${written}`);
  return {
    directoryUrl,
    caFile: at('cert.pem'),
    dns,
    log: () => written,
    root: () => get(`https://localhost:${managementPort}/roots/0`),
    async close() {
      child.kill('SIGTERM');
      await exited;
      await dns.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Whoever asks trusts it: it is the test's own. */
const get = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    https
      .get(url, { rejectUnauthorized: false }, (response) => {
        let body = '';
        response
          .setEncoding('utf8')
          .on('data', (piece: string) => (body += piece))
          .on('end', () => resolve(body));
      })
      .on('error', reject);
  });

export type ChallengeServer = {
  readonly port: number;
  /** Paths that were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
};

/** What the front door does for challenges: serves the folder below the well-known path. @param answer takes the place of every file */
export async function serveChallenges(folder: () => string, answer?: () => string | null): Promise<ChallengeServer> {
  const asked: string[] = [];
  const server = http.createServer((request, response) => {
    asked.push(`${request.headers.host?.split(':')[0]}${request.url}`);
    try {
      const other = answer?.();
      response.end(other ?? readFileSync(path.join(folder(), path.basename(request.url ?? '')), 'utf8'));
    } catch {
      response.writeHead(404).end('nothing here');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}
