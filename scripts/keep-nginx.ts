// Keeps nginx in a container of its own (docker-compose.yml): starts it with the files that the worker wrote, and does for the worker what only somebody beside nginx can.

import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { layoutOf } from '../platforms/layout.ts';
import { nginxHere } from '../platforms/nginx-host.ts';

/** Nothing else is imported: in the ground's image lie only this file and the two above, so that an upgrade of the panel leaves it alone. */
const LOOK_EVERY_MS = 2000;
const STOP_WITHIN_MS = 8000;
const START_WITHIN_MS = 2000;
const LARGEST_QUESTION = 10_000;
const RUNS = ['-V', '-t -q', ''];
const SIGNALS = ['SIGHUP', 'SIGQUIT', 'SIGTERM', 'SIGKILL'];

const dataDir = process.argv[2] ?? '/var/lib/arboretum';
const layout = layoutOf(dataDir, process.argv[3] ?? path.join(dataDir, 'run'));
const nginx = nginxHere('nginx', { config: layout.nginxConfig, dir: layout.nginxDir });
const say = (text: string): void => void process.stdout.write(`${new Date().toISOString()} ${text}\n`);

const isMaster = (title: string): boolean => title.startsWith('nginx: master process') && `${title} `.includes(`-c ${layout.nginxConfig} `);

async function findMaster(): Promise<number | null> {
  for (const pid of await nginx.pids()) if (isMaster(await nginx.titleOf(pid))) return pid;
  return null;
}

let starting: Promise<unknown> = Promise.resolve();

/**
 * One after the other, and none beside one that is there: an nginx that finds its ports taken tries for seconds, and would
 * come up when the other one ends.
 */
function start(): ReturnType<typeof nginx.run> {
  const started = starting.then(async () => {
    if ((await findMaster()) !== null) return { code: 0, text: '' };
    const ran = await nginx.run([]);
    // Its first process ends a moment before the second one calls itself the master.
    for (const deadline = Date.now() + START_WITHIN_MS; ran.code === 0 && Date.now() < deadline && (await findMaster()) === null;) await delay(20);
    return ran;
  });
  starting = started.catch(() => undefined);
  return started;
}

/** Only what keeping nginx takes: this nginx on this configuration, signals to nginx alone. */
async function answer(raw: unknown): Promise<unknown> {
  const question = raw as { ask?: unknown; argv?: unknown; pid?: unknown; signal?: unknown };
  if (question.ask === 'pids') return await nginx.pids();
  if (question.ask === 'run') {
    const argv = Array.isArray(question.argv) ? question.argv.map(String) : ['?'];
    if (!RUNS.includes(argv.join(' '))) throw new Error('this is no way to run nginx');
    return argv[0] === undefined ? await start() : await nginx.run(argv);
  }
  const pid = Number(question.pid);
  if (!Number.isInteger(pid) || pid < 1) throw new Error('this is no process');
  if (question.ask === 'titleOf') return await nginx.titleOf(pid);
  if (question.ask === 'childrenOf') return await nginx.childrenOf(pid);
  if (question.ask !== 'signal' || !SIGNALS.includes(String(question.signal))) throw new Error('this is no question');
  const title = await nginx.titleOf(pid);
  if (title !== '' && !title.startsWith('nginx: ')) throw new Error('this process is not nginx');
  await nginx.signal(pid, question.signal as NodeJS.Signals);
  return null;
}

async function readQuestion(request: http.IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) {
    text += String(piece);
    if (text.length > LARGEST_QUESTION) throw new Error('this is too long');
  }
  return JSON.parse(text);
}

async function listen(): Promise<void> {
  mkdirSync(path.dirname(layout.nginxKeeper), { recursive: true });
  rmSync(layout.nginxKeeper, { force: true });
  const server = http.createServer((request, response) => {
    readQuestion(request)
      .then(answer)
      .then(
        (value) => void response.end(JSON.stringify({ answer: value })),
        (error: unknown) => void response.writeHead(400).end(error instanceof Error ? error.message : String(error)),
      );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(layout.nginxKeeper, resolve));
  chmodSync(layout.nginxKeeper, 0o600);
}

/**
 * Before the worker's first start there is no file, and nothing to show. Workers that outlived a killed master go on and hold
 * the ports: those are for the panel's worker to replace, which knows how without closing what they have open.
 */
async function keep(signal: AbortSignal): Promise<void> {
  for (let said = ''; !signal.aborted; await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined)) {
    if (!existsSync(layout.nginxConfig) || (await findMaster()) !== null) continue;
    if (!(await isFree())) continue;
    const { code, text } = await start();
    const what = code === 0 ? 'nginx was started' : `nginx does not start: ${text}`;
    if (code === 0 || what !== said) say(what);
    said = what;
  }
}

/** Whether no worker of before listens any more. A killed nginx leaves its socket, and the next one could not have it. */
async function isFree(): Promise<boolean> {
  const found = await new Promise<string>((resolve) => {
    const socket = net.connect(layout.nginxControlSocket);
    socket.once('connect', () => {
      socket.destroy();
      resolve('taken');
    });
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(code));
  });
  if (found === 'ECONNREFUSED') rmSync(layout.nginxControlSocket, { force: true });
  return found !== 'taken';
}

async function stop(): Promise<void> {
  await starting;
  const master = await findMaster();
  if (master === null) return;
  await nginx.signal(master, 'SIGTERM');
  for (const deadline = Date.now() + STOP_WITHIN_MS; Date.now() < deadline && (await nginx.titleOf(master)) !== '';) await delay(50);
}

const stopping = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stopping.abort());
await listen();
say('the keeper of nginx is ready');
await keep(stopping.signal);
await stop();
process.exit(0);
