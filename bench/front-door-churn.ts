// Instances that come, stop, start and go at the front door, in every mode, while others have visitors and open sockets: what these lose (goal: nothing).
// node --import tsx bench/front-door-churn.ts [INSTANCES]

import tls from 'node:tls';
import type { FrontDoorRoute, RouteAddress } from '../platforms/front-door.ts';
import { makeCertificate } from '../tests/platforms/nginx-certificates.ts';
import { ask, handshake, makeStand, never, seenBy, sendBytes, until, type Question } from '../tests/platforms/nginx-stand.ts';
import { freePort } from '../tests/free-ports.ts';
import { machine, median, print, table } from './figures.ts';

const instances = Number(process.argv[2] ?? 100);
const visitorsEach = 2;
const certificate = makeCertificate('lab.test', '*.lab.test', 'otree.test');
const securePort = await freePort();
const plain = await makeStand({ paths: { url: 'http://otree.test/otree', port: null } });
const secure = await makeStand({
  https: { port: securePort, origin: `https://lab.test:${securePort}` },
  paths: { url: 'https://otree.test/otree', port: null },
});
const doors = [
  { stand: plain, isTls: false, port: plain.port, shown: null },
  { stand: secure, isTls: true, port: securePort, shown: certificate },
] as const;
type Door = (typeof doors)[number];

const kinds = ['name', 'port', 'path'] as const;
type Kind = (typeof kinds)[number];

async function addressOf(door: Door, kind: Kind, id: string): Promise<{ address: RouteAddress; question: Question }> {
  const { isTls, shown: certificate } = door;
  if (kind === 'port') {
    const port = await freePort();
    return { address: { mode: 'port', port, certificate }, question: { port, host: 'lab.test', isTls } };
  }
  if (kind === 'name')
    return { address: { mode: 'name', hostName: `${id}.lab.test`, certificate }, question: { port: door.port, host: `${id}.lab.test`, isTls } };
  return { address: { mode: 'path', prefix: `/otree/${id}` }, question: { port: door.port, host: 'otree.test', path: `/otree/${id}/`, isTls } };
}

type Socket = { readonly ticks: () => readonly number[]; readonly isClosed: () => boolean; readonly close: () => void };

/** A websocket of a resident that must stay open and hear every number. */
async function openSocket({ port, host, path = '/', isTls }: Question): Promise<Socket> {
  const { state, socket } = isTls === true ? speakSecurely(port, host) : await sendBytes(port, '');
  socket.write(handshake(host, path));
  await until('a socket opens', () => state.text.includes('tick 1\n'));
  return {
    ticks: () => [...state.text.matchAll(/tick (\d+)\n/g)].map((match) => Number(match[1])),
    isClosed: () => state.isClosed,
    close: () => void socket.destroy(),
  };
}

function speakSecurely(port: number, servername: string) {
  const state = { text: '', isClosed: false };
  const socket = tls.connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
  socket
    .setEncoding('utf8')
    .on('data', (piece: string) => (state.text += piece))
    .on('error', () => undefined)
    .on('close', () => (state.isClosed = true));
  return { state, socket };
}

const residents: { readonly id: string; readonly question: Question; readonly route: FrontDoorRoute; readonly door: Door }[] = [];
try {
  await secure.door.setCertificates({ panel: certificate, paths: certificate }, never);
  for (const door of doors) {
    const routes: FrontDoorRoute[] = [];
    for (const kind of kinds) {
      const id = `stays-${kind}`;
      await door.stand.upstream(id);
      const { address, question } = await addressOf(door, kind, id);
      const route = door.stand.route(id, { address, url: 'https://otree.test' });
      routes.push(route);
      residents.push({ id, question, route, door });
    }
    const { refused } = await door.stand.door.apply(routes, never);
    if (refused.length > 0) throw new Error(JSON.stringify(refused));
  }

  const sockets = await Promise.all(residents.map(({ question }) => openSocket(question)));
  const ending = new AbortController();
  const lost: string[] = [];
  let asked = 0;
  const visitors = residents.flatMap(({ id, question }) =>
    Array.from({ length: visitorsEach }, async () => {
      while (!ending.signal.aborted) {
        asked += 1;
        const name = await ask(question).then((answer) => (answer.status === 200 ? seenBy(answer).name : String(answer.status)), String);
        if (name !== id) lost.push(`${id}: ${name}`);
      }
    }),
  );

  const changeMs: number[] = [];
  const change = async (door: Door, id: string, route: FrontDoorRoute | null): Promise<void> => {
    const begin = performance.now();
    await door.stand.door.applyOne(id, route, never);
    changeMs.push(performance.now() - begin);
  };
  for (let at = 0; at < instances; at += 1) {
    const door = doors[at % doors.length] ?? doors[0];
    const id = `comes-${at}`;
    const { address } = await addressOf(door, kinds[at % kinds.length] ?? 'name', id);
    const upstreamSocket = door.stand.layout.instanceSocket('stays-name');
    const route = door.stand.route(id, { address, url: 'https://otree.test', upstreamSocket });
    await change(door, id, { ...route, upstreamSocket: null, fallback: 'waiting' });
    await change(door, id, route);
    await change(door, id, { ...route, upstreamSocket: null, fallback: 'stopped' });
    await change(door, id, null);
  }
  ending.abort();
  await Promise.all(visitors);
  const closed = sockets.filter((socket) => socket.isClosed()).length;
  const gaps = sockets.filter((socket) => socket.ticks().some((tick, at) => tick !== at + 1)).length;
  for (const socket of sockets) socket.close();
  const result = {
    machine: machine(),
    instances,
    changes: changeMs.length,
    medianChangeMs: Math.round(median(changeMs)),
    asked,
    lost: lost.length,
    sockets: sockets.length,
    closed,
    gaps,
  };
  print({ ...result, examples: lost.slice(0, 5) });
  table(
    ['while instances came, stopped, started and went', 'of', 'lost'],
    [
      ['requests', String(asked), String(lost.length)],
      ['open websockets', String(sockets.length), String(closed)],
      ['websockets with a message missing', String(sockets.length), String(gaps)],
    ],
  );
  if (lost.length + closed + gaps > 0) process.exitCode = 1;
} finally {
  await plain.clear();
  await secure.clear();
}
