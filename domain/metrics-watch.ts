// Once a minute: what every running instance uses becomes a row, as rates between two looks at its platform's counters.

import type { Usage } from '../platforms/platform.ts';
import type { Instance } from '../prisma/client/client.ts';
import type { WorkerContext } from './context.ts';
import type { MetricPoint } from './metrics.ts';

/** After a longer pause (the panel slept) a mean would hide what happened. */
const longestMs = 180_000;
/** Of everybody else the platform may have something to tell: what ran before runs on while a new version is built. */
const atRest = ['creating', 'waiting', 'failed', 'stopped', 'deleting', 'deleted'];

/** One look at one instance. */
export type MetricLook = {
  readonly at: Date;
  readonly usage: Usage | null;
  /** As the observer counts them, since the last deliberate start. */
  readonly restarts: number;
  /** What was said about its last end, if anything. */
  readonly detail: string | null;
};

/** Remembers only the last look: the first one after a start of the worker tells no rates. */
export class MetricsWatch {
  #before = new Map<string, MetricLook>();

  /** Looks at all instances: one question to the database, one to the platform, one writing. */
  async round(ctx: WorkerContext, now: Date = new Date()): Promise<void> {
    const rows = await ctx.db.instance.findMany({
      where: { deletedAt: null, currentDeploymentId: { not: null }, state: { notIn: atRest } },
      select: { id: true, restarts: true, stateDetail: true },
    });
    const usages = rows.length === 0 ? new Map<string, Usage>() : await ctx.platform.measure(rows.map(({ id }) => id));
    const looks = new Map(rows.map((row) => [row.id, lookOf(row, usages.get(row.id) ?? null, now)]));
    const points = [...looks].flatMap(([instanceId, look]) => {
      const point = pointBetween(this.#before.get(instanceId), look);
      return point === null ? [] : [{ instanceId, ...point }];
    });
    this.#before = looks;
    if (points.length > 0) await ctx.db.metricSample.createMany({ data: points });
  }
}

const lookOf = (row: Pick<Instance, 'restarts' | 'stateDetail'>, usage: Usage | null, at: Date): MetricLook => ({
  at,
  usage,
  restarts: row.restarts,
  detail: row.stateDetail,
});

/** What two looks say together; null when they say nothing. Pure. */
export function pointBetween(before: MetricLook | undefined, now: MetricLook): MetricPoint | null {
  const elapsedMs = before === undefined ? 0 : now.at.getTime() - before.at.getTime();
  const last = before !== undefined && elapsedMs > 0 && elapsedMs <= longestMs ? before : undefined;
  const restarts = last === undefined ? 0 : restartsBetween(last.restarts, now.restarts);
  if (now.usage === null && restarts === 0) return null;
  const rate = (of: (usage: Usage) => number | null | undefined): number | null => {
    const after = now.usage === null ? null : (of(now.usage) ?? null);
    if (last === undefined || after === null || now.usage === null) return null;
    // Another run began at nothing; what the one before used since the last look is not known, and left out.
    const start = last.usage?.run === now.usage.run ? (of(last.usage) ?? null) : 0;
    const countedMs = countedAt(now) - countedAt(last);
    return start === null || countedMs <= 0 ? null : Math.max(0, after - start) / (countedMs / 1000);
  };
  const memoryBytes = now.usage?.memoryBytes ?? null;
  return {
    at: now.at,
    spanSeconds: last === undefined ? 60 : Math.max(1, Math.round(elapsedMs / 1000)),
    core: rate(({ cpuSeconds }) => cpuSeconds),
    memoryBytes: memoryBytes === null ? null : BigInt(Math.round(memoryBytes)),
    received: rate(({ network }) => network?.receivedBytes),
    sent: rate(({ network }) => network?.sentBytes),
    restarts,
    isOutOfMemory: restarts > 0 && /\bout of memory\b/.test(now.detail ?? ''),
  };
}

/** Milliseconds since 1970. */
const countedAt = ({ at, usage }: MetricLook): number => (usage?.countedAt ?? at).getTime();

/** A deliberate start sets the count to nothing. */
const restartsBetween = (before: number, now: number): number => (now >= before ? now - before : now);
