// Memory and processor time of an idle panel, by process (goal: 300 MiB PSS and 2 % of a core), and how long a second start takes.
// node --import tsx bench/idle-memory.ts

import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { firstManager } from '../tests/e2e/client.ts';
import { makePanel } from '../tests/e2e/panel.ts';
import { measurePanel } from './processes.ts';

const idleMs = 30_000;
const round = (value: number): number => Math.round(value * 10) / 10;

const panel = await makePanel();
const home = path.dirname(panel.dataDir);
try {
  await panel.start();
  const ada = await firstManager(panel);
  await wait(idleMs);
  const before = measurePanel(home, panel.pid());
  await wait(idleMs);
  const after = measurePanel(home, panel.pid());
  const cpu = after.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) - before.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);

  await ada.create('sample');
  const job = await ada.run('sample', { kind: 'deploy-sample' });
  await wait(idleMs);
  const withInstance = measurePanel(home, panel.pid());

  await panel.stop();
  const begin = performance.now();
  await panel.start();
  const secondStart = (performance.now() - begin) / 1000;

  const byProcess = Object.fromEntries(after.map(({ name, pssMib }) => [name, pssMib]));
  const sum = (list: typeof after): number => round(list.reduce((total, { pssMib }) => total + pssMib, 0));
  process.stdout.write(
    `${JSON.stringify({ pssMib: { byProcess, all: sum(after), withOneInstance: sum(withInstance) }, cpuPercentOfACore: round((100 * cpu) / (idleMs / 1000)), secondStartSeconds: round(secondStart), sample: job.state }, null, 2)}\n`,
  );
} finally {
  await panel.remove();
}
