// Which instances the dashboard shows: search words, whose, and state, all in the address.

import type { InstanceSummary } from '../contracts/instances.ts';
import { instanceStates, type InstanceState } from '../contracts/states.ts';

export type InstanceFilter = { readonly words: string; readonly isMine: boolean; readonly state: InstanceState | null };

/** The filter in an address: `?q=trust&of=me&state=running`. */
export function readFilter(search: URLSearchParams): InstanceFilter {
  const state = search.get('state');
  return { words: search.get('q') ?? '', isMine: search.get('of') === 'me', state: instanceStates.find((known) => known === state) ?? null };
}

/** Every word has to occur in the name, the owner or the oTree version. */
export function chooseInstances(list: readonly InstanceSummary[], filter: InstanceFilter, myId: string): InstanceSummary[] {
  const words = filter.words.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (instance: InstanceSummary): boolean => {
    const text = `${instance.name} ${instance.owner.name} ${instance.otreeVersion ?? ''}`.toLowerCase();
    return (
      words.every((word) => text.includes(word)) && (!filter.isMine || instance.owner.id === myId) && (filter.state === null || instance.state === filter.state)
    );
  };
  return list.filter(fits).toSorted((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }));
}

/** States that occur, most frequent first, with how many there are. */
export function countStates(list: readonly InstanceSummary[]): { state: InstanceState; count: number }[] {
  return instanceStates
    .map((state) => ({ state, count: list.filter((instance) => instance.state === state).length }))
    .filter(({ count }) => count > 0)
    .toSorted((one, other) => other.count - one.count);
}

/** A free name for a sample: `sample`, or `sample-2` and on. */
export function freeSampleName(taken: readonly string[]): string {
  if (!taken.includes('sample')) return 'sample';
  let number = 2;
  while (taken.includes(`sample-${number}`)) number += 1;
  return `sample-${number}`;
}
