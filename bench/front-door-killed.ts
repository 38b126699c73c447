// kill -9 of nginx's master and workers while people wait in a room: how long nobody is answered, and when their sockets are open again.
// node --import tsx bench/front-door-killed.ts [TIMES]

import { execFileSync, spawnSync } from 'node:child_process';
import http from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { layoutOf } from '../platforms/layout.ts';
import { NginxProcess } from '../platforms/nginx-process.ts';
import { firstManager } from '../tests/e2e/client.ts';
import { makePanel } from '../tests/e2e/panel.ts';
import { machine, median, print, table } from './figures.ts';

const repeats = Number(process.argv[2] ?? 5);
const people = 20;
const goalSeconds = 5;
const panel = await makePanel();
const host = `sample.localhost:${panel.port}`;
const nginx = new NginxProcess(layoutOf(panel.dataDir, panel.env['RUN_DIR'] ?? ''), 'nginx');
const round = (value: number): number => Math.round(value * 100) / 100;

const answers = (): Promise<boolean> =>
  new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port: panel.port, path: '/login', headers: { host }, agent: false, timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy()).on('error', () => resolve(false));
  });

/** The websocket of oTree's page that waits in a room; null when it is not opened. */
const openSocket = (label: string): Promise<Duplex | null> =>
  new Promise((resolve) => {
    const path = `/wait_for_session_in_room?room_name=lab&participant_label=${label}&tab_unique_id=t`;
    const headers = { host, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    const request = http.request({ host: '127.0.0.1', port: panel.port, path, headers });
    request.on('upgrade', (_response, socket) => resolve(socket.resume().on('error', () => undefined)));
    request.on('response', (response) => (response.resume(), resolve(null)));
    request.on('error', () => resolve(null)).end();
  });

async function until(holds: () => Promise<boolean>): Promise<number> {
  const begin = performance.now();
  while (!(await holds())) await wait(20);
  return (performance.now() - begin) / 1000;
}

/** All that nginx is, at once. */
async function killAll(): Promise<void> {
  const master = await nginx.masterPid();
  if (master === null) throw new Error('nginx does not run.');
  const workers = execFileSync('ps', ['--ppid', String(master), '-o', 'pid='], { encoding: 'utf8' })
    .trim()
    .split(/\s+/)
    .map(Number);
  // One command for all of them; workers of before a reload may just have ended by themselves.
  spawnSync('kill', ['-9', String(master), ...workers.map(String)]);
}

try {
  await panel.start();
  const ada = await firstManager(panel);
  await ada.create('sample');
  const job = await ada.run('sample', { kind: 'deploy-sample' });
  if (job.state !== 'succeeded') throw new Error(JSON.stringify(job));
  await until(answers);
  const seconds: { closed: number; answered: number; reopened: number }[] = [];
  for (let at = 0; at < repeats; at += 1) {
    const sockets = await Promise.all(Array.from({ length: people }, (_, index) => openSocket(`P${index}`)));
    if (sockets.includes(null)) throw new Error('A socket was not opened.');
    let open = people;
    for (const socket of sockets) socket?.on('close', () => (open -= 1));
    await killAll();
    const closing = until(() => Promise.resolve(open === 0));
    const answering = until(answers);
    const [closed, answered] = await Promise.all([closing, answering]);
    const again = await until(async () => {
      const socket = await openSocket('P0');
      socket?.destroy();
      return socket !== null;
    });
    seconds.push({ closed: round(closed), answered: round(answered), reopened: round(answered + again) });
  }
  const answered = seconds.map((one) => one.answered);
  print({ machine: machine(), people, goalSeconds, seconds, medianAnswered: median(answered), slowest: Math.max(...answered) });
  table(
    ['kill -9 of all of nginx', 'sockets closed, s', 'a page answered again, s', 'sockets open again, s'],
    seconds.map((one, at) => [String(at + 1), ...[one.closed, one.answered, one.reopened].map(String)]),
  );
} finally {
  await panel.remove();
}
