// People and SSH keys: reading them, and asking again after a change.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import { personListSchema, sshKeyListSchema, type PersonView, type SshKeyView } from '../contracts/people.ts';
import { request, send, type ApiError } from './api.ts';

export const usePeople = (isWanted = true): UseQueryResult<PersonView[]> =>
  useQuery({ queryKey: ['people'], queryFn: async ({ signal }) => (await request(personListSchema, '/users', { signal })).people, enabled: isWanted });

export const useSshKeys = (): UseQueryResult<SshKeyView[]> =>
  useQuery({ queryKey: ['ssh-keys'], queryFn: async ({ signal }) => (await request(sshKeyListSchema, '/ssh-keys', { signal })).sshKeys });

export function useDisablePerson(): UseMutationResult<void, ApiError, { id: string; isDisabled: boolean }> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, isDisabled }: { id: string; isDisabled: boolean }) => void (await send(`/users/${id}`, { method: 'PATCH', body: { isDisabled } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['people'] }),
  });
}

export function useRemoveKey(): UseMutationResult<void, ApiError, string> {
  const refresh = useRefreshKeys();
  return useMutation({
    mutationFn: async (id: string) => void (await send(`/ssh-keys/${id}`, { method: 'DELETE' })),
    onSuccess: refresh,
  });
}

/** Asks again for the keys and for how many there are. */
export function useRefreshKeys(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await Promise.all([client.invalidateQueries({ queryKey: ['ssh-keys'] }), client.invalidateQueries({ queryKey: ['me'] })]);
  };
}
