// Which instances the dashboard shows: search words, whose, state, owner, order and page, all in the address.

import { instanceFilters, instanceSorts, type InstanceFilter, type InstanceSort } from '../contracts/instances.ts';
import { instanceStates, type InstanceState } from '../contracts/states.ts';

export type Wish = {
  readonly words: string;
  readonly filter: InstanceFilter;
  readonly state: InstanceState | null;
  readonly ownerId: string | null;
  readonly sort: InstanceSort;
  /** Against the order that the sort begins with. */
  readonly isReversed: boolean;
  readonly page: number;
};

export const sortWords: Readonly<Record<InstanceSort, string>> = {
  name: 'name',
  activity: 'last activity',
  created: 'newest',
  state: 'state',
  owner: 'owner',
  memory: 'memory',
};
const startsHigh: readonly InstanceSort[] = ['activity', 'created', 'memory'];

/** The wish in an address: `?q=trust&of=mine&state=running&sort=activity&page=2`; what nobody knows is left out. */
export function readWish(search: URLSearchParams): Wish {
  const known = <T extends string>(key: string, all: readonly T[]): T | null => all.find((one) => one === search.get(key)) ?? null;
  const page = Number(search.get('page') ?? 1);
  return {
    words: search.get('q') ?? '',
    filter: known('of', instanceFilters) ?? 'all',
    state: known('state', instanceStates),
    ownerId: search.get('owner'),
    sort: known('sort', instanceSorts) ?? 'name',
    isReversed: search.get('order') === 'reversed',
    page: Number.isInteger(page) && page > 0 ? page : 1,
  };
}

/** What `GET /instances` is asked for this wish. */
export function queryOf(wish: Wish): string {
  const { words, filter, state, ownerId, sort, isReversed, page } = wish;
  const query = new URLSearchParams({ search: words.slice(0, 200), filter, sort, page: String(page) });
  if (state !== null) query.set('state', state);
  if (ownerId !== null) query.set('owner', ownerId);
  if (isReversed) query.set('order', startsHigh.includes(sort) ? 'asc' : 'desc');
  return query.toString();
}

/** A free name for a sample: `sample`, or `sample-2` and on. */
export function freeSampleName(taken: readonly string[]): string {
  if (!taken.includes('sample')) return 'sample';
  let number = 2;
  while (taken.includes(`sample-${number}`)) number += 1;
  return `sample-${number}`;
}
