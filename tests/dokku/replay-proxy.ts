// Plays Dokku's nginx on a loopback port: routes by the Host header to the app's running container, websockets too.

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { App, State } from './replay-state.ts';

/** What nginx answered for a stopped app, byte for byte. */
const STOPPED_PAGE = readFileSync(path.join(import.meta.dirname, 'stopped-page-0.38.27.html'));

export type Proxy = {
  readonly port: number;
  readonly httpsPort: number;
  /** Requests of which nobody saw how nginx answers them. */
  readonly unrecorded: readonly string[];
  readonly close: () => Promise<void>;
};

/** Opens the proxy on two free ports. What an app with a certificate answers over plain http was not recorded. */
export async function openProxy(state: State): Promise<Proxy> {
  const unrecorded: string[] = [];
  const server = createServer((incoming, response) => {
    const app = appOf(state, incoming);
    if (app !== null && app.certificate !== null) unrecorded.push(`http://${incoming.headers.host ?? ''}${incoming.url ?? ''} of an app with a certificate`);
    pass(state, incoming, response);
  });
  const secured = createSecureServer({ SNICallback: (name, done) => choose(state, name, done) }, (incoming, response) => pass(state, incoming, response));
  for (const one of [server, secured]) {
    one.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => upgrade(state, incoming, { socket, head }));
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  }
  return {
    port: (server.address() as AddressInfo).port,
    httpsPort: (secured.address() as AddressInfo).port,
    unrecorded,
    close: async () => {
      await close(server);
      await close(secured);
    },
  };
}

/** The certificate of the app that has this name. */
function choose(state: State, name: string, done: (error: Error | null, context?: SecureContext) => void): void {
  const certificate = [...state.apps.values()].find(({ domains }) => domains.includes(name))?.certificate ?? null;
  if (certificate === null) return done(new Error(`no certificate for ${name}`));
  done(null, createSecureContext({ cert: certificate.chain, key: certificate.key }));
}

async function close(server: Server | SecureServer): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}

function appOf(state: State, incoming: IncomingMessage): App | null {
  const host = (incoming.headers.host ?? '').replace(/:\d+$/, '');
  return [...state.apps.values()].find(({ domains }) => domains.includes(host)) ?? null;
}

function portOf(state: State, incoming: IncomingMessage): number | null {
  const app = appOf(state, incoming);
  return app?.container?.isRunning() === true ? app.container.port : null;
}

const forwarded = (incoming: IncomingMessage) => ({
  ...incoming.headers,
  'x-forwarded-for': incoming.socket.remoteAddress ?? '',
  'x-forwarded-port': incoming.socket instanceof TLSSocket ? '443' : '80',
  'x-forwarded-proto': incoming.socket instanceof TLSSocket ? 'https' : 'http',
  'x-request-start': `${Date.now() / 1000}`,
});

function pass(state: State, incoming: IncomingMessage, response: ServerResponse): void {
  const port = portOf(state, incoming);
  if (port === null) return refuse(incoming, response);
  const inner = request({ host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers: forwarded(incoming), agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  inner.on('error', () => (response.headersSent ? response.destroy() : refuse(incoming, response)));
  response.on('close', () => inner.destroy());
  incoming.pipe(inner);
}

/** @see record http-get-stopped (HTTP/1.1 502 Bad Gateway, Server: nginx) */
function refuse(incoming: IncomingMessage, response: ServerResponse): void {
  incoming.resume();
  response.writeHead(502, { server: 'nginx', 'content-type': 'text/html', 'content-length': STOPPED_PAGE.length, etag: '"6b015367-281"' });
  response.end(STOPPED_PAGE);
}

function upgrade(state: State, incoming: IncomingMessage, { socket, head }: { socket: Duplex; head: Buffer }): void {
  const port = portOf(state, incoming);
  if (port === null) return void socket.end('HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\nConnection: close\r\n\r\n');
  const inner = connect(port, '127.0.0.1', () => {
    const headers = Object.entries(forwarded(incoming)).map(([name, value]) => `${name}: ${String(value)}`);
    inner.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
    inner.write(head);
    socket.pipe(inner).pipe(socket);
  });
  for (const [one, other] of [
    [socket, inner],
    [inner, socket],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
}
