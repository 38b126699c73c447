// The preflight of an instance: looking, keeping a look, those that were kept.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import { preflightListSchema, preflightSchema, type Finding, type Preflight, type PreflightList } from '../contracts/preflight.ts';
import type { InstanceView } from '../contracts/instances.ts';
import type { RecruitmentKind } from '../contracts/recruiting.ts';
import { instanceApi, instancePath } from './addresses.ts';
import { request, type ApiError } from './api.ts';
import { countOf } from './numbers.ts';

/** What is looked at: the room (empty: outside rooms), and what has not been said under Recruit. */
export type Wish = { readonly room: string; readonly kind: RecruitmentKind | null; readonly people: number | null };

const words = ({ room, kind, people }: Wish): Record<string, string> => ({
  room,
  ...(kind === null ? {} : { kind }),
  ...(people === null ? {} : { people: String(people) }),
});

/** Where the preflight of a room is shown. */
export const preflightPlace = (name: string, room: string): string => `${instancePath(name, 'preflight')}?${new URLSearchParams({ room }).toString()}`;

/** A look takes seconds and asks other machines: only when somebody asks for it, after a job has ended, and when the experiment started or stopped. */
export const useLook = ({ name, job, stateSince }: Pick<InstanceView, 'name' | 'job' | 'stateSince'>, wish: Wish): UseQueryResult<Preflight> =>
  useQuery({
    queryKey: ['preflight', name, words(wish), job === null, stateSince],
    queryFn: ({ signal }) => request(preflightSchema, instanceApi(name, `/preflight?${new URLSearchParams(words(wish)).toString()}`), { signal }),
    enabled: job === null,
    // Bots may be through two seconds after the look before: that one must not stand for the new one.
    staleTime: 0,
    placeholderData: (before) => (before?.room === wish.room ? before : undefined),
    refetchOnWindowFocus: false,
    retry: false,
  });

export function useKeepLook(name: string): UseMutationResult<Preflight, ApiError, Wish> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wish: Wish) => request(preflightSchema, instanceApi(name, '/preflights'), { method: 'POST', body: words(wish) }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['preflights', name] }),
  });
}

export const useKeptLooks = (name: string): UseQueryResult<PreflightList['looks']> =>
  useQuery({
    queryKey: ['preflights', name],
    queryFn: async ({ signal }) => (await request(preflightListSchema, instanceApi(name, '/preflights'), { signal })).looks,
  });

export const useKeptLook = (name: string, id: string | null): UseQueryResult<Preflight> =>
  useQuery({
    queryKey: ['preflights', name, id],
    queryFn: ({ signal }) => request(preflightSchema, instanceApi(name, `/preflights/${id ?? ''}`), { signal }),
    enabled: id !== null,
  });

export const kindWords: Readonly<Record<RecruitmentKind, string>> = { lab: 'Lab', prolific: 'Prolific', mturk: 'MTurk', sona: 'Sona', link: 'Own link' };

/** The verdict in one sentence. */
export function describeVerdict(counts: { readonly bad: number; readonly attention: number }): string {
  const { bad, attention } = counts;
  if (bad > 0) return `Not ready: ${countOf(bad, 'thing')} ${bad === 1 ? 'stands' : 'stand'} in the way.`;
  if (attention > 0) return `Ready, with ${countOf(attention, 'thing')} worth a look.`;
  return 'Ready for participants.';
}

export const countFindings = (findings: readonly Finding[]): { bad: number; attention: number } => ({
  bad: findings.filter(({ result }) => result === 'bad').length,
  attention: findings.filter(({ result }) => result === 'attention').length,
});
