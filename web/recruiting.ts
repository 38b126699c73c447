// Reading and saving how people are recruited, and what the tab asks for on a click.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import type { PutRecruitment, RecruitmentKind } from '../contracts/recruiting.ts';
import { recruitingSchema, returnedSchema, testClickSchema, type RecruitingView, type Returned, type TestClick } from '../contracts/recruiting-view.ts';
import { instanceApi } from './addresses.ts';
import { request } from './api.ts';
import { roomApi } from './rooms.ts';

export const kindWords: Readonly<Record<RecruitmentKind, { name: string; about: string }>> = {
  lab: { name: 'Lab', about: 'People sit down at computers of the lab and come in by the Lobby.' },
  prolific: { name: 'Prolific', about: 'Prolific sends each person with an id of their own, and wants them back by a completion link.' },
  mturk: { name: 'MTurk', about: 'oTree publishes the session on MTurk itself, outside rooms.' },
  sona: { name: 'Sona', about: 'Your department’s Sona Systems sends students with a survey code and grants credit.' },
  link: { name: 'Own link', about: 'You send links yourself, or another recruiting site does.' },
};

const key = (name: string): readonly string[] => ['recruiting', name];

/** @param isBusy while a job runs, which may be the one that hands the links over */
export const useRecruiting = (name: string, isBusy: boolean): UseQueryResult<RecruitingView> =>
  useQuery({
    queryKey: key(name),
    queryFn: ({ signal }) => request(recruitingSchema, instanceApi(name, '/recruiting'), { signal }),
    refetchInterval: isBusy ? 2_000 : 15_000,
  });

export function useSaveRecruitment(name: string): UseMutationResult<RecruitingView, Error, PutRecruitment> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: PutRecruitment) => request(recruitingSchema, instanceApi(name, '/recruiting'), { method: 'PUT', body }),
    networkMode: 'always',
    onSuccess: (view) => client.setQueryData(key(name), view),
  });
}

export const useTestClick = (name: string, room: string): UseMutationResult<TestClick, Error, void> =>
  useMutation({ mutationFn: () => request(testClickSchema, roomApi(name, room, '/test-click'), { method: 'POST' }), networkMode: 'always' });

export const useFindReturned = (name: string, room: string): UseMutationResult<Returned, Error, void> =>
  useMutation({ mutationFn: () => request(returnedSchema, roomApi(name, room, '/returned')), networkMode: 'always' });
