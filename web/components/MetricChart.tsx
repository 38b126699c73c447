// One chart of the last hours: lines with their gaps, a limit, ends and starts marked, and the value under the pointer.

import { useState, type CSSProperties, type PointerEvent, type ReactNode } from 'react';
import type { Metrics, MetricSampleView } from '../../contracts/metrics.ts';
import { chartHeight, chartWidth, describeClock, highestOf, latestOf, linePath, placeOf, sampleAt, ticksOf } from '../metrics.ts';

export type MetricLine = { readonly name: string; readonly of: (sample: MetricSampleView) => number | null };
type Props = {
  readonly title: string;
  readonly metrics: Metrics;
  /** The first is drawn whole, the second dashed. */
  readonly lines: readonly MetricLine[];
  readonly limit: { readonly value: number; readonly name: string } | null;
  readonly describe: (value: number) => string;
};

/** Without a limit a small use must not fill the chart. */
const leastTop = 10_000;
const headroom = 1.12;

export function MetricChart({ title, metrics, lines, limit, describe }: Props): ReactNode {
  const [place, setPlace] = useState<number | null>(null);
  const highest = Math.max(0, ...lines.map(({ of }) => highestOf(metrics.samples, of) ?? 0));
  const top = Math.max(limit?.value ?? leastTop, highest) * headroom;
  const pointed = place === null ? null : sampleAt(metrics, place);
  const follow = ({ currentTarget, clientX }: PointerEvent<HTMLDivElement>): void => {
    const { left, width } = currentTarget.getBoundingClientRect();
    setPlace((clientX - left) / width);
  };
  return (
    <figure className="metric">
      <figcaption>
        <h3>{title}</h3>
        <p className="quiet">
          {pointed === null ? (
            <Summary lines={lines} metrics={metrics} describe={describe} />
          ) : (
            <>
              {describeClock(Date.parse(pointed.at), metrics)}: <Values sample={pointed} lines={lines} describe={describe} />
            </>
          )}
        </p>
      </figcaption>
      <div className="metric-chart" onPointerMove={follow} onPointerDown={follow} onPointerLeave={() => setPlace(null)}>
        <Drawing title={title} metrics={metrics} lines={lines} top={top} limit={limit?.value ?? null} />
        {limit && (
          <span className="metric-limit" style={across(1 - limit.value / top)}>
            {limit.name}
          </span>
        )}
        {pointed && <span className="metric-pointer" style={along(placeOf(Date.parse(pointed.at), metrics))} />}
      </div>
      <div className="metric-times" aria-hidden="true">
        {ticksOf(metrics).map((at) => (
          <span key={at} style={along(placeOf(at, metrics))}>
            {describeClock(at, metrics)}
          </span>
        ))}
      </div>
    </figure>
  );
}

const along = (place: number): CSSProperties => ({ left: `${place * 100}%` });
const across = (place: number): CSSProperties => ({ top: `${place * 100}%` });

type Drawn = Pick<Props, 'title' | 'metrics' | 'lines'> & { readonly top: number; readonly limit: number | null };

function Drawing({ title, metrics, lines, top, limit }: Drawn): ReactNode {
  const y = limit === null ? 0 : chartHeight * (1 - limit / top);
  const ends = metrics.samples.filter(({ restarts }) => restarts > 0);
  return (
    <svg
      viewBox={`0 0 ${chartWidth} ${chartHeight}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${title}, drawn over time; its numbers are in the table.`}
    >
      {ticksOf(metrics).map((at) => (
        <path key={at} className="metric-grid" d={`M${placeOf(at, metrics) * chartWidth} 0V${chartHeight}`} />
      ))}
      {limit !== null && <path className="metric-limit-line" d={`M0 ${y}H${chartWidth}`} />}
      {ends.map(({ at }) => (
        <path key={at} className="metric-end" d={`M${placeOf(Date.parse(at), metrics) * chartWidth} 0V${chartHeight}`} />
      ))}
      {lines.map(({ name, of }) => (
        <path key={name} className="metric-line" d={linePath(metrics, of, top)} />
      ))}
    </svg>
  );
}

function Summary({ lines, metrics, describe }: Pick<Props, 'lines' | 'metrics' | 'describe'>): ReactNode {
  const latest = latestOf(metrics);
  const highest = lines.flatMap(({ name, of }) => {
    const value = highestOf(metrics.samples, of);
    return value === null ? [] : `${lines.length === 1 ? '' : `${name} `}${describe(value)}`;
  });
  if (highest.length === 0) return 'Not known in this time.';
  const isKnown = latest !== null && lines.some(({ of }) => of(latest) !== null);
  return (
    <>
      {isKnown && latest && (
        <>
          now <Values sample={latest} lines={lines} describe={describe} /> ·{' '}
        </>
      )}
      at most {highest.join(', ')}
    </>
  );
}

const Values = ({ sample, lines, describe }: Pick<Props, 'lines' | 'describe'> & { sample: MetricSampleView }): string =>
  lines
    .map(({ name, of }) => {
      const value = of(sample);
      return `${lines.length === 1 ? '' : `${name} `}${value === null ? 'not known' : describe(value)}`;
    })
    .join(', ');
