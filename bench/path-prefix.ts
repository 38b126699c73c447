// What a path costs: pages per second of one oTree with and without a prefix, batch by batch in one run.
// node --import tsx bench/path-prefix.ts [PAGES A BATCH] [BATCHES]; oTree keeps its data in memory, so that the share of the prefix is the largest.

import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { start } from '../tests/launcher/instance.ts';
import { pythonWith } from '../tests/launcher/venv.ts';
import { until } from '../tests/e2e/until.ts';
import { machine, median, print, rowOf, table } from './figures.ts';

const pages = Number(process.argv[2] ?? 200);
const batches = Number(process.argv[3] ?? 7);
const home = mkdtempSync(path.join(os.tmpdir(), 'arb-bench-'));
const project = path.join(import.meta.dirname, '..', 'tests', 'projects', 'lab-games');

type Answer = { readonly status: number; readonly location: string; readonly body: string };
type Server = { readonly prefix: string; readonly process: ChildProcess; ask(to: string, method?: string, body?: string): Promise<Answer> };

function serve(name: string, prefix: string): Server {
  const [projectDir, socket, file] = [path.join(home, name), path.join(home, `${name}.sock`), path.join(home, `${name}.json`)];
  cpSync(project, projectDir, { recursive: true });
  const environment = { DATABASE_URL: '', OTREE_PRODUCTION: '1', OTREE_AUTH_LEVEL: 'STUDY', OTREE_REST_KEY: 'key' };
  const secrets = { adminPassword: 'password', secretKey: 'secret', roomSecret: 'secret', cookieName: name };
  writeFileSync(file, JSON.stringify({ environment, ...secrets, socket, projectDir, pathPrefix: prefix }));
  const child = spawn(pythonWith('6.0.15'), [start, file, 'serve'], { stdio: 'ignore' });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { host: 'lab.example', 'otree-rest-key': 'key', 'content-type': 'application/json' };
  const ask = (to: string, method = 'GET', body = ''): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = http.request({ agent, socketPath: socket, method, path: to, headers: { ...headers, 'content-length': body.length } }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '', body: text }));
      });
      request.on('error', reject).end(body);
    });
  return { prefix, process: child, ask };
}

/** The address of a participant's first page. */
async function firstPage({ prefix, ask }: Server): Promise<string> {
  const wish = JSON.stringify({
    session_config_name: 'survey',
    num_participants: 1,
    room_name: 'online',
    modified_session_config_fields: { seconds: 100_000 },
  });
  await ask('/api/sessions', 'POST', wish);
  let to = `${prefix}/room/online?welcome_page_ok=1`;
  for (let hop = 0; hop < 5; hop += 1) {
    const { status, location } = await ask(to);
    if (status === 200) return to;
    to = new URL(location, 'http://lab.example').pathname;
  }
  throw new Error('the first page did not open');
}

async function batch({ ask }: Server, to: string): Promise<number> {
  const begin = performance.now();
  for (let page = 0; page < pages; page += 1) {
    const { status } = await ask(to);
    if (status !== 200) throw new Error(`${to} answers ${status}`);
  }
  return (performance.now() - begin) / 1000;
}

const servers = [serve('plain', ''), serve('below', '/otree/trust')] as const;
try {
  for (const { ask } of servers) await until('oTree answers', async () => (await ask('/login').catch(() => null))?.status === 200);
  const first = [await firstPage(servers[0]), await firstPage(servers[1])];
  const kinds = [
    ['a page of the experiment', (at: number) => first[at] ?? ''],
    ['the sign-in page', (at: number) => `${servers[at]?.prefix}/login`],
    ['a static file', (at: number) => `${servers[at]?.prefix}/static/otree/js/jquery-3.2.1.min.js`],
  ] as const;
  const results = [];
  for (const [name, address] of kinds) {
    const times: [number[], number[]] = [[], []];
    for (const [at, server] of servers.entries()) await batch(server, address(at));
    for (let round = 0; round < batches; round += 1) for (const at of [0, 1] as const) times[at].push(await batch(servers[at], address(at)));
    results.push({ name, plain: rowOf('plain', times[0], median(times[0])), below: rowOf('below a path', times[1], median(times[0])) });
  }
  const sizes = await Promise.all(servers.map(async ({ ask }, at) => Buffer.byteLength((await ask(first[at] ?? '')).body)));
  print({ machine: machine(), pages, results, bytesOfThePage: { plain: sizes[0], below: sizes[1] } });
  const rate = (seconds: number): string => (pages / seconds).toFixed(0);
  table(
    ['one visitor, pages a second', 'plain', 'below a path', 'time ×'],
    results.map(({ name, plain, below }) => [name, rate(plain.median), rate(below.median), below.ratio.toFixed(2)]),
  );
} finally {
  for (const { process: child } of servers) child.kill('SIGTERM');
  rmSync(home, { recursive: true, force: true });
}
