// A stand for the front door's tests: temporary layout, free ports, upstreams on Unix sockets, requests as bytes.

import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../free-ports.ts';
import type { FrontDoorRoute } from '../../platforms/front-door.ts';
import { layoutOf } from '../../platforms/layout.ts';
import { NginxFrontDoor } from '../../platforms/nginx.ts';
import type { NginxOptions } from '../../platforms/nginx.ts';

export const never = new AbortController().signal;

/** A door on a free port over a fresh layout, and a way to clear everything away. */
export async function makeStand(extra: Partial<NginxOptions> & { readonly dataName?: string } = {}) {
  const { dataName = 'data', ...options } = extra;
  const base = await mkdtemp('/tmp/ngx-');
  await chmod(base, 0o755);
  const layout = layoutOf(path.join(base, dataName), path.join(base, 'run'));
  const all: NginxOptions = {
    layout,
    listenPort: await freePort(),
    panelHostNames: ['lab.test'],
    workerUser: 'www-data',
    trustedProxies: [],
    maxPanelBodyMib: 5,
    ...options,
  };
  const upstreams: Upstream[] = [];
  const newDoor = (more: Partial<NginxOptions> = {}): NginxFrontDoor => new NginxFrontDoor({ ...all, ...more });
  const door = newDoor();
  return {
    base,
    layout,
    port: all.listenPort,
    door,
    newDoor,
    /** An oTree stand-in on the instance's socket; `panel` listens where the server would. */
    async upstream(name: string): Promise<Upstream> {
      const upstream = await startUpstream(name, name === 'panel' ? layout.serverSocket : layout.instanceSocket(name));
      upstreams.push(upstream);
      return upstream;
    },
    route: (instanceId: string, more: Partial<FrontDoorRoute> = {}): FrontDoorRoute => ({
      instanceId,
      address: { mode: 'name', hostName: `${instanceId}.lab.test`, certificate: null },
      redirects: [],
      url: `http://${instanceId}.lab.test`,
      upstreamSocket: layout.instanceSocket(instanceId),
      fallback: 'moment',
      cookieName: `otree_${instanceId}`,
      maxBodyMib: 1,
      ...more,
    }),
    ask: (host: string, more: Omit<Question, 'port' | 'host'> & { readonly port?: number } = {}): Promise<Answer> =>
      ask({ port: all.listenPort, host, ...more }),
    async clear(): Promise<void> {
      await Promise.all(upstreams.map((upstream) => upstream.stop()));
      await door.stop(never);
      await rm(base, { recursive: true, force: true });
    },
  };
}

export type Stand = Awaited<ReturnType<typeof makeStand>>;

/** Waits for a condition instead of sleeping. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`);
    await delay(5);
  }
}

export type Question = {
  readonly port: number;
  readonly host: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
  readonly address?: string;
  /** Speak https, naming the host in the handshake. */
  readonly isTls?: boolean;
};
export type Answer = { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly body: string };

/** One request on a connection of its own. */
export function ask({
  port,
  host,
  path: target = '/',
  method = 'GET',
  headers = {},
  body = '',
  address = '127.0.0.1',
  isTls = false,
}: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: address, port, path: target, method, agent: false, headers: { Host: host, ...headers } } as const;
    const secure = { ...options, servername: net.isIP(host) === 0 ? host.replace(/:\d+$/, '') : '', rejectUnauthorized: false } as const;
    const request = (isTls ? https : http).request(isTls ? secure : options, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (text += chunk))
        .on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    request.on('error', reject).end(body);
  });
}

/** What an upstream saw, as it tells in its answer. */
export const seenBy = (answer: Answer) =>
  JSON.parse(answer.body) as { name: string; method: string; url: string; headers: http.IncomingHttpHeaders; body: string };

export type Upstream = Awaited<ReturnType<typeof startUpstream>>;

/** Answers with what it saw; `/busy` with a 503 of its own, `/held` never; `x-set` lines come back as Set-Cookie; upgrades tick, but at `/quiet`. */
export async function startUpstream(name: string, socketPath: string) {
  await mkdir(path.dirname(socketPath), { recursive: true });
  await rm(socketPath, { force: true });
  const seen = { requests: 0, bytes: 0, upgrades: 0 };
  const sockets = new Set<net.Socket>();
  const server = http.createServer({ maxHeaderSize: 256_000 }, (request, response) => {
    seen.requests += 1;
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => ((body += chunk), (seen.bytes += chunk.length)));
    request.on('end', () => {
      if (request.url === '/held') return;
      const lines = request.headers['x-set'];
      if (typeof lines === 'string') response.setHeader('Set-Cookie', lines.split('||'));
      response.writeHead(request.url === '/busy' ? 503 : 200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ name, method: request.method, url: request.url, headers: request.headers, body }));
    });
  });
  server.on('connection', (socket: net.Socket) => sockets.add(socket.on('close', () => sockets.delete(socket))));
  server.on('upgrade', (request: http.IncomingMessage, socket: net.Socket) => {
    seen.upgrades += 1;
    tick(request, socket);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  await chmod(socketPath, 0o777);
  return {
    name,
    seen,
    async stop(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(socketPath, { force: true });
    },
  };
}

/** A websocket's handshake, then a numbered line every 5 ms: nginx passes bytes, so frames would add nothing. */
function tick(request: http.IncomingMessage, socket: net.Socket): void {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  if (request.url === '/quiet') return void socket.on('error', () => undefined);
  let count = 0;
  const timer = setInterval(() => socket.write(`tick ${(count += 1)}\n`), 5);
  socket
    .on('data', (chunk: Buffer) => socket.write(`heard ${chunk.toString()}\n`))
    .on('error', () => undefined)
    .on('close', () => clearInterval(timer));
}

/** A connection that has sent these bytes and reads what comes. */
export async function sendBytes(port: number, bytes: string, localAddress = '127.0.0.1') {
  const socket = net.connect({ port, host: '127.0.0.1', localAddress });
  const state = { text: '', isClosed: false };
  socket
    .setEncoding('utf8')
    .on('data', (chunk: string) => (state.text += chunk))
    .on('error', () => undefined)
    .on('close', () => (state.isClosed = true));
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  socket.write(bytes);
  return { state, socket };
}

/** A websocket's handshake. */
export const handshake = (host: string, target: string): string =>
  `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;

/** A websocket client that counts what arrives. */
export async function openSocket(port: number, host: string, target = '/') {
  const { state, socket } = await sendBytes(port, handshake(host, target));
  await until('the websocket opens', () => state.text.includes('101 Switching') && state.text.includes('tick 1\n'));
  return {
    state,
    say: (word: string): boolean => socket.write(word),
    /** Numbers that arrived, which must be 1, 2, 3 … without a gap. */
    ticks: (): number[] => [...state.text.matchAll(/tick (\d+)\n/g)].map((match) => Number(match[1])),
    close: (): unknown => socket.destroy(),
  };
}
