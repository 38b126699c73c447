// What an instance used in the last hours: its samples for the page and as a table, and the thinning out of old ones.

import { stringify } from 'csv-stringify/sync';
import { metricSteps, type MetricHours, type Metrics, type MetricSampleView } from '../contracts/metrics.ts';
import type { Instance, MetricSample } from '../prisma/client/client.ts';
import { readCapabilities } from './capabilities.ts';
import type { Context } from './context.ts';
import { adviseMetrics } from './metrics-advice.ts';

/** One stored sample, without whose it is. */
export type MetricPoint = Omit<MetricSample, 'instanceId'>;

const hourMs = 3_600_000;
/** As long as single minutes are kept; a page of more hours has no room for them. */
const minutesKeptHours = 6;
const gatheredSeconds = metricSteps[48];
const keptHours = 48;
const mib = 1024 ** 2;

/** Samples and what they mean, for the page. Two questions to the database. */
export async function readMetrics(ctx: Context, instance: Instance, wish: { readonly hours: MetricHours; readonly now?: Date }): Promise<Metrics> {
  const { hours, now = new Date() } = wish;
  const [{ measures, memoryLimit }, points] = [await readCapabilities(ctx, instance), await readPoints(ctx, instance.id, { hours, now })];
  const stepSeconds = metricSteps[hours];
  const samples = gather(points, stepSeconds).map(presentPoint);
  const memoryLimitBytes = memoryLimit ? (instance.memoryMib ?? ctx.config.INSTANCE_MEMORY_MIB) * mib : null;
  const lastEnd = instance.state === 'running' && instance.restarts > 0 ? instance.stateDetail : null;
  return {
    from: new Date(now.getTime() - hours * hourMs).toISOString(),
    until: now.toISOString(),
    stepSeconds,
    measures: [...measures],
    memoryLimitBytes,
    samples,
    findings: adviseMetrics({ samples, stepSeconds, memoryLimitBytes, lastEnd }),
  };
}

/** Everything that is kept, as CSV with a header line; times in UTC. */
export async function metricsTable(ctx: Context, instanceId: string, now: Date = new Date()): Promise<string> {
  const points = await readPoints(ctx, instanceId, { hours: keptHours, now });
  const rows = points.map(({ at, spanSeconds, memoryBytes, isOutOfMemory, ...point }) => ({
    ...point,
    until: at.toISOString(),
    seconds: spanSeconds,
    memory_bytes: memoryBytes === null ? null : Number(memoryBytes),
    received_bytes_per_second: point.received,
    sent_bytes_per_second: point.sent,
    out_of_memory: isOutOfMemory ? 1 : 0,
  }));
  const columns = ['until', 'seconds', 'core', 'memory_bytes', 'received_bytes_per_second', 'sent_bytes_per_second', 'restarts', 'out_of_memory'];
  return stringify(rows, { header: true, columns });
}

/** Oldest first. */
const readPoints = (ctx: Pick<Context, 'db'>, instanceId: string, { hours, now }: { hours: number; now: Date }): Promise<MetricPoint[]> =>
  ctx.db.metricSample.findMany({
    where: { instanceId, at: { gt: new Date(now.getTime() - hours * hourMs), lte: now } },
    orderBy: { at: 'asc' },
    omit: { instanceId: true },
  });

/** Points of one stretch of time become one: means of rates, the highest memory, all restarts. Pure; nothing is made up for a stretch without points. */
export function gather(points: readonly MetricPoint[], stepSeconds: number): MetricPoint[] {
  const stretches = new Map<number, MetricPoint[]>();
  for (const point of points) {
    const stretch = Math.ceil(point.at.getTime() / 1000 / stepSeconds);
    stretches.set(stretch, [...(stretches.get(stretch) ?? []), point]);
  }
  return [...stretches.values()].map((together) => gatherOne(together, stepSeconds));
}

function gatherOne(together: readonly MetricPoint[], stepSeconds: number): MetricPoint {
  const memories = together.flatMap(({ memoryBytes }) => memoryBytes ?? []);
  return {
    at: new Date(Math.max(...together.map(({ at }) => at.getTime()))),
    spanSeconds: stepSeconds,
    core: meanOf(together, ({ core }) => core),
    memoryBytes: memories.length === 0 ? null : memories.reduce((highest, one) => (one > highest ? one : highest)),
    received: meanOf(together, ({ received }) => received),
    sent: meanOf(together, ({ sent }) => sent),
    restarts: together.reduce((sum, { restarts }) => sum + restarts, 0),
    isOutOfMemory: together.some(({ isOutOfMemory }) => isOutOfMemory),
  };
}

/** A point counts by how long it stands for. */
function meanOf(points: readonly MetricPoint[], of: (point: MetricPoint) => number | null): number | null {
  const known = points.flatMap((point) => {
    const value = of(point);
    return value === null ? [] : [{ value, weight: point.spanSeconds }];
  });
  const weight = known.reduce((sum, one) => sum + one.weight, 0);
  return weight === 0 ? null : known.reduce((sum, one) => sum + one.value * one.weight, 0) / weight;
}

const presentPoint = ({ at, core, memoryBytes, received, sent, restarts, isOutOfMemory }: MetricPoint): MetricSampleView => ({
  at: at.toISOString(),
  core: core === null ? null : Math.round(core * 1000) / 1000,
  memoryBytes: memoryBytes === null ? null : Number(memoryBytes),
  received: received === null ? null : Math.round(received),
  sent: sent === null ? null : Math.round(sent),
  restarts,
  isOutOfMemory,
});

/** Minutes become stretches of ten after some hours, and go after two days. Two statements for all instances; safe to run again. */
export async function thinOutMetrics(ctx: Pick<Context, 'db'>, now: Date = new Date()): Promise<void> {
  const stepMs = gatheredSeconds * 1000;
  // Whole stretches only: half of one would be gathered twice.
  const before = new Date(Math.floor((now.getTime() - minutesKeptHours * hourMs) / stepMs) * stepMs);
  await ctx.db.metricSample.deleteMany({ where: { at: { lt: new Date(now.getTime() - keptHours * hourMs) } } });
  await ctx.db.$executeRaw`
    WITH gone AS (
      DELETE FROM metric_sample WHERE at <= ${before} AND span_seconds < ${gatheredSeconds} RETURNING *
    )
    INSERT INTO metric_sample (instance_id, at, span_seconds, core, memory_bytes, received, sent, restarts, is_out_of_memory)
    SELECT
      instance_id, max(at), ${gatheredSeconds}::int,
      sum(core * span_seconds) / sum(span_seconds) FILTER (WHERE core IS NOT NULL),
      max(memory_bytes),
      sum(received * span_seconds) / sum(span_seconds) FILTER (WHERE received IS NOT NULL),
      sum(sent * span_seconds) / sum(span_seconds) FILTER (WHERE sent IS NOT NULL),
      sum(restarts), bool_or(is_out_of_memory)
    FROM gone
    GROUP BY instance_id, ceil(extract(epoch FROM at) / ${gatheredSeconds}::int)
    ON CONFLICT DO NOTHING`;
}
