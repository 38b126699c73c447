// The Lobby under a crowd: goals P1 (2,000 clicks in a second), P2 (one click on 2,000 screens), P3 (a paced hand-over to one real oTree).
// node --import tsx bench/lobby.ts [PEOPLE] [PEOPLE FOR OTREE]; beside each its limit, measured in the same run.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { makeLabels } from '../contracts/rooms.ts';
import { machine, median, print, table } from './figures.ts';
import { ada, ask, databaseUrl, form, makeRoom, openScreens, panel, readyAt, removeRoom } from './lobby-panel.ts';

const people = Number(process.argv[2] ?? 2000);
const forOtree = Number(process.argv[3] ?? 300);
const watchers = 20;
const round = (value: number): number => Math.round(value * 10) / 10;
const at99 = (list: readonly number[]): number => list.toSorted((one, other) => one - other)[Math.floor(list.length * 0.99)] ?? Number.NaN;

/** Spread evenly over a second. */
const inOneSecond = async (count: number, act: (index: number) => Promise<number>): Promise<number[]> => {
  const begin = performance.now();
  const times: Promise<number>[] = [];
  for (let index = 0; index < count; index += 1) {
    const due = begin + (1000 * index) / count;
    if (due > performance.now()) await wait(due - performance.now());
    times.push(act(index));
  }
  return Promise.all(times);
};

const limit = fork(path.join(import.meta.dirname, 'lobby-limit.ts'), { execArgv: ['--import', 'tsx'] });
type RawSocket = {
  send(text: string): void;
  on(event: 'message', listener: (data: Buffer) => void): RawSocket;
  on(event: 'open', listener: () => void): RawSocket;
  terminate(): void;
};
const engine = createRequire(createRequire(import.meta.url).resolve('socket.io'));
const RawWebSocket = createRequire(engine.resolve('engine.io'))('ws') as new (url: string) => RawSocket;

async function openLimit(): Promise<(count: number) => Promise<RawSocket[]>> {
  limit.send(databaseUrl());
  const [{ port }] = (await once(limit, 'message')) as [{ port: number }];
  const open = (): Promise<RawSocket> =>
    new Promise((resolve) => {
      const socket = new RawWebSocket(`ws://127.0.0.1:${port}`).on('open', () => resolve(socket));
    });
  return (count) => Promise.all(Array.from({ length: count }, open));
}

/** The Lobby: HTTP through the front door, committed before the answer; screens hear differences. */
async function clicksOfLobby(name: string) {
  const rooms = [`${name}_a`, `${name}_b`] as const;
  const half = Math.ceil(people / 2);
  for (const room of rooms) await makeRoom(room, makeLabels('P', half));
  const labels = makeLabels('P', half);
  const screens = await openScreens(watchers);
  const ready = screens.map(() => new Map<string, number>());
  let lastNews = 0;
  for (const [index, screen] of screens.entries())
    screen.on('seats', ({ room, counts }) => {
      ready[index]?.set(room, counts.ready);
      if (rooms.reduce((sum, one) => sum + (ready[index]?.get(one) ?? 0), 0) === half * 2) lastNews = performance.now();
    });
  let lastAnswer = 0;
  const begin = performance.now();
  const times = await inOneSecond(half * 2, async (index) => {
    const { status, ms } = await ask('POST', readyAt(rooms[index % 2] ?? rooms[0], labels[Math.floor(index / 2)] ?? ''), form);
    if (status !== 303) throw new Error(`a click was answered ${status}`);
    lastAnswer = performance.now();
    return ms;
  });
  const areRight = (): boolean => lastNews > 0;
  while (!areRight() && performance.now() - lastAnswer < 10_000) await wait(10);
  const seats = await Promise.all(rooms.map((room) => ada.send<{ counts: { ready: number } }>('GET', `/instances/crowd/rooms/${room}/seats`)));
  const kept = seats.reduce((sum, { counts }) => sum + counts.ready, 0);
  for (const screen of screens) screen.disconnect();
  for (const room of rooms) await removeRoom(room);
  return {
    ackP50: round(median(times)),
    ackP99: round(at99(times)),
    seconds: round((lastAnswer - begin) / 1000),
    screensRightAfterMs: round(lastNews - lastAnswer),
    lost: half * 2 - kept,
  };
}

async function clicksOfLimit(open: (count: number) => Promise<RawSocket[]>, name: string) {
  const sockets = await open(250);
  const waiting = new Map<string, (ms: number) => void>();
  for (const socket of sockets) {
    socket.on('message', (data) => {
      const { acknowledged } = JSON.parse(data.toString()) as { acknowledged?: string };
      if (acknowledged !== undefined) waiting.get(acknowledged)?.(performance.now());
    });
  }
  const times = await inOneSecond(people, (index) => {
    const begin = performance.now();
    const label = `${name}-${index}`;
    return new Promise((resolve) => {
      waiting.set(label, (at) => resolve(at - begin));
      sockets[index % sockets.length]?.send(JSON.stringify({ label, show: false }));
    });
  });
  for (const socket of sockets) socket.terminate();
  return { ackP50: round(median(times)), ackP99: round(at99(times)) };
}

