// The hosts of the Swarm: reading them, how each looks, and what emptying one would do.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import { hostsSchema, type DrainHost, type HostsView, type SwarmHostView } from '../contracts/hosts.ts';
import { request, send } from './api.ts';
import type { Look } from './looks.ts';
import { countOf } from './numbers.ts';

const key = ['hosts'];
const everyMs = 5_000;

export const useHosts = (): UseQueryResult<HostsView> =>
  useQuery({ queryKey: key, queryFn: ({ signal }) => request(hostsSchema, '/system/hosts', { signal }), refetchInterval: everyMs });

/** Empties a host (`reason` where people are in a session there), or lets it take instances again. */
export function useChangeHost(host: Pick<SwarmHostView, 'id'>): UseMutationResult<void, Error, DrainHost | null> {
  const client = useQueryClient();
  const place = `/system/hosts/${encodeURIComponent(host.id)}`;
  return useMutation<void, Error, DrainHost | null>({
    mutationFn: async (drain) =>
      void (await (drain === null ? send(`${place}/activate`, { method: 'POST' }) : send(`${place}/drain`, { method: 'POST', body: drain }))),
    networkMode: 'always',
    onSettled: () => client.invalidateQueries({ queryKey: key }),
  });
}

/** Takes a host that is down from the list. */
export function useRemoveHost({ id }: Pick<SwarmHostView, 'id'>): UseMutationResult<void, Error, void> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => void (await send(`/system/hosts/${encodeURIComponent(id)}`, { method: 'DELETE' })),
    networkMode: 'always',
    onSettled: () => client.invalidateQueries({ queryKey: key }),
  });
}

/** Word, icon and tone of a host; that it is away comes before what it is used for. */
export function lookOf({ state, takesInstances }: Pick<SwarmHostView, 'state' | 'takesInstances'>): Look {
  if (state === 'down') return { word: 'down', icon: 'times circle', tone: 'brick' };
  if (state === 'unknown') return { word: 'unknown', icon: 'question circle outline', tone: 'amber' };
  return takesInstances ? { word: 'ready', icon: 'check circle', tone: 'moss' } : { word: 'takes no instances', icon: 'pause circle outline', tone: 'amber' };
}

/** What became of the instances of a host that is down, and what it does when it is back. */
export function describeDown(host: SwarmHostView, hosts: readonly SwarmHostView[]): string {
  const isTakenOver = hosts.some(({ id, state, takesInstances }) => id !== host.id && state === 'ready' && takesInstances);
  const moved = isTakenOver
    ? 'What ran there is started again on other hosts, and stays there.'
    : 'No other host takes instances now: what ran there waits until one does, or until this one is back.';
  return `${moved} ${host.takesInstances ? 'When it is back, it takes instances again.' : 'When it is back, it takes none until you choose “Use again”.'}`;
}

export const removalSentences: readonly string[] = [
  'Do this for a machine that will not come back. Instances and data stay as they are: what ran there runs on other hosts, or waits for one.',
  'The Swarm forgets it. If it is switched on again all the same, type “docker swarm leave” on it at once: nothing tells it any more to end what it ran. With “Add a host…” it can join anew.',
];

export type DrainConsequences = {
  readonly title: string;
  readonly facts: string;
  readonly sentences: readonly string[];
  readonly people: number;
  readonly verb: string;
};

/** What emptying a host would do to whom; one that is down is only kept from taking instances when it is back. */
export function describeDrain(host: SwarmHostView): DrainConsequences {
  const people = host.instances.reduce((sum, { participantsInSession }) => sum + participantsInSession, 0);
  if (host.state !== 'down') return { title: `Empty ${host.name}?`, ...describeMoves(host), people, verb: 'Empty this host' };
  return {
    title: `Keep ${host.name} empty?`,
    facts: 'It is down: nothing runs here that could be moved.',
    sentences: ['When it is back, it takes no instances until you choose “Use again”.', 'The data stay as they are.'],
    people,
    verb: 'Keep it empty',
  };
}

function describeMoves(host: SwarmHostView): Pick<DrainConsequences, 'facts' | 'sentences'> {
  const { instances } = host;
  const names = instances.map(({ name, participantsInSession }) =>
    participantsInSession === 0 ? name : `${name} (${countOf(participantsInSession, 'person', 'people')} in a session)`,
  );
  const stays = host.isPanelHost ? ['The panel, its database and the front door stay here.'] : [];
  if (instances.length === 0) return { facts: 'No instance runs here now.', sentences: ['New ones start on other hosts.', ...stays] };
  return {
    facts: `${countOf(instances.length, 'instance')} ${instances.length === 1 ? 'moves' : 'move'} to other hosts: ${names.join(', ')}.`,
    sentences: [
      'Each stops here and starts there: participants see a short “one moment” page, and theirs comes back by itself.',
      'The data stay as they are.',
      ...stays,
    ],
  };
}
