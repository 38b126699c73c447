// A participant's page while 500 slow clients are connected, beside the same page without them (goal: 2 times at most).
// node --import tsx bench/slow-clients.ts [SLOW CLIENTS] [ROUNDS]

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { ask, makeStand, never } from '../tests/platforms/nginx-stand.ts';
import { machine, median, print, table } from './figures.ts';
import { startOtree } from './otree-alone.ts';

const count = Number(process.argv[2] ?? 500);
const rounds = Number(process.argv[3] ?? 5);
const pages = 150;
/** After this all with half a header must be gone (20 s), and those who send nothing of a body (30 s). */
const patienceSeconds = 35;
const host = 'one.lab.test';
const round = (value: number): number => Math.round(value * 100) / 100;

type Count = Readonly<Record<string, number>>;
const stand = await makeStand();
const socket = path.join(stand.base, 's', 'otree.sock');
mkdirSync(path.dirname(socket));
chmodSync(path.dirname(socket), 0o755);
mkdirSync(path.join(stand.base, 'otree'));
const otree = await startOtree({ folder: path.join(stand.base, 'otree'), socket, pathPrefix: '' });

function startCrowd() {
  const child = fork(path.join(import.meta.dirname, 'slow-crowd.mjs'), [String(stand.port), host, String(count)], { execArgv: [] });
  const counts: Count[] = [];
  child.on('message', (message) => void counts.push(message as Count));
  return {
    counts,
    ready: () => once(child, 'message'),
    async end() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

/** Milliseconds of a page on a new connection each, one after the other: the median, and the slowest of a hundred. */
async function openPages(): Promise<{ median: number; p99: number }> {
  const times: number[] = [];
  for (let index = 0; index < pages; index += 1) {
    const begin = performance.now();
    const { status } = await ask({ port: stand.port, host, path: '/login' });
    if (status !== 200) throw new Error(`A participant got ${status}.`);
    times.push(performance.now() - begin);
  }
  return { median: median(times), p99: times.toSorted((a, b) => a - b)[Math.floor(pages * 0.99)] ?? Number.NaN };
}

try {
  chmodSync(socket, 0o777);
  await stand.door.apply([stand.route('one', { upstreamSocket: socket })], never);
  await openPages();
  const [without, withThem]: { median: number; p99: number }[][] = [[], []];
  for (let at = 0; at < rounds; at += 1) {
    without?.push(await openPages());
    const crowd = startCrowd();
    await crowd.ready();
    withThem?.push(await openPages());
    await crowd.end();
  }
  const crowd = startCrowd();
  while (crowd.counts.length < patienceSeconds) await crowd.ready();
  await crowd.end();
  const [first = {}] = crowd.counts;
  const goneAfter = Object.fromEntries(
    Object.keys(first).map((kind) => {
      const at = crowd.counts.findIndex((one) => one[kind] === 0);
      return [kind, at === -1 ? `${crowd.counts.at(-1)?.[kind]} of ${first[kind]} still there after ${patienceSeconds} s` : `all gone after ${at + 1} s`];
    }),
  );
  const of = (list: readonly { median: number; p99: number }[] = [], pick: 'median' | 'p99'): number => median(list.map((one) => one[pick]));
  const result = {
    machine: machine(),
    slowClients: count,
    medianMs: { without: round(of(without, 'median')), with: round(of(withThem, 'median')) },
    p99Ms: { without: round(of(without, 'p99')), with: round(of(withThem, 'p99')) },
    ratioOfMedians: round(of(withThem, 'median') / of(without, 'median')),
    ratioOfP99: round(of(withThem, 'p99') / of(without, 'p99')),
    goal: 2,
    goneAfter,
  };
  print(result);
  table(
    ['a participant’s page', 'without', `with ${count} slow clients`, 'ratio'],
    [
      ['median, ms', String(result.medianMs.without), String(result.medianMs.with), String(result.ratioOfMedians)],
      ['slowest of a hundred, ms', String(result.p99Ms.without), String(result.p99Ms.with), String(result.ratioOfP99)],
    ],
  );
  table(['slow clients with', 'how long they last'], Object.entries(goneAfter));
} finally {
  await otree.stop();
  await stand.clear();
}