/** One click → every screen has it; `clicks` one after the other, in ms each. */
async function fanOut(open: (count: number) => Promise<RawSocket[]>, clicks = 12) {
  await makeRoom('fan', makeLabels('P', 50));
  const screens = await openScreens(people);
  const lobby: number[] = [];
  for (const label of makeLabels('P', clicks)) {
    await wait(400);
    const begin = performance.now();
    const heard = Promise.all(screens.map((screen) => new Promise((resolve) => screen.once('seats', resolve))));
    await ask('POST', readyAt('fan', label), form);
    await heard;
    lobby.push(performance.now() - begin);
  }
  for (const screen of screens) screen.disconnect();
  const sockets = await open(people);
  let heard = 0;
  let done = (): void => undefined;
  for (const socket of sockets)
    socket.on('message', (data) => {
      if (data.toString().includes('shown') && (heard += 1) === sockets.length) done();
    });
  const raw: number[] = [];
  for (let click = 0; click < clicks; click += 1) {
    await wait(400);
    heard = 0;
    const begin = performance.now();
    await new Promise<void>((resolve) => {
      done = resolve;
      sockets[0]?.send(JSON.stringify({ label: `fan-${click}`, show: true }));
    });
    raw.push(performance.now() - begin);
  }
  for (const socket of sockets) socket.terminate();
  return { lobbyMs: lobby.map(round), rawMs: raw.map(round), ratio: Math.round((100 * median(lobby)) / median(raw)) / 100 };
}

/** From the oTree room to the first page, as a browser goes: redirects, one cookie. Milliseconds, or an error. */
async function enterOtree(url: string): Promise<number> {
  const begin = performance.now();
  let at = new URL(url);
  let cookie = '';
  for (let hop = 0; hop < 6; hop += 1) {
    const response = await ask('GET', at, cookie === '' ? {} : { cookie });
    if (response.status === 200) return performance.now() - begin;
    if (response.status < 300 || response.status >= 400) throw new Error(`${at.pathname}: ${response.status}`);
    at = new URL(response.location, at);
    cookie = '';
  }
  throw new Error('too many redirects');
}

async function handOver() {
  const { id } = await ada.send<{ id: string }>('POST', '/instances/crowd/jobs', { kind: 'deploy-sample' });
  await ada.ended({ id });
  const labels = makeLabels('P', forOtree);
  const open = async (room: string): Promise<void> => {
    await makeRoom(room, labels);
    await ada.send('POST', `/instances/crowd/rooms/${room}/sessions`, { sessionConfigName: 'trust_game', numParticipants: forOtree });
  };
  await open('direct');
  const host = new URL(`http://crowd.localhost:${panel.port}`);
  const todo = [...labels];
  const directTimes: number[] = [];
  const directBegin = performance.now();
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      for (let label = todo.pop(); label !== undefined; label = todo.pop())
        directTimes.push(await enterOtree(new URL(`/room/direct?participant_label=${label}&welcome_page_ok=1`, host).href));
    }),
  );
  const limitSeconds = (performance.now() - directBegin) / 1000;

  await open('paced');
  const pages: number[] = [];
  let errors = 0;
  const begin = performance.now();
  await Promise.all(
    labels.map(async (label) => {
      try {
        let { location } = await ask('POST', readyAt('paced', label), form);
        while (!location.startsWith('http')) {
          const { text } = await ask('GET', new URL(location, panel.url));
          const [, seconds = '1', url = ''] = /http-equiv="refresh" content="(\d+);url=([^"]+)"/.exec(text) ?? [];
          await wait(Number(seconds) * 1000);
          location = url.replaceAll('&amp;', '&') || location;
        }
        pages.push(await enterOtree(location));
      } catch {
        errors += 1;
      }
    }),
  );
  const seconds = (performance.now() - begin) / 1000;
  return {
    people: forOtree,
    limit: { seconds: round(limitSeconds), perSecond: round(forOtree / limitSeconds), pageP99: round(at99(directTimes)) },
    paced: { seconds: round(seconds), errors, pageP50: round(median(pages)), pageP99: round(at99(pages)), slowest: round(Math.max(...pages)) },
    ratio: Math.round((100 * seconds) / limitSeconds) / 100,
  };
}

try {
  const open = await openLimit();
  // Programs that were just started are slow: nobody clicks in the first second of a panel.
  await clicksOfLobby('warm');
  const clicks: { lobby: Awaited<ReturnType<typeof clicksOfLobby>>; limit: Awaited<ReturnType<typeof clicksOfLimit>> }[] = [];
  for (let run = 1; run <= 3; run += 1) clicks.push({ limit: await clicksOfLimit(open, `run${run}`), lobby: await clicksOfLobby(`run${run}`) });
  process.stderr.write(`${JSON.stringify(clicks)}\n`);
  const screens = await fanOut(open);
  process.stderr.write(`${JSON.stringify(screens)}\n`);
  const otree = await handOver();
  print({ machine: machine(), people, clicks, screens, otree });
  table(
    ['goal', 'Lobby', 'limit', 'ratio'],
    [
      ['P1 acknowledged, p99 ms', median(clicks.map(({ lobby }) => lobby.ackP99)), median(clicks.map((run) => run.limit.ackP99))],
      ['P2 one click on all screens, ms', median(screens.lobbyMs), median(screens.rawMs)],
      ['P3 everybody on the first page, s', otree.paced.seconds, otree.limit.seconds],
    ].map(([name, lobby, compared]) => [String(name), String(lobby), String(compared), (Number(lobby) / Number(compared)).toFixed(2)]),
  );
} finally {
  limit.kill();
  await panel.remove();
}
