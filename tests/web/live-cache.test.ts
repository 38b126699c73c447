// What events do to the copies that pages show.

import { QueryClient } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import type { InstanceList, InstanceSummary } from '../../contracts/instances.ts';
import type { JobList, JobView } from '../../contracts/jobs.ts';
import type { SeatMap, SeatState, SeatView } from '../../contracts/seats.ts';
import { rememberJob, withJob, withSeats, withSummary } from '../../web/live-cache.ts';

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
  const job = (id: string, state: JobView['state']): JobView => ({ id, state, createdAt: `2026-01-0${id}` }) as JobView;

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

  it('puts a new job on the first page only, and a known one in its place on any page', () => {
    const client = new QueryClient();
    const pages = (): (string[] | undefined)[] =>
      [1, 2].map((page) => client.getQueryData<JobList>(['jobs', 'page', page])?.jobs.map(({ id, state }) => `${id} ${state}`));
    client.setQueryData(['jobs', 'page', 1], { jobs: [job('2', 'running')], page: 1, pages: 2 });
    client.setQueryData(['jobs', 'page', 2], { jobs: [job('1', 'queued')], page: 2, pages: 2 });
    rememberJob(client, { ...job('3', 'queued'), instanceName: null });
    rememberJob(client, { ...job('1', 'running'), instanceName: null });
    expect(pages()).toEqual([['3 queued', '2 running'], ['1 running']]);
  });
});
