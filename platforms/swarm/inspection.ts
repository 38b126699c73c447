// Looking into one run of an instance's service: by the engine where it lies on this machine, else by what the scheduler and its gate know.

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type Docker from 'dockerode';
import { asking, ifThere } from './engine.ts';
import { endOfRun, type Run } from './elsewhere.ts';
import { pathsOf } from './files.ts';
import type { Ground } from './ground.ts';
import { GATE, LABEL } from './names.ts';
import type { Listed } from './services.ts';

/** `words`: the scheduler's own about its end. */
export type RunEnd = { readonly exitCode: number | null; readonly isOutOfMemory: boolean; readonly words: string | null; readonly isMove: boolean };
export type RunNow = { readonly startedAt: Date; readonly isOutOfMemory: boolean; readonly memoryBytes: number | null };

/** An instance tells its gate every few seconds. */
const MEMORY_VALID_MS = 30_000;

/** A run that goes on. @throws platform_failed */
export async function lookAtRun(ground: Ground, run: Listed | Run): Promise<RunNow> {
  if ('task' in run) {
    const memoryBytes = await toldMemory(ground, run.Labels[LABEL.instance] ?? '');
    // The time of its state changes once more when its health check has found it well.
    return { startedAt: new Date(run.task.CreatedAt), isOutOfMemory: false, memoryBytes };
  }
  const container = ground.engine.quick.getContainer(run.Id);
  const [{ State }, stats] = await Promise.all([asking(container.inspect()), asking(container.stats({ stream: false, 'one-shot': true })).catch(() => null)]);
  return { startedAt: new Date(State.StartedAt), isOutOfMemory: State.OOMKilled, memoryBytes: stats === null ? null : residentBytes(stats) };
}

/** How a run ended; null when nobody knows it any more. */
export async function lookAtEnd(ground: Ground, run: Listed | Run): Promise<RunEnd | null> {
  const { quick } = ground.engine;
  const id = 'task' in run ? (run.task.Status.ContainerStatus?.ContainerID ?? '') : run.Id;
  const inspected = id === '' ? null : await ifThere(quick.getContainer(id).inspect()).catch(() => null);
  if (!('task' in run))
    return inspected === null ? null : { exitCode: inspected.State.ExitCode, isOutOfMemory: inspected.State.OOMKilled, words: null, isMove: false };
  return { ...endOfRun(run), isOutOfMemory: inspected?.State.OOMKilled === true };
}

/** What the instance last said of itself; null when that was long ago. */
export async function toldMemory(ground: Ground, instanceId: string): Promise<number | null> {
  const file = path.join(pathsOf(ground, instanceId).socketDir, GATE.memoryFile);
  const told = await stat(file).catch(() => null);
  if (told === null || Date.now() - told.mtimeMs > MEMORY_VALID_MS) return null;
  const bytes = Number(await readFile(file, 'utf8').catch(() => ''));
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null;
}

/** What it really holds: without what the kernel keeps of files and would give away (docker 20.10 cli/command/container/stats_helpers.go). */
export function residentBytes({ memory_stats: memory }: Pick<Docker.ContainerStats, 'memory_stats'>): number | null {
  const usage = memory?.usage;
  if (usage === undefined) return null;
  const stats = (memory.stats ?? {}) as unknown as Record<string, number | undefined>;
  const cached = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0;
  return cached < usage ? usage - cached : usage;
}
