// Plays Dokku's nginx on a loopback port: routes by the Host header to the app's running container, websockets too.

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import type { App, State } from './replay-state.ts';

/** What nginx answered for a stopped app, byte for byte. */
const STOPPED_PAGE = readFileSync(path.join(import.meta.dirname, 'stopped-page-0.38.27.html'));

/** Opens the proxy on a free port. */
export async function openProxy(state: State): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer((incoming, response) => pass(state, incoming, response));
  server.on('upgrade', (incoming, socket, head) => upgrade(state, incoming, { socket, head }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: async () => await close(server) };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}

function portOf(state: State, incoming: IncomingMessage): number | null {
  const host = (incoming.headers.host ?? '').replace(/:\d+$/, '');
  const app = [...state.apps.values()].find((app: App) => app.domains.includes(host));
  return app?.container?.isRunning() === true ? app.container.port : null;
}

const forwarded = (incoming: IncomingMessage) => ({
  ...incoming.headers,
  'x-forwarded-for': incoming.socket.remoteAddress ?? '',
  'x-forwarded-port': '80',
  'x-forwarded-proto': 'http',
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
