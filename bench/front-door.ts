// What the front door costs a request, in each mode, beside the same server asked directly (goal P6: 0.2 ms at most).
// node --import tsx bench/front-door.ts [ROUNDS] [REQUESTS IN A ROUND] [small: without oTree]

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import type { FrontDoorRoute } from '../platforms/front-door.ts';
import { NginxProcess } from '../platforms/nginx-process.ts';
import { makeCertificate } from '../tests/platforms/nginx-certificates.ts';
import { makeStand, never } from '../tests/platforms/nginx-stand.ts';
import { freePort } from '../tests/free-ports.ts';
import { machine, median, print, table } from './figures.ts';
import { startOtree, statusAt } from './otree-alone.ts';

const rounds = Number(process.argv[2] ?? 7);
const requests = Number(process.argv[3] ?? 400);
const withOtree = process.argv[4] !== 'small';
const atOnce = 16;
const round = (value: number): number => Math.round(value * 1000) / 1000;
const certificate = makeCertificate('lab.test', '*.lab.test', 'otree.test');

type Way = {
  readonly name: string;
  readonly ask: (agent: http.Agent | https.Agent) => Promise<void>;
  readonly makeAgent: (sockets: number) => http.Agent | https.Agent;
  /** Workers of the nginx in the way; none when asked directly. */
  readonly workers: readonly number[];
};
type Target = { readonly path: string } & ({ readonly socketPath: string } | { readonly port: number; readonly host: string; readonly isTls: boolean });

/** One way to the same page; connections are kept, as browsers keep them. */
function wayOf(name: string, target: Target, workers: readonly number[] = []): Way {
  const isTls = 'isTls' in target && target.isTls;
  const options =
    'socketPath' in target
      ? { socketPath: target.socketPath }
      : { host: '127.0.0.1', port: target.port, servername: target.host, headers: { host: target.host } };
  return {
    name,
    workers,
    makeAgent: (maxSockets) =>
      isTls ? new https.Agent({ keepAlive: true, maxSockets, rejectUnauthorized: false }) : new http.Agent({ keepAlive: true, maxSockets }),
    ask: (agent) =>
      new Promise((resolve, reject) => {
        const request = (isTls ? https : http).get({ ...options, path: target.path, agent }, (response) => {
          response.resume().on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`${name}: ${response.statusCode}`))));
        });
        request.on('error', reject);
      }),
  };
}

/** A handshake for each request; with https a whole one, as of a browser that comes for the first time. */
const withoutKeeping = (way: Way): Way => ({
  ...way,
  makeAgent: (maxSockets) =>
    way.name.includes('https') ? new https.Agent({ maxSockets, maxCachedSessions: 0, rejectUnauthorized: false }) : new http.Agent({ maxSockets }),
});

/** Milliseconds of one request after the other, by way; the ways take turns request by request, so that what disturbs the machine disturbs all alike. */
async function timeInTurn(ways: readonly Way[]): Promise<ReadonlyMap<string, number>> {
  const agents = ways.map((way) => way.makeAgent(1));
  const times = ways.map((): number[] => []);
  for (let index = 0; index < requests; index += 1) {
    for (let turn = 0; turn < ways.length; turn += 1) {
      // Each comes after each other one equally often.
      const at = (turn + index) % ways.length;
      const way = ways[at];
      if (way === undefined) continue;
      const begin = performance.now();
      await way.ask(agents[at] ?? http.globalAgent);
      times[at]?.push(performance.now() - begin);
    }
  }
  for (const agent of agents) agent.destroy();
  return new Map(ways.map((way, at) => [way.name, median(times[at] ?? [])]));
}

