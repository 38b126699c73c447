// The shape of a seat map on the wire.

import { describe, expect, test } from 'vitest';
import { seatMapSchema, seatStates } from '../../contracts/seats.ts';

const seat = { label: 'A07', state: 'ready', openedAt: '2026-11-21T10:00:00.000Z', readyAt: '2026-11-21T10:01:00.000Z', progress: null };
const counts = Object.fromEntries(seatStates.map((state) => [state, state === 'ready' ? 1 : 0]));

describe('a seat map', () => {
  test('passes with a count for every state', () => {
    expect(seatMapSchema.parse({ room: 'lab', version: 3, seats: [seat], counts })).toEqual({ room: 'lab', version: 3, seats: [seat], counts });
  });

  test('is refused when a state is not counted', () => {
    const { ready: _, ...withoutReady } = counts;
    expect(seatMapSchema.safeParse({ room: 'lab', version: 3, seats: [], counts: withoutReady }).success).toBe(false);
  });

  test('is refused with a state that nobody knows', () => {
    expect(seatMapSchema.safeParse({ room: 'lab', version: 3, seats: [{ ...seat, state: 'lost' }], counts }).success).toBe(false);
  });

  test('carries versions as large as a clock in microseconds', () => {
    const version = Date.UTC(2126, 0, 1) * 1000;
    expect(seatMapSchema.parse({ room: 'lab', version, seats: [], counts }).version).toBe(version);
  });
});
