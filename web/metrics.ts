// The last hours of an instance: asking for them, and the lines, marks and times of their charts.

import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { metricsSchema, type MetricHours, type Metrics, type MetricSampleView } from '../contracts/metrics.ts';
import { instanceApi } from './addresses.ts';
import { request } from './api.ts';

/** As often as the panel looks. */
const againMs = 60_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export const useMetrics = (name: string, hours: MetricHours): UseQueryResult<Metrics> =>
  useQuery({
    queryKey: ['metrics', name, hours],
    queryFn: ({ signal }) => request(metricsSchema, instanceApi(name, `/metrics?hours=${hours}`), { signal }),
    refetchInterval: againMs,
    placeholderData: keepPreviousData,
  });

/** Charts are drawn on this many units, whatever their width on the page. */
export const chartWidth = 1000;
export const chartHeight = 100;
/** So many steps without a point are a gap. */
const gapSteps = 2.5;

type Span = Pick<Metrics, 'from' | 'until' | 'stepSeconds'>;
type Value = (sample: MetricSampleView) => number | null;

/** Where a time stands, 0 at the left edge to 1 at the right one. */
export const placeOf = (ms: number, { from, until }: Pick<Span, 'from' | 'until'>): number =>
  Math.min(1, Math.max(0, (ms - Date.parse(from)) / (Date.parse(until) - Date.parse(from))));

/** The pieces of a line: what is not known, and a time without points, ends one. */
export function piecesOf(samples: readonly MetricSampleView[], of: Value, { stepSeconds }: Pick<Span, 'stepSeconds'>): { at: number; value: number }[][] {
  const pieces: { at: number; value: number }[][] = [];
  let last = -Infinity;
  for (const sample of samples) {
    const [at, value] = [Date.parse(sample.at), of(sample)];
    if (value === null) continue;
    if (at - last > gapSteps * stepSeconds * 1000) pieces.push([]);
    pieces.at(-1)?.push({ at, value });
    last = at;
  }
  return pieces;
}

/** The line as an SVG path. @param top the value at the upper edge */
export function linePath(metrics: Metrics, of: Value, top: number): string {
  const put = ({ at, value }: { at: number; value: number }): string =>
    `${(placeOf(at, metrics) * chartWidth).toFixed(1)} ${(chartHeight * (1 - Math.min(1, value / top))).toFixed(1)}`;
  // A piece of one point is a dot: a line of no length with round ends.
  return piecesOf(metrics.samples, of, metrics)
    .map((piece) => `M${piece.map(put).join('L')}${piece.length === 1 ? 'h0' : ''}`)
    .join('');
}

const tickMs = (spanMs: number): number => (spanMs <= hourMs ? 15 * minuteMs : spanMs <= 6 * hourMs ? hourMs : 12 * hourMs);
/** Nearer to an edge a word would run out of the chart. */
const edge = 0.06;

/** Round times of the reader's clock between the edges. */
export function ticksOf(span: Pick<Span, 'from' | 'until'>): number[] {
  const [from, until] = [Date.parse(span.from), Date.parse(span.until)];
  const step = tickMs(until - from);
  const zoneMs = new Date(from).getTimezoneOffset() * minuteMs;
  const ticks: number[] = [];
  for (let at = Math.ceil((from - zoneMs) / step) * step + zoneMs; at < until; at += step) ticks.push(at);
  return ticks.filter((at) => placeOf(at, span) > edge && placeOf(at, span) < 1 - edge);
}

/** "14:05"; with its day where the hour alone could be yesterday's. */
export function describeClock(ms: number, span: Pick<Span, 'from' | 'until'>): string {
  const isLong = Date.parse(span.until) - Date.parse(span.from) > 24 * hourMs;
  return new Date(ms).toLocaleString(undefined, { hour: '2-digit', minute: '2-digit', ...(isLong ? { weekday: 'short' } : {}) });
}

/** The point nearest to a place from 0 to 1; null when none is near. */
export function sampleAt({ samples, ...span }: Metrics, place: number): MetricSampleView | null {
  const at = Date.parse(span.from) + place * (Date.parse(span.until) - Date.parse(span.from));
  const distance = (sample: MetricSampleView): number => Math.abs(Date.parse(sample.at) - at);
  const nearest = samples.reduce<MetricSampleView | null>((best, one) => (best === null || distance(one) < distance(best) ? one : best), null);
  return nearest !== null && distance(nearest) <= gapSteps * span.stepSeconds * 1000 ? nearest : null;
}

/** The last point, when it is of just now. */
export const latestOf = (metrics: Metrics): MetricSampleView | null => sampleAt(metrics, 1);

/** null when nothing is known. */
export function highestOf(samples: readonly MetricSampleView[], of: Value): number | null {
  const known = samples.flatMap((sample) => of(sample) ?? []);
  return known.length === 0 ? null : known.reduce((highest, one) => Math.max(highest, one));
}
