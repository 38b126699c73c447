// The charts of the last hours: gaps stay gaps, a point alone is seen, times are round.

import { describe, expect, it } from 'vitest';
import type { Metrics, MetricSampleView } from '../../contracts/metrics.ts';
import { latestOf, linePath, piecesOf, placeOf, sampleAt, ticksOf } from '../../web/metrics.ts';

const start = Date.parse('2026-03-02T10:00:00Z');
const at = (minutes: number): string => new Date(start + minutes * 60_000).toISOString();
const sample = (minutes: number, core: number | null): MetricSampleView => ({
  at: at(minutes),
  core,
  memoryBytes: null,
  received: null,
  sent: null,
  restarts: 0,
  isOutOfMemory: false,
});
const metrics = (samples: MetricSampleView[]): Metrics => ({
  from: at(0),
  until: at(60),
  stepSeconds: 60,
  measures: ['core'],
  memoryLimitBytes: null,
  samples,
  findings: [],
});
const core = (one: MetricSampleView): number | null => one.core;

describe('a line', () => {
  it('ends where nobody looked, and where nothing is known, and never falls to zero there', () => {
    const samples = [sample(1, 0.1), sample(2, 0.2), sample(10, 0.3), sample(11, null), sample(12, 0.4), sample(16, 0.5)];
    const values = piecesOf(samples, core, { stepSeconds: 60 }).map((piece) => piece.map(({ value }) => value));
    expect(values).toEqual([[0.1, 0.2], [0.3, 0.4], [0.5]]);
  });

  it('is drawn from left to right, upside down as SVG wants it; a point alone is a dot', () => {
    const path = linePath(metrics([sample(15, 0), sample(16, 1), sample(45, 0.5)]), core, 1);
    expect(path).toBe('M250.0 100.0L266.7 0.0M750.0 50.0h0');
  });

  it('of nothing is nothing', () => {
    expect(linePath(metrics([sample(1, null)]), core, 1)).toBe('');
  });
});

describe('times', () => {
  it('are round ones, away from the edges', () => {
    expect(ticksOf(metrics([])).map((ms) => new Date(ms).toISOString())).toEqual([at(15), at(30), at(45)]);
    const day = { from: at(0), until: at(6 * 60) };
    expect(ticksOf(day).every((ms) => new Date(ms).getMinutes() === 0 && placeOf(ms, day) > 0 && placeOf(ms, day) < 1)).toBe(true);
  });

  it('find the point under the pointer, and none in a gap', () => {
    const some = metrics([sample(10, 0.1), sample(30, 0.3)]);
    expect(sampleAt(some, 30.6 / 60)?.core).toBe(0.3);
    expect(sampleAt(some, 20 / 60)).toBeNull();
    expect(latestOf(some)).toBeNull();
    expect(latestOf(metrics([sample(59, 0.5)]))?.core).toBe(0.5);
  });
});
