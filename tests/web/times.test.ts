// Times, durations, counts and sizes in words.

import { describe, expect, it } from 'vitest';
import { countOf, describeBytes } from '../../web/numbers.ts';
import { describeAgo, describeDuration } from '../../web/times.ts';

const nowMs = Date.parse('2024-05-01T12:00:00Z');
const before = (seconds: number): string => new Date(nowMs - seconds * 1000).toISOString();

describe('times', () => {
  it.each([
    [-30, 'just now'],
    [3, 'just now'],
    [42, '42 seconds ago'],
    [60, '1 minute ago'],
    [190, '3 minutes ago'],
    [7300, '2 hours ago'],
    [100_000, '1 day ago'],
  ])('%d seconds before is “%s”', (seconds, words) => {
    expect(describeAgo(before(seconds), nowMs)).toBe(words);
  });

  it('does not break on a time that is none', () => {
    expect(describeAgo('soon', nowMs)).toBe('at an unknown time');
  });

  it.each([
    [420, '0.4 s'],
    [41_000, '41 s'],
    [65_000, '1 min 05 s'],
    [7_620_000, '2 h 07 min'],
    [-5, '0.0 s'],
  ])('%d ms last “%s”', (durationMs, words) => {
    expect(describeDuration(durationMs)).toBe(words);
  });
});

describe('numbers', () => {
  it('has a singular and separates thousands', () => {
    expect(countOf(1, 'row')).toBe('1 row');
    expect(countOf(12_345, 'row')).toBe('12,345 rows');
    expect(countOf(2, 'person', 'people')).toBe('2 people');
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1400, '1.4 kB'],
    [999_700, '1.0 MB'],
    [92_400_000, '92 MB'],
  ])('%d bytes are “%s”', (bytes, words) => {
    expect(describeBytes(bytes)).toBe(words);
  });
});
