// Memory and processor time of an idle panel, by process (goal P8: 300 MiB PSS and 2 % of a core in all), and seconds of a second start (4 s).
// node --import tsx bench/idle-memory.ts [SECONDS OF REST] [STARTS] [--swarm]   (with --swarm: then the same with instances in containers)

import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { firstManager } from '../tests/e2e/client.ts';
import { makePanel } from '../tests/e2e/panel.ts';
import { measurePanel, type Measured } from './processes.ts';
import { machine, print, type Row, rowOf, table } from './figures.ts';
import { given, startEngine, swarmSettings, withSwarm } from './swarm-panel.ts';

const rest = Number(given[0] ?? 60) * 1000;
const starts = Number(given[1] ?? 3);
const cpuMs = 30_000;
const goal = { pssMib: 300, cpuPercent: 2, startSeconds: 4 };

type Idle = { readonly processes: readonly (Measured & { readonly cpuPercent: number })[]; readonly pssMib: number; readonly cpuPercent: number };

/** Of the panel without its experiments and the engine, which are counted beside it. */
const beside = ['oTree', 'dockerd', 'containerd and its shims'];
const totalOf = (processes: Idle['processes'], pick: (one: Idle['processes'][number]) => number): number =>
  Math.round(processes.filter(({ name }) => !beside.includes(name)).reduce((sum, one) => sum + pick(one), 0) * 10) / 10;

async function look(homes: readonly string[], starter: number): Promise<Idle> {
  await wait(rest);
  const before = new Map(measurePanel(homes, starter).map(({ name, cpuSeconds }) => [name, cpuSeconds]));
  await wait(cpuMs);
  const processes = measurePanel(homes, starter).map((one) => ({
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

type Measurement = { readonly name: string; readonly empty: Idle; readonly withInstance: Idle; readonly starts: readonly Row[] };

/** @param more settings; folders of an engine that is counted, too */
async function measure(name: string, more: Readonly<Record<string, string>>, engineDir?: string): Promise<Measurement> {
  const panel = await makePanel(more);
  const homes = [path.dirname(panel.dataDir), ...(engineDir === undefined ? [] : [engineDir])];
  try {
    await panel.start();
    const ada = await firstManager(panel);
    const empty = await look(homes, panel.pid());
    await ada.create('sample');
    const job = await ada.run('sample', { kind: 'deploy-sample' });
    if (job.state !== 'succeeded') throw new Error(JSON.stringify(job));
    const withInstance = await look(homes, panel.pid());

    const seconds: Record<'start, ground running' | 'start after stop-all', number[]> = { 'start, ground running': [], 'start after stop-all': [] };
    const timedStart = async (what: keyof typeof seconds): Promise<void> => {
      const begin = performance.now();
      await panel.start();
      seconds[what].push((performance.now() - begin) / 1000);
    };
    for (let at = 0; at < starts; at += 1) {
      await panel.stop();
      await timedStart('start, ground running');
      await panel.stop();
      await panel.command('stop-all');
      await timedStart('start after stop-all');
    }
    return { name, empty, withInstance, starts: Object.entries(seconds).map(([what, list]) => rowOf(`${name}: ${what}`, list, goal.startSeconds)) };
  } finally {
    await panel.remove();
  }
}

function show({ name, empty, withInstance, starts: rows }: Measurement): void {
  const cell = (idle: Idle, kind: string): string[] => {
    const found = idle.processes.find((one) => one.name === kind);
    return found ? [found.pssMib.toFixed(1), found.privateMib.toFixed(1), found.cpuPercent.toFixed(1)] : ['', '', ''];
  };
  table(
    [`${name}: process`, 'PSS MiB', 'own MiB', 'CPU %', 'with one instance: PSS MiB', 'own MiB', 'CPU %'],
    [
      ...withInstance.processes.map((one) => [one.name, ...cell(empty, one.name), ...cell(withInstance, one.name)]),
      ['the panel alone', empty.pssMib.toFixed(1), '', empty.cpuPercent.toFixed(1), withInstance.pssMib.toFixed(1), '', withInstance.cpuPercent.toFixed(1)],
    ],
  );
  table(
    ['seconds', 'minimum', 'median', 'maximum', 'median ÷ goal'],
    rows.map((row) => [row.name, row.minimum.toFixed(2), row.median.toFixed(2), row.maximum.toFixed(2), row.ratio.toFixed(2)]),
  );
}

const engine = withSwarm ? await startEngine() : null;
try {
  const measured = [await measure('local', {})];
  if (engine !== null) measured.push(await measure('swarm', swarmSettings(engine), path.dirname(engine.socket)));
  const [local] = measured;
  const ratios = measured.map(({ name, withInstance }) => ({
    name,
    panelToLocal: Math.round((100 * withInstance.pssMib) / (local?.withInstance.pssMib ?? 1)) / 100,
  }));
  print({ machine: machine(), restSeconds: rest / 1000, goal, measured, ratios });
  measured.forEach(show);
} finally {
  await engine?.stop();
  rmSync(tools, { recursive: true, force: true });
}
