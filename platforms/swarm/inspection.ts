// Looking into one run of an instance's service: by the engine where it lies on this machine, else by what the scheduler and its gate know.

import type Docker from 'dockerode';
import { asking, ifThere } from './engine.ts';
import { endOfRun, type Run } from './elsewhere.ts';
import type { Ground } from './ground.ts';
import type { Listed } from './services.ts';
import { toldBy } from './told.ts';

/** `words`: the scheduler's own about its end. */
export type RunEnd = { readonly exitCode: number | null; readonly isOutOfMemory: boolean; readonly words: string | null; readonly isMove: boolean };
export type RunNow = { readonly startedAt: Date; readonly isOutOfMemory: boolean; readonly memoryBytes: number | null };

/** A run that goes on. @throws platform_failed */
export async function lookAtRun(ground: Ground, run: Listed | Run): Promise<RunNow> {
  if ('task' in run) {
    const { memoryBytes } = await toldBy(ground, run);
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

/** What it really holds: without what the kernel keeps of files and would give away (docker 20.10 cli/command/container/stats_helpers.go). */
export function residentBytes({ memory_stats: memory }: Pick<Docker.ContainerStats, 'memory_stats'>): number | null {
  const usage = memory?.usage;
  if (usage === undefined) return null;
  const stats = (memory.stats ?? {}) as unknown as Record<string, number | undefined>;
  const cached = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0;
  return cached < usage ? usage - cached : usage;
}
