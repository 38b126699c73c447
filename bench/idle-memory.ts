// Memory and processor time of an idle panel, by process (goal P8: 300 MiB PSS and 2 % of a core in all), and seconds of a second start (4 s).
// node --import tsx bench/idle-memory.ts [SECONDS OF REST] [STARTS]

import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { firstManager } from '../tests/e2e/client.ts';
import { makePanel } from '../tests/e2e/panel.ts';
import { measurePanel, type Measured } from './processes.ts';
import { machine, print, rowOf, table } from './figures.ts';

const rest = Number(process.argv[2] ?? 60) * 1000;
const starts = Number(process.argv[3] ?? 3);
const cpuMs = 30_000;
const goal = { pssMib: 300, cpuPercent: 2, startSeconds: 4 };

type Idle = { readonly processes: readonly (Measured & { readonly cpuPercent: number })[]; readonly pssMib: number; readonly cpuPercent: number };

/** Of the panel without its experiments, which are counted beside it. */
const totalOf = (processes: Idle['processes'], pick: (one: Idle['processes'][number]) => number): number =>
  Math.round(processes.filter(({ name }) => name !== 'oTree').reduce((sum, one) => sum + pick(one), 0) * 10) / 10;

async function look(home: string, starter: number): Promise<Idle> {
  await wait(rest);
  const before = new Map(measurePanel(home, starter).map(({ name, cpuSeconds }) => [name, cpuSeconds]));
  await wait(cpuMs);
  const processes = measurePanel(home, starter).map((one) => ({
    ...one,
    cpuPercent: Math.round((10 * 100 * (one.cpuSeconds - (before.get(one.name) ?? 0))) / (cpuMs / 1000)) / 10,
  }));
  return { processes, pssMib: totalOf(processes, ({ pssMib }) => pssMib), cpuPercent: totalOf(processes, ({ cpuPercent }) => cpuPercent) };
}

// Pages of one program are shared between all that run it: with a Node of its own, the panel counts its pages alone.
const tools = mkdtempSync(path.join(os.tmpdir(), 'arb-bench-'));
chmodSync(tools, 0o755);
const ownNode = path.join(tools, 'node');
copyFileSync(process.execPath, ownNode);
process.execPath = ownNode;

const panel = await makePanel();
const home = path.dirname(panel.dataDir);
try {
  await panel.start();
  const ada = await firstManager(panel);
  const empty = await look(home, panel.pid());
  await ada.create('sample');
  const job = await ada.run('sample', { kind: 'deploy-sample' });
  if (job.state !== 'succeeded') throw new Error(JSON.stringify(job));
  const withInstance = await look(home, panel.pid());

  const seconds: Record<'start, ground running' | 'start after stop-all', number[]> = { 'start, ground running': [], 'start after stop-all': [] };
  const timedStart = async (name: keyof typeof seconds): Promise<void> => {
    const begin = performance.now();
    await panel.start();
    seconds[name].push((performance.now() - begin) / 1000);
  };
  for (let at = 0; at < starts; at += 1) {
    await panel.stop();
    await timedStart('start, ground running');
    await panel.stop();
    await panel.command('stop-all');
    await timedStart('start after stop-all');
  }

  const rows = Object.entries(seconds).map(([name, list]) => rowOf(name, list, goal.startSeconds));
  print({ machine: machine(), restSeconds: rest / 1000, goal, empty, withInstance, starts: rows });
  const names = withInstance.processes.map(({ name }) => name);
  const cell = (idle: Idle, name: string): string[] => {
    const found = idle.processes.find((one) => one.name === name);
    return found ? [found.pssMib.toFixed(1), found.privateMib.toFixed(1), found.cpuPercent.toFixed(1)] : ['', '', ''];
  };
  table(
    ['process', 'PSS MiB', 'own MiB', 'CPU %', 'with one instance: PSS MiB', 'own MiB', 'CPU %'],
    [
      ...names.map((name) => [name, ...cell(empty, name), ...cell(withInstance, name)]),
      ['all but oTree', empty.pssMib.toFixed(1), '', empty.cpuPercent.toFixed(1), withInstance.pssMib.toFixed(1), '', withInstance.cpuPercent.toFixed(1)],
    ],
  );
  table(
    ['seconds', 'minimum', 'median', 'maximum', 'median ÷ goal'],
    rows.map(({ name, minimum, median, maximum, ratio }) => [name, minimum.toFixed(2), median.toFixed(2), maximum.toFixed(2), ratio.toFixed(2)]),
  );
} finally {
  await panel.remove();
  rmSync(tools, { recursive: true, force: true });
}
