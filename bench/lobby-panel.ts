// A panel with one manager and one instance for the bench of the Lobby: clicks of participants, rooms, screens that watch.

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { ClientEvents, ServerEvents } from '../contracts/events.ts';
import { makePanel } from '../tests/e2e/panel.ts';

const agent = new http.Agent({ keepAlive: true, maxSockets: 250 });
/** To be removed by whoever measures. */
export const panel = await makePanel();

type Reply = { readonly status: number; readonly location: string; readonly text: string; readonly ms: number };
/** One request as a browser sends it, with what it took in ms. */
export const ask = (method: string, url: URL, headers: http.OutgoingHttpHeaders = {}, body = ''): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const begin = performance.now();
    const options = { agent, method, host: '127.0.0.1', port: url.port, path: url.pathname + url.search, headers: { host: url.host, ...headers } };
    const request = http.request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '', text, ms: performance.now() - begin }));
    });
    request.on('error', reject).end(body);
  });
export const form = { 'content-type': 'application/x-www-form-urlencoded' };

/** Signed in as the first manager by the printed link; the cookie opens the screens, too. */
async function firstManager() {
  const token = /first-run\?token=(\S+)/.exec(panel.output())?.[1] ?? '';
  const api = (to: string): string => `${panel.url}/api/v1${to}`;
  const person = { token, name: 'Ada', userName: 'ada', email: 'ada@lab.example', password: randomBytes(12).toString('hex') };
  const me = await fetch(api('/first-run'), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(person) });
  const cookie = me.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const headers = { cookie, 'content-type': 'application/json', 'x-csrf-token': ((await me.json()) as { csrfToken: string }).csrfToken };
  const send = async <T>(method: string, to: string, body?: unknown): Promise<T> => {
    const answer = await fetch(api(to), { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (!answer.ok) throw new Error(await answer.text());
    return (answer.status === 204 ? null : await answer.json()) as T;
  };
  const ended = async ({ id }: { id: string }): Promise<void> => {
    for (;;) {
      // The front door closes idle connections when it takes up a new address: asked again.
      const { state } = await send<{ state: string }>('GET', `/jobs/${id}`).catch(() => ({ state: 'unknown' }));
      if (state === 'failed') throw new Error(`job ${id} failed`);
      if (state === 'succeeded') return;
      await wait(300);
    }
  };
  return { cookie, send, ended };
}

export const ada = await (async () => {
  await panel.start();
  return firstManager();
})();
const { job } = await ada.send<{ job: { id: string } }>('POST', '/instances', { name: 'crowd' });
await ada.ended(job);

export const makeRoom = (room: string, labels: readonly string[]): Promise<unknown> =>
  ada.send('PUT', `/instances/crowd/rooms/${room}`, { displayName: room, labels: labels.join('\n'), usesSecureUrls: false, since: null });
export const removeRoom = async (room: string): Promise<void> => {
  const { rooms } = await ada.send<{ rooms: { name: string; edited: { at: string } | null }[] }>('GET', '/instances/crowd');
  const since = rooms.find(({ name }) => name === room)?.edited?.at ?? '';
  await ada.send('DELETE', `/instances/crowd/rooms/${room}?since=${encodeURIComponent(since)}&isConfirmed=true`);
};
/** Where somebody at this seat clicks that they are ready. */
export const readyAt = (room: string, label: string): URL => new URL(`/lobby/crowd/${room}/${label}/ready`, panel.url);

type Screen = Socket<ServerEvents, ClientEvents>;
/** Sockets of signed-in people who watch. */
export const openScreens = async (count: number): Promise<Screen[]> => {
  const screens: Screen[] = [];
  while (screens.length < count) {
    const some = Array.from({ length: Math.min(100, count - screens.length) }, (): Screen =>
      io(panel.url, { transports: ['websocket'], extraHeaders: { cookie: ada.cookie }, forceNew: true, reconnection: false }),
    );
    await Promise.all(some.map((screen) => new Promise((resolve, reject) => screen.once('connect', () => resolve(null)).once('connect_error', reject))));
    screens.push(...some);
  }
  return screens;
};

/** The panel's own PostgreSQL, whose address only its processes know. */
export function databaseUrl(): string {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      const url = variables.find((variable) => variable.startsWith('DATABASE_URL='))?.slice('DATABASE_URL='.length);
      if (url && variables.some((variable) => variable === `DATA_DIR=${panel.dataDir}`)) return url;
    } catch {
      continue; // gone, or somebody else's
    }
  }
  throw new Error('the panel’s processes were not found');
}
