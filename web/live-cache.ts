// What an event from the socket does to the copies that the pages show.

import type { QueryClient } from '@tanstack/react-query';
import type { ServerEvents } from '../contracts/events.ts';
import type { InstanceList, InstanceView } from '../contracts/instances.ts';
import type { JobList, JobView } from '../contracts/jobs.ts';
import type { SeatDifference, SeatMap } from '../contracts/seats.ts';
import { isJobOver } from '../contracts/states.ts';

type InstanceEvent = Parameters<ServerEvents['instance']>[0];

/** The page of the list with this summary in its place or without it when it is gone; null when it does not stand on this page. */
export function withSummary(list: InstanceList, { id, summary }: InstanceEvent): InstanceList | null {
  if (!list.instances.some((instance) => instance.id === id)) return null;
  const instances = list.instances.flatMap((instance) => (instance.id === id ? (summary ?? []) : instance));
  return { ...list, instances };
}

/** At most one refetch of the lists in this time: a lab with a thousand instances has news all the time. */
const refreshMs = 3_000;
let refresh: number | undefined;

function refreshListsSoon(client: QueryClient): void {
  refresh ??= window.setTimeout(() => {
    refresh = undefined;
    void client.invalidateQueries({ queryKey: ['instances'] });
  }, refreshMs);
}

/** The list with this job in its place, or first when it is new. */
export const withJob = (list: readonly JobView[], job: JobView): JobView[] =>
  list.some((other) => other.id === job.id) ? list.map((other) => (other.id === job.id ? job : other)) : [job, ...list];

/** A page with this job in its place; one newer than all stands first on the first page, which the next answer cuts to its length. */
function onPage(list: JobList, job: JobView): JobList {
  const isNewest = list.page === 1 && job.createdAt > (list.jobs[0]?.createdAt ?? '');
  return isNewest || list.jobs.some(({ id }) => id === job.id) ? { ...list, jobs: withJob(list.jobs, job) } : list;
}

/** The map after this difference, the same map when it knew it already, or null when a difference was missed. */
export function withSeats(map: SeatMap, difference: SeatDifference): SeatMap | null {
  if (difference.version <= map.version) return map;
  if (difference.from !== map.version) return null;
  const changed = new Map(difference.changed.map((seat) => [seat.label, seat]));
  const seats = map.seats.map((seat) => changed.get(seat.label) ?? seat);
  const known = new Set(map.seats.map((seat) => seat.label));
  return {
    room: map.room,
    version: difference.version,
    counts: difference.counts,
    seats: [...seats, ...difference.changed.filter((seat) => !known.has(seat.label))],
  };
}

export function rememberInstance(client: QueryClient, event: InstanceEvent): void {
  const { summary } = event;
  const lists = client.getQueriesData<InstanceList>({ queryKey: ['instances'] }).flatMap(([key, list]) => (list ? [{ key, list }] : []));
  for (const { key, list } of lists) {
    const next = withSummary(list, event);
    if (next) client.setQueryData(key, next);
    // where it stands now, only the server knows
    if (next === null || summary === null) refreshListsSoon(client);
  }
  client.setQueryData<InstanceView>(['instance', event.name], (view) => (view && summary ? { ...view, ...summary } : view));
  void client.invalidateQueries({ queryKey: ['instance', event.name] });
}

export function rememberJob(client: QueryClient, job: JobView): void {
  client.setQueryData(['job', job.id], job);
  for (const [key, list] of client.getQueriesData<JobList>({ queryKey: ['jobs', 'page'] })) if (list) client.setQueryData(key, onPage(list, job));
  if (job.instanceName === null) return;
  client.setQueryData<JobView[]>(['jobs', 'of', job.instanceName], (list) => list && withJob(list, job));
  if (!isJobOver(job.state)) return;
  for (const noun of ['instance', 'deployments', 'backups', 'activity', 'environment', 'addresses'])
    void client.invalidateQueries({ queryKey: [noun, job.instanceName] });
  void client.invalidateQueries({ queryKey: ['instances'] });
  void client.invalidateQueries({ queryKey: ['job-log', job.id] });
}

export function rememberSeats(client: QueryClient, { instanceId, ...difference }: Parameters<ServerEvents['seats']>[0]): void {
  const key = ['seats', instanceId, difference.room];
  const map = client.getQueryData<SeatMap>(key);
  const next = map && withSeats(map, difference);
  if (next) client.setQueryData(key, next);
  else if (next === null) void client.invalidateQueries({ queryKey: key });
}
