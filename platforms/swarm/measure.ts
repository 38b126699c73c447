// What running instances use, by the engine's own counters: one question for each container, a few at a time.

import { setTimeout as pause } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Capabilities, Usage } from '../platform.ts';
import { currentRuns, listNodes, runsFrom } from './elsewhere.ts';
import { asking } from './engine.ts';
import type { Ground } from './ground.ts';
import { LABEL, ownedBy } from './names.ts';
import { residentBytes } from './inspection.ts';
import { type Listed, listTasks } from './services.ts';
import { toldBy } from './told.ts';

const PATIENCE_MS = 5000;
/** The engine answers each from the kernel's files; more at once only makes it slower. */
const SIDE_BY_SIDE = 8;
const NANOSECONDS = 1e9;

/** What can be told of instances: on one host by its engine, on several by what they tell. */
export const measuresOf = ({ registry }: Pick<Ground, 'registry'>): Capabilities['measures'] =>
  registry === null ? ['core', 'memory', 'network'] : ['core', 'memory'];

/** @see Platform.measure */
export async function measureInstances(ground: Ground, instanceIds: readonly string[]): Promise<Map<string, Usage>> {
  const found = new Map<string, Usage>();
  const late = new AbortController();
  const work = measureAll(ground, new Set(instanceIds), found).catch(() => undefined);
  await Promise.race([work, pause(PATIENCE_MS, null, { signal: late.signal }).catch(() => null)]);
  late.abort();
  return new Map(found);
}

async function measureAll(ground: Ground, wanted: ReadonlySet<string>, found: Map<string, Usage>): Promise<void> {
  if (ground.registry !== null) return await measureByGates(ground, wanted, found);
  const filters = ownedBy({ panelId: ground.panelId, part: 'serve' });
  const running = await asking(ground.engine.quick.listContainers({ filters }));
  const queue = running.filter(({ Labels }) => wanted.has(Labels[LABEL.instance] ?? ''));
  const takeOne = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await measureOne(ground, next, found);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, takeOne));
}

/** An engine tells of its own containers only; on other hosts there is what each instance tells its gate. */
async function measureByGates(ground: Ground, wanted: ReadonlySet<string>, found: Map<string, Usage>): Promise<void> {
  const [tasks, nodes] = await Promise.all([listTasks(ground), listNodes(ground)]);
  for (const run of currentRuns(runsFrom(tasks, nodes, ground.panelId))) {
    const instanceId = run.Labels[LABEL.instance] ?? '';
    if (!wanted.has(instanceId)) continue;
    const { memoryBytes, cpuSeconds, at } = await toldBy(ground, run);
    found.set(instanceId, { run: run.Id, memoryBytes, cpuSeconds, network: null, ...(at === null ? {} : { countedAt: at }) });
  }
}

/** A container that ended meanwhile has nothing to tell. */
async function measureOne(ground: Ground, { Id, Labels }: Listed, found: Map<string, Usage>): Promise<void> {
  const stats = await asking(ground.engine.quick.getContainer(Id).stats({ stream: false, 'one-shot': true })).catch(() => null);
  if (stats !== null) found.set(Labels[LABEL.instance] ?? '', readUsage(Id, stats));
}

/** @see Docker API 1.41, `GET /containers/{id}/stats` */
export function readUsage(containerId: string, stats: Docker.ContainerStats): Usage {
  // An engine leaves out what its kernel does not count.
  const networks: Record<string, { rx_bytes: number; tx_bytes: number }> | undefined = stats.networks;
  const cpu: { cpu_usage?: { total_usage?: number } } | undefined = stats.cpu_stats;
  const nanoseconds = cpu?.cpu_usage?.total_usage;
  const doors = Object.values(networks ?? {});
  return {
    run: containerId,
    memoryBytes: residentBytes(stats),
    cpuSeconds: nanoseconds === undefined ? null : nanoseconds / NANOSECONDS,
    network:
      networks === undefined
        ? null
        : {
            receivedBytes: doors.reduce((sum, door) => sum + door.rx_bytes, 0),
            sentBytes: doors.reduce((sum, door) => sum + door.tx_bytes, 0),
          },
  };
}