/** Microseconds that these processes have had a core, whatever else the machine did. */
const cpuUsOf = (pids: readonly number[]): number =>
  pids.map((pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1000).reduce((sum, one) => sum + one, 0);

/** Requests a second with several at once, and what a request cost nginx and the client, which has to encrypt as well. */
async function rateOf({ ask, makeAgent, workers }: Way): Promise<{ perSecond: number; cpuUs: number; clientUs: number }> {
  const agent = makeAgent(atOnce);
  // Handshakes are not what a request costs: browsers keep their connections over many.
  await Promise.all(Array.from({ length: atOnce }, () => ask(agent)));
  const [cpuBefore, ownBefore] = [cpuUsOf(workers), process.cpuUsage()];
  const begin = performance.now();
  await Promise.all(Array.from({ length: requests }, () => ask(agent)));
  const perSecond = requests / ((performance.now() - begin) / 1000);
  const { user, system } = process.cpuUsage(ownBefore);
  agent.destroy();
  return { perSecond, cpuUs: (cpuUsOf(workers) - cpuBefore) / requests, clientUs: (user + system) / requests };
}

type Doors = { readonly plain: Awaited<ReturnType<typeof makeStand>>; readonly secure: Awaited<ReturnType<typeof makeStand>>; readonly securePort: number };

async function openDoors(): Promise<Doors> {
  const securePort = await freePort();
  const plain = await makeStand({ paths: { url: 'http://otree.test/otree', port: null } });
  const secure = await makeStand({
    https: { port: securePort, origin: `https://lab.test:${securePort}` },
    paths: { url: `https://otree.test:${securePort}/otree`, port: null },
  });
  await secure.door.setCertificates({ panel: certificate, paths: certificate }, never);
  return { plain, secure, securePort };
}

/** Every way through the doors to one server; routes are applied first. */
async function waysThrough(
  doors: Doors,
  server: { readonly name: string; readonly page: string; readonly socket: string; readonly prefixed: string | null },
): Promise<readonly Way[]> {
  const ways: Way[] = [];
  for (const [door, isTls] of [
    [doors.plain, false],
    [doors.secure, true],
  ] as const) {
    const [port, shown, word] = [await freePort(), isTls ? certificate : null, isTls ? 'https' : 'http'];
    const route = (id: string, address: FrontDoorRoute['address'], upstreamSocket: string): FrontDoorRoute =>
      door.route(id, { address, upstreamSocket, url: `${word}://bench.lab.test`, maxBodyMib: 100 });
    const routes = [
      route('byport', { mode: 'port', port, certificate: shown }, server.socket),
      route('byname', { mode: 'name', hostName: 'bench.lab.test', certificate: shown }, server.socket),
      ...(server.prefixed === null ? [] : [route('bypath', { mode: 'path', prefix: '/otree/bench' }, server.prefixed)]),
    ];
    const { refused } = await door.door.apply(routes, never);
    if (refused.length > 0) throw new Error(JSON.stringify(refused));
    const shared = isTls ? doors.securePort : door.port;
    const nginx = new NginxProcess(door.layout, 'nginx');
    const workers = await nginx.workersOf((await nginx.masterPid()) ?? 0);
    ways.push(
      wayOf(`port, ${word}`, { port, host: 'lab.test', isTls, path: server.page }, workers),
      wayOf(`sub-domain, ${word}`, { port: shared, host: 'bench.lab.test', isTls, path: server.page }, workers),
      withoutKeeping(wayOf(`sub-domain, ${word}, a connection each`, { port: shared, host: 'bench.lab.test', isTls, path: server.page }, workers)),
      ...(server.prefixed === null ? [] : [wayOf(`path, ${word}`, { port: shared, host: 'otree.test', isTls, path: `/otree/bench${server.page}` }, workers)]),
    );
  }
  return ways;
}

/** All ways, round after round; each round is compared with itself. */
async function compare(name: string, ways: readonly Way[]) {
  const seen = new Map(ways.map((way) => [way.name, { ms: [] as number[], perSecond: [] as number[], cpuUs: [] as number[], clientUs: [] as number[] }]));
  for (let at = -1; at < rounds; at += 1) {
    const times = await timeInTurn(ways);
    for (const way of ways) {
      const { perSecond, cpuUs, clientUs } = await rateOf(way);
      if (at < 0) continue; // The first round warms up.
      seen.get(way.name)?.ms.push(times.get(way.name) ?? Number.NaN);
      seen.get(way.name)?.perSecond.push(perSecond);
      seen.get(way.name)?.cpuUs.push(cpuUs);
      seen.get(way.name)?.clientUs.push(clientUs);
    }
  }
  const alone = [...seen.values()][0] ?? { ms: [], perSecond: [] };
  const rows = [...seen].map(([way, { ms, perSecond, cpuUs, clientUs }]) => ({
    server: name,
    way,
    ms: round(median(ms)),
    addedMs: round(median(ms.map((value, index) => value - (alone.ms[index] ?? 0)))),
    timesAlone: round(median(ms.map((value, index) => value / (alone.ms[index] ?? 1)))),
    nginxCpuUs: Math.round(median(cpuUs)),
    clientCpuUs: Math.round(median(clientUs)),
    rateToAlone: round(median(perSecond.map((value, index) => value / (alone.perSecond[index] ?? 1)))),
  }));
  table(
    [name, 'ms', 'added ms', '× alone', 'nginx’s CPU, µs', 'the client’s', `requests/s, ${atOnce} at once, ÷ alone`],
    rows.map((row) => [row.way, row.ms, row.addedMs, row.timesAlone, row.nginxCpuUs, row.clientCpuUs, row.rateToAlone].map(String)),
  );
  return rows;
}

const doors = await openDoors();
const { base } = doors.plain;
const sockets = { small: path.join(base, 's', 'small.sock'), otree: path.join(base, 's', 'otree.sock'), prefixed: path.join(base, 's', 'prefixed.sock') };
mkdirSync(path.dirname(sockets.small));
chmodSync(path.dirname(sockets.small), 0o755);
const small = fork(path.join(import.meta.dirname, 'small-upstream.mjs'), [sockets.small], { execArgv: [] });
const stops: (() => Promise<unknown>)[] = [];
try {
  await once(small, 'message');
  const results = await compare('a small server', [
    wayOf('alone', { socketPath: sockets.small, path: '/' }),
    withoutKeeping(wayOf('alone, a connection each', { socketPath: sockets.small, path: '/' })),
    ...(await waysThrough(doors, { name: 'small', page: '/', socket: sockets.small, prefixed: sockets.small })),
  ]);
  const otree = withOtree ? await compareOtree() : [];
  print({ machine: machine(), rounds, requests, results: [...results, ...otree] });
} finally {
  small.disconnect();
  for (const stop of stops) await stop();
  await doors.plain.clear();
  await doors.secure.clear();
}

async function compareOtree() {
  for (const [folder, socket, pathPrefix] of [
    ['a', sockets.otree, ''],
    ['b', sockets.prefixed, '/otree/bench'],
  ] as const) {
    mkdirSync(path.join(base, folder));
    const otree = await startOtree({ folder: path.join(base, folder), socket, pathPrefix });
    stops.push(otree.stop);
    chmodSync(socket, 0o777);
  }
  const hasPaths = (await statusAt(sockets.prefixed, '/otree/bench/login')) === 200;
  return compare('oTree, /login', [
    wayOf('alone', { socketPath: sockets.otree, path: '/login' }),
    // As nginx asks oTree, which closes connections that rest for 5 s.
    withoutKeeping(wayOf('alone, a connection each', { socketPath: sockets.otree, path: '/login' })),
    ...(hasPaths ? [wayOf('alone, below a path', { socketPath: sockets.prefixed, path: '/otree/bench/login' })] : []),
    ...(await waysThrough(doors, { name: 'otree', page: '/login', socket: sockets.otree, prefixed: hasPaths ? sockets.prefixed : null })),
  ]);
}
