// What running instances use, from one pass over the machine's processes.

import type { Usage } from '../platform.ts';
import { readRecord } from './files.ts';
import type { Ground } from './ground.ts';
import { processesOf, type RunningProcess, scanProcesses } from './processes.ts';
import { listProcesses, type ProcessInfo } from './supervisor.ts';

/** @see Platform.measure. The network is the machine's: whose bytes they are cannot be told. */
export async function measureInstances(ground: Ground, instanceIds: readonly string[]): Promise<Map<string, Usage>> {
  const kept = await listProcesses(ground).catch(() => new Map<string, ProcessInfo>());
  const all = await scanProcesses();
  const found = await Promise.all(instanceIds.map(async (id) => [id, await measureOne(ground, id, { info: kept.get(id), all })] as const));
  return new Map(found.flatMap(([id, usage]) => (usage === null ? [] : [[id, usage] as const])));
}

type Look = { readonly info: ProcessInfo | undefined; readonly all: readonly RunningProcess[] };

async function measureOne(ground: Ground, instanceId: string, { info, all }: Look): Promise<Usage | null> {
  if (info === undefined || (info.state !== 'RUNNING' && info.state !== 'STARTING')) return null;
  const record = await readRecord(ground, instanceId).catch(() => null);
  if (record === null) return null;
  const own = processesOf(all, { userId: ground.separatesUsers ? record.osUserId : null, keeperPid: info.pid });
  if (own.length === 0) return null;
  return {
    run: `${info.pid} ${info.startedAt.toISOString()}`,
    memoryBytes: own.reduce((sum, one) => sum + one.memoryBytes, 0),
    cpuSeconds: own.reduce((sum, one) => sum + one.cpuSeconds, 0),
    network: null,
  };
}
