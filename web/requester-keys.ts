// Reading, entering and trying one's own MTurk requester keys.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import { requesterKeySchema, triedKeySchema, type MturkMode, type RequesterKey, type RequesterKeyView, type TriedKey } from '../contracts/requester-keys.ts';
import { instanceApi } from './addresses.ts';
import { request, send } from './api.ts';

const key = ['requester-key'];
const path = '/me/requester-key';

export const useRequesterKey = (): UseQueryResult<RequesterKeyView> =>
  useQuery({ queryKey: key, queryFn: ({ signal }) => request(requesterKeySchema, path, { signal }) });

export function useSaveRequesterKey(): UseMutationResult<RequesterKeyView, Error, RequesterKey> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: RequesterKey) => request(requesterKeySchema, path, { method: 'PUT', body }),
    onSuccess: (view) => client.setQueryData(key, view),
  });
}

export function useForgetRequesterKey(): UseMutationResult<void, Error, void> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      await send(path, { method: 'DELETE' });
    },
    onSuccess: () => client.setQueryData(key, { key: null } satisfies RequesterKeyView),
  });
}

export const useTryRequesterKey = (): UseMutationResult<TriedKey, Error, MturkMode> =>
  useMutation({ mutationFn: (mode: MturkMode) => request(triedKeySchema, `${path}/try`, { method: 'POST', body: { mode } }) });

export function useGiveRequesterKey(name: string): UseMutationResult<void, Error, void> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      await send(instanceApi(name, '/requester-key'), { method: 'POST' });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ['environment', name] }),
  });
}
