// What an instance on any host tells its gate that it uses (launcher/gate.py): an experiment's word, believed as far as it can be so.

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Run } from './elsewhere.ts';
import { pathsOf } from './files.ts';
import type { Ground } from './ground.ts';
import { GATE, LABEL } from './names.ts';

/** What a run uses as it told it; null: it did not, or it cannot be so. */
export type Told = { readonly memoryBytes: number | null; /** Since its container began. */ readonly cpuSeconds: number | null };

const NOTHING: Told = { memoryBytes: null, cpuSeconds: null };
/** An instance tells its gate every few seconds. */
const VALID_MS = 30_000;
/** Hosts' clocks differ. */
const MARGIN_SECONDS = 10;
const CORE = 1_000_000_000;

/** What a run said last, and when; nothing where that was long ago, or where another run said it. */
export async function toldBy(ground: Ground, run: Run): Promise<Told & { readonly at: Date | null }> {
  const file = path.join(pathsOf(ground, run.Labels[LABEL.instance] ?? '').socketDir, GATE.useFile);
  const at = (await stat(file).catch(() => null))?.mtime ?? null;
  if (at === null || Date.now() - at.getTime() > VALID_MS) return { ...NOTHING, at: null };
  return { ...readTold(await readFile(file, 'utf8').catch(() => ''), run, at), at };
}

/** The gate's note, compared with what the scheduler knows of the run: nobody uses more than the host has. Pure. */
export function readTold(text: string, { task, host, Created }: Pick<Run, 'task' | 'host' | 'Created'>, at: Date): Told {
  const note = parse(text);
  const container = task.Status.ContainerStatus?.ContainerID ?? '';
  if (host === undefined || note === null || (typeof note.container === 'string' && !isOf(container, note.container))) return NOTHING;
  const { NanoCPUs, MemoryBytes } = host.Description.Resources;
  const mostSeconds = (at.getTime() / 1000 - Created + MARGIN_SECONDS) * (NanoCPUs / CORE);
  const { memory, cpu } = note;
  return {
    memoryBytes: isBetween(memory, 1, MemoryBytes) ? Math.round(memory) : null,
    // One that does not say who it is may be the run before, which counted on.
    cpuSeconds: typeof note.container === 'string' && isBetween(cpu, 0, mostSeconds) ? cpu : null,
  };
}

type Note = { readonly container?: unknown; readonly memory?: unknown; readonly cpu?: unknown };

/** A gate that was started by an earlier panel writes the bytes alone. */
function parse(text: string): Note | null {
  try {
    const note = JSON.parse(text) as unknown;
    if (typeof note === 'number') return { memory: note };
    return typeof note === 'object' ? note : null;
  } catch {
    return null;
  }
}

/** @param beginning of a container's id: at least the twelve digits that its host name is */
const isOf = (container: string, beginning: string): boolean => beginning.length >= 12 && container.startsWith(beginning);
const isBetween = (value: unknown, least: number, most: number): value is number => typeof value === 'number' && value >= least && value <= most;
