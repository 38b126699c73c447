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

/** Word, icon and tone of a host; that it is away comes before what it is used for. */
export function lookOf({ state, takesInstances }: Pick<SwarmHostView, 'state' | 'takesInstances'>): Look {
  if (state === 'down') return { word: 'down', icon: 'times circle', tone: 'brick' };
  if (state === 'unknown') return { word: 'unknown', icon: 'question circle outline', tone: 'amber' };
  return takesInstances ? { word: 'ready', icon: 'check circle', tone: 'moss' } : { word: 'takes no instances', icon: 'pause circle outline', tone: 'amber' };
}

export type DrainConsequences = { readonly facts: string; readonly sentences: readonly string[]; readonly people: number };

/** What emptying a host would do to whom. */
export function describeDrain(host: SwarmHostView): DrainConsequences {
  const { instances } = host;
  const people = instances.reduce((sum, { participantsInSession }) => sum + participantsInSession, 0);
  const names = instances.map(({ name, participantsInSession }) =>
    participantsInSession === 0 ? name : `${name} (${countOf(participantsInSession, 'person', 'people')} in a session)`,
  );
  const stays = host.isPanelHost ? ['The panel, its database and the front door stay here.'] : [];
  if (instances.length === 0) return { facts: 'No instance runs here now.', sentences: ['New ones start on other hosts.', ...stays], people };
  return {
    facts: `${countOf(instances.length, 'instance')} ${instances.length === 1 ? 'moves' : 'move'} to other hosts: ${names.join(', ')}.`,
    sentences: [
      'Each stops here and starts there: participants see a short “one moment” page, and theirs comes back by itself.',
      'The data stay as they are.',
      ...stays,
    ],
    people,
  };
}
