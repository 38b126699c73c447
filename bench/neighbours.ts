// What people in one experiment notice while a hundred neighbours are created, deployed, restarted and deleted: requests and websockets lost (goal: none).
// node --import tsx bench/neighbours.ts [NEIGHBOURS] [SIDE BY SIDE]

import type { InstanceView } from '../contracts/instances.ts';
import type { JobView } from '../contracts/jobs.ts';
import { openBrowser, visitor } from '../tests/e2e/browser.ts';
import { firstManager } from '../tests/e2e/client.ts';
import { makePanel } from '../tests/e2e/panel.ts';
import { watchExperiment } from '../tests/e2e/watch-experiment.ts';
import { machine, median, print, table } from './figures.ts';

const count = Number(process.argv[2] ?? 100);
const sideBySide = Number(process.argv[3] ?? 4);
const panel = await makePanel({ INSTANCE_USER_IDS: `500000-${500_000 + count + 10}` });
const browser = await openBrowser();
const seconds: Record<string, number[]> = {};

type Phase = { readonly name: string; readonly work: (name: string) => Promise<unknown> };

async function each({ name, work }: Phase, names: readonly string[]): Promise<void> {
  const waiting = [...names];
  const times: number[] = [];
  seconds[name] = times;
  const one = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const begin = performance.now();
      await work(next);
      times.push((performance.now() - begin) / 1000);
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, one));
}

try {
  await panel.start();
  const ada = await firstManager(panel);
  const run = async (name: string, job: Readonly<Record<string, unknown>>): Promise<void> => {
    const ended: JobView = await ada.run(name, job);
    if (ended.state !== 'succeeded') throw new Error(`${name}: ${JSON.stringify(ended.error)}`);
  };
  await ada.create('observed');
  await run('observed', { kind: 'deploy-sample' });
  const [room] = (await ada.get<InstanceView>('/instances/observed')).rooms;
  const watch = await watchExperiment(await visitor(browser, []), {
    port: panel.port,
    host: `observed.localhost:${panel.port}`,
    path: `/room/${room?.name}?participant_label=${room?.labels?.[0]}&welcome_page_ok=1`,
  });
  const names = Array.from({ length: count }, (_, at) => `neighbour-${at + 1}`);
  const phases: readonly Phase[] = [
    { name: 'create', work: (name) => ada.create(name) },
    { name: 'deploy', work: (name) => run(name, { kind: 'deploy-sample' }) },
    { name: 'restart', work: (name) => run(name, { kind: 'restart' }) },
    { name: 'delete', work: (name) => run(name, { kind: 'delete', confirm: name }) },
  ];
  for (const phase of phases) await each(phase, names);
  const { answers, failures, closedSockets } = await watch.end();
  print({ machine: machine(), neighbours: count, sideBySide, seconds, answers, failures, closedSockets });
  table(
    ['neighbours', 'median s', 'longest s'],
    Object.entries(seconds).map(([name, list]) => [name, median(list).toFixed(1), Math.max(...list).toFixed(1)]),
  );
  table(
    ['in the experiment that was watched', ''],
    [
      ['answers', String(answers)],
      ['requests lost', String(failures.length)],
      ['websockets closed', String(closedSockets)],
    ],
  );
} finally {
  await browser.close();
  await panel.remove();
}
