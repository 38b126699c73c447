// Seconds from `git push` to the first answer (goal: 5 s warm, 20 s cold), beside pip in a fresh environment in the same run.
// node --import tsx bench/push-to-running.ts [REPEATS]

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { firstManager } from '../tests/e2e/client.ts';
import { commit, makeKey, makeProject, push } from '../tests/e2e/git.ts';
import { freePorts, makePanel } from '../tests/e2e/panel.ts';
import { until } from '../tests/e2e/until.ts';

const repeats = Number(process.argv[2] ?? 3);
const sample = path.join(import.meta.dirname, '..', 'samples', 'trust-game');
const home = mkdtempSync(path.join(os.tmpdir(), 'arb-bench-'));
const panel = await makePanel();
const key = makeKey(home, 'key');
const times: Record<string, number[]> = {
  'push, cold cache': [],
  'push, warm, new instance': [],
  'push, same requirements again': [],
  'pip, cold': [],
  'pip, warm': [],
};

const answers = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/login', headers: { host }, agent: false, timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });

async function timed(name: string, work: () => Promise<unknown>): Promise<void> {
  const begin = performance.now();
  await work();
  times[name]?.push(Math.round(performance.now() - begin) / 1000);
}

async function pushAndAnswer(name: string): Promise<void> {
  const { code, output } = await push(path.join(home, name), { key, remote: `ssh://git@localhost:${panel.gitPort}/${name}.git` });
  if (code !== 0) throw new Error(output);
  await until(`${name} answers`, () => answers(panel.port, `${name}.localhost:${panel.port}`));
}

/** What an experimenter would do by hand on the same machine: environment, pip, start. */
async function byPip(at: string, cache: string): Promise<void> {
  const folder = path.join(home, at);
  cpSync(sample, folder, { recursive: true });
  const run = (file: string, args: readonly string[]): void => {
    const { status, stderr } = spawnSync(file, args, { encoding: 'utf8', cwd: folder });
    if (status !== 0) throw new Error(stderr.slice(-1000));
  };
  run('/usr/bin/python3', ['-m', 'venv', 'venv']);
  run('venv/bin/pip', ['install', '--quiet', '--cache-dir', cache, '-r', 'requirements.txt']);
  const [port = 0] = await freePorts(1);
  const child = spawn('venv/bin/otree', ['prodserver', String(port)], {
    cwd: folder,
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, PATH: `${folder}/venv/bin:${process.env['PATH']}` },
  });
  try {
    await until('oTree answers', () => answers(port, 'localhost'), { withinMs: 60_000 });
  } finally {
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
  }
}

try {
  await panel.start();
  const ada = await firstManager(panel);
  await ada.send('POST', '/ssh-keys', { publicKey: key.publicKey });
  const create = async (name: string): Promise<void> => {
    await ada.create(name);
    makeProject(sample, path.join(home, name));
  };
  await create('cold');
  await timed('push, cold cache', () => pushAndAnswer('cold'));
  await timed('pip, cold', () => byPip('pip-cold', path.join(home, 'pip-cache')));
  for (let at = 1; at <= repeats; at += 1) {
    await create(`warm-${at}`);
    await timed('push, warm, new instance', () => pushAndAnswer(`warm-${at}`));
    await timed('pip, warm', () => byPip(`pip-warm-${at}`, path.join(home, 'pip-cache')));
    commit(path.join(home, 'cold'), `Change ${at}`, { 'note.txt': String(at) });
    await timed('push, same requirements again', () => pushAndAnswer('cold'));
  }
  const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
  const pip = median(times['pip, warm'] ?? []);
  const rows = Object.entries(times).map(([name, list]) => ({
    name,
    seconds: list,
    median: median(list),
    toPipWarm: Math.round((100 * median(list)) / pip) / 100,
  }));
  process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
} finally {
  await panel.remove();
  rmSync(home, { recursive: true, force: true });
}
