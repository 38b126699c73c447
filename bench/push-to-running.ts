// Seconds from `git push` to the first answer (goal: 5 s warm, 20 s cold), beside pip in a fresh environment in the same run.
// node --import tsx bench/push-to-running.ts [REPEATS] [--swarm]   (with --swarm: containers beside it, by turns, and bytes on their disk)

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { firstManager } from '../tests/e2e/client.ts';
import { commit, makeKey, makeProject, push } from '../tests/e2e/git.ts';
import { makePanel, type WholePanel } from '../tests/e2e/panel.ts';
import { freePorts } from '../tests/free-ports.ts';
import { until } from '../tests/e2e/until.ts';
import { type Disk, diskOf, given, startEngine, swarmSettings, withSwarm } from './swarm-panel.ts';

const repeats = Number(given[0] ?? 3);
const sample = path.join(import.meta.dirname, '..', 'samples', 'trust-game');
const home = mkdtempSync(path.join(os.tmpdir(), 'arb-bench-'));
const engine = withSwarm ? await startEngine() : null;
type Place = { readonly name: string; readonly panel: WholePanel };
const places: Place[] = [{ name: 'local', panel: await makePanel() }];
if (engine !== null) places.push({ name: 'swarm', panel: await makePanel(swarmSettings(engine)) });
const key = makeKey(home, 'key');
const pushes = ['cold cache', 'warm, new instance', 'same requirements again'] as const;
const times: Record<string, number[]> = {
  ...Object.fromEntries(places.flatMap(({ name }) => pushes.map((push_) => [`${name}: push, ${push_}`, []]))),
  'pip, cold': [],
  'pip, warm': [],
};
const disks: Record<string, Disk> = {};

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

async function pushAndAnswer({ name: at, panel }: Place, name: string): Promise<void> {
  const { code, output } = await push(path.join(home, at, name), { key, remote: `ssh://git@localhost:${panel.gitPort}/${name}.git` });
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
  const opened = [];
  for (const place of places) {
    await place.panel.start();
    const ada = await firstManager(place.panel);
    await ada.send('POST', '/ssh-keys', { publicKey: key.publicKey });
    const create = async (name: string): Promise<void> => {
      await ada.create(name);
      makeProject(sample, path.join(home, place.name, name));
    };
    opened.push({ place, create });
  }
  const look = async (when: string): Promise<void> => {
    if (engine !== null) disks[when] = await diskOf(engine);
  };
  await look('before');
  for (const { place, create } of opened) {
    await create('cold');
    await timed(`${place.name}: push, cold cache`, () => pushAndAnswer(place, 'cold'));
  }
  await look('with one instance');
  await timed('pip, cold', () => byPip('pip-cold', path.join(home, 'pip-cache')));
  for (let at = 1; at <= repeats; at += 1) {
    for (const { place, create } of opened) {
      await create(`warm-${at}`);
      await timed(`${place.name}: push, warm, new instance`, () => pushAndAnswer(place, `warm-${at}`));
    }
    if (at === 1) await look('with a second instance of the same experiment');
    await timed('pip, warm', () => byPip(`pip-warm-${at}`, path.join(home, 'pip-cache')));
    for (const { place } of opened) {
      commit(path.join(home, place.name, 'cold'), `Change ${at}`, { 'note.txt': String(at) });
      await timed(`${place.name}: push, same requirements again`, () => pushAndAnswer(place, 'cold'));
    }
    if (at === 1) await look('after a push that changes one file');
  }
  const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
  const pip = median(times['pip, warm'] ?? []);
  const rows = Object.entries(times).map(([name, list]) => ({
    name,
    seconds: list,
    median: median(list),
    toPipWarm: Math.round((100 * median(list)) / pip) / 100,
  }));
  process.stdout.write(`${JSON.stringify(withSwarm ? { rows, disks } : rows, null, 2)}\n`);
} finally {
  for (const { panel } of places) await panel.remove();
  await engine?.stop();
  rmSync(home, { recursive: true, force: true });
}
