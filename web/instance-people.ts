// Reading and changing who works on an instance.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import type { z } from 'zod';
import { instancePeopleSchema, type addShareSchema, type handOverSchema, type InstancePeople, type ShareLevel } from '../contracts/shares.ts';
import { instanceApi } from './addresses.ts';
import { request, send, type ApiError } from './api.ts';

export const useInstancePeople = (name: string): UseQueryResult<InstancePeople> =>
  useQuery({ queryKey: ['instance-people', name], queryFn: ({ signal }) => request(instancePeopleSchema, instanceApi(name, '/people'), { signal }) });

/** Sends a change and asks again for everything that shows people. */
function usePeopleChange<Body>(name: string, act: (body: Body) => Promise<unknown>): UseMutationResult<void, ApiError, Body> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: Body) => void (await act(body)),
    onSuccess: () =>
      Promise.all([client.invalidateQueries({ queryKey: ['instance-people', name] }), client.invalidateQueries({ queryKey: ['instance', name] })]),
  });
}

export const useAddShare = (name: string): UseMutationResult<void, ApiError, z.infer<typeof addShareSchema>> =>
  usePeopleChange(name, (body) => send(instanceApi(name, '/shares'), { method: 'POST', body }));

type LevelChange = { personId: string; level: ShareLevel };

export const useChangeShare = (name: string): UseMutationResult<void, ApiError, LevelChange> =>
  usePeopleChange(name, ({ personId, level }: LevelChange) => send(instanceApi(name, `/shares/${personId}`), { method: 'PUT', body: { level } }));

export const useRemoveShare = (name: string): UseMutationResult<void, ApiError, string> =>
  usePeopleChange(name, (personId: string) => send(instanceApi(name, `/shares/${personId}`), { method: 'DELETE' }));

export const useHandOver = (name: string): UseMutationResult<void, ApiError, z.infer<typeof handOverSchema>> =>
  usePeopleChange(name, (body) => send(instanceApi(name, '/owner'), { method: 'POST', body }));
