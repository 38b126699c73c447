// Times for going on to oTree: never faster than the pace, whatever was planned before.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextTimes } from '../../domain/forwarding.ts';

test('25 go at once, then 25 every half second', () => {
  const times = nextTimes([], 75, 1000);
  expect(times.filter((time) => time === 1000)).toHaveLength(25);
  expect(times.filter((time) => time === 1500)).toHaveLength(25);
  expect(times.filter((time) => time === 2000)).toHaveLength(25);
});

test('somebody who comes alone goes at once, also after a crowd long ago', () => {
  expect(nextTimes([], 1, 5000)).toEqual([5000]);
  expect(
    nextTimes(
      Array.from({ length: 25 }, () => 1000),
      1,
      5000,
    ),
  ).toEqual([5000]);
});

test('in any half second no more than 25 go, nobody before now, and in order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400)), fc.array(fc.record({ count: fc.nat(80), later: fc.nat(1500) }), { maxLength: 12 }), (seed, crowds) => {
      let [now, planned] = [1000, nextTimes([], seed.length, 1000)];
      for (const { count, later } of crowds) {
        now += later;
        const next = nextTimes(planned, count, now);
        expect(next).toHaveLength(count);
        expect(next.every((time) => time >= now)).toBe(true);
        planned = [...planned, ...next];
      }
      expect(planned).toEqual(planned.toSorted((one, other) => one - other));
      for (let at = 25; at < planned.length; at += 1) expect((planned[at] ?? NaN) - (planned[at - 25] ?? NaN)).toBeGreaterThanOrEqual(500);
    }),
  );
});
