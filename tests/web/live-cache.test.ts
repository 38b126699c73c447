// What events do to the copies that pages show.

import { describe, expect, it } from 'vitest';
import type { InstanceList, InstanceSummary } from '../../contracts/instances.ts';
import type { JobView } from '../../contracts/jobs.ts';
import type { SeatMap, SeatState, SeatView } from '../../contracts/seats.ts';
import { withJob, withSeats, withSummary } from '../../web/live-cache.ts';

const seat = (label: string, state: SeatState): SeatView => ({ label, state, openedAt: null, readyAt: null, progress: null });
const counts = (ready: number): SeatMap['counts'] => ({ away: 0, opened: 0, ready, forwarded: 0, 'in-room': 0, playing: 0, finished: 0 });
const map: SeatMap = { room: 'lab', version: 4, seats: [seat('A1', 'away'), seat('A2', 'opened')], counts: counts(0) };

describe('withSeats', () => {
  it('changes the seats that are named and keeps the order', () => {
    const next = withSeats(map, { room: 'lab', from: 4, version: 5, changed: [seat('A2', 'ready')], counts: counts(1) });
    expect(next?.seats.map(({ label, state }) => `${label} ${state}`)).toEqual(['A1 away', 'A2 ready']);
    expect(next?.version).toBe(5);
  });

  it('adds a seat of a room without labels at the end', () => {
    expect(withSeats(map, { room: 'lab', from: 4, version: 5, changed: [seat('new', 'ready')], counts: counts(1) })?.seats).toHaveLength(3);
  });

  it('asks for the whole map when a difference was missed, and ignores one that it knows', () => {
    expect(withSeats(map, { room: 'lab', from: 5, version: 6, changed: [], counts: counts(0) })).toBeNull();
    expect(withSeats(map, { room: 'lab', from: 3, version: 4, changed: [seat('A1', 'ready')], counts: counts(1) })).toBe(map);
  });
});

describe('lists', () => {
  const instance = (id: string, state: InstanceSummary['state']): InstanceSummary => ({ id, name: id, state }) as InstanceSummary;
  const job = (id: string, state: JobView['state']): JobView => ({ id, state }) as JobView;

  it('replaces and removes an instance where it stands, and knows when it stands elsewhere', () => {
    const list: InstanceList = { instances: [instance('a', 'waiting')], page: 1, pages: 1, total: 1, visible: 1, states: [], owners: [] };
    expect(withSummary(list, { id: 'a', name: 'a', summary: instance('a', 'running') })?.instances).toEqual([instance('a', 'running')]);
    expect(withSummary(list, { id: 'b', name: 'b', summary: instance('b', 'waiting') })).toBeNull();
    expect(withSummary(list, { id: 'a', name: 'a', summary: null })?.instances).toEqual([]);
  });

  it('puts a new job first and a known one in its place', () => {
    const list = [job('2', 'running'), job('1', 'succeeded')];
    expect(withJob(list, job('3', 'queued')).map(({ id }) => id)).toEqual(['3', '2', '1']);
    expect(withJob(list, job('2', 'failed'))[0]?.state).toBe('failed');
  });
});
