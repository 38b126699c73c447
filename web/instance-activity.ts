// Reading what happened on an instance, and changing its notes and its last error.

import { keepPreviousData, useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import type { z } from 'zod';
import { activityListSchema, type ActivityPage, type writeNotesSchema } from '../contracts/activity.ts';
import { instanceApi } from './addresses.ts';
import { request, send, type ApiError } from './api.ts';

/** @param isBusy while a job runs, whose result stands in the list */
export const useActivity = (name: string, page: number, isBusy: boolean): UseQueryResult<ActivityPage> =>
  useQuery({
    queryKey: ['activity', name, page],
    queryFn: ({ signal }) => request(activityListSchema, instanceApi(name, `/activity?page=${page}`), { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: isBusy ? 2_000 : 20_000,
  });

function useInstanceChange<Body>(name: string, act: (body: Body) => Promise<unknown>): UseMutationResult<void, ApiError, Body> {
  const client = useQueryClient();
  // also when it was refused: the page then has to show what is there now
  const onSettled = (): Promise<unknown> =>
    Promise.all([client.invalidateQueries({ queryKey: ['instance', name] }), client.invalidateQueries({ queryKey: ['activity', name] })]);
  return useMutation({ mutationFn: async (body: Body) => void (await act(body)), onSettled });
}

export const useWriteNotes = (name: string): UseMutationResult<void, ApiError, z.infer<typeof writeNotesSchema>> =>
  useInstanceChange(name, (body) => send(instanceApi(name, '/notes'), { method: 'PUT', body }));

export const useHideError = (name: string): UseMutationResult<void, ApiError, void> =>
  useInstanceChange(name, () => send(instanceApi(name, '/last-error'), { method: 'DELETE' }));
