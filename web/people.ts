// People and SSH keys: reading them, and asking again after a change.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import type { z } from 'zod';
import {
  linkSchema,
  personListSchema,
  personSchema,
  sshKeyListSchema,
  type changePersonSchema,
  type LinkView,
  type PersonView,
  type SshKeyView,
} from '../contracts/people.ts';
import { request, send, type ApiError } from './api.ts';
import { useMay } from './panel.ts';

export const usePeople = (isWanted = true): UseQueryResult<PersonView[]> =>
  useQuery({ queryKey: ['people'], queryFn: async ({ signal }) => (await request(personListSchema, '/users', { signal })).people, enabled: isWanted });

/** Who may be made the owner of an instance, for a choice; empty for whoever may not choose. */
export function useOwnerOptions(): { value: string; text: string }[] {
  const people = usePeople(useMay('people.list')).data ?? [];
  return people.filter(({ isDisabled }) => !isDisabled).map(({ id, name, userName }) => ({ value: id, text: `${name} (${userName})` }));
}

export const useSshKeys = (): UseQueryResult<SshKeyView[]> =>
  useQuery({ queryKey: ['ssh-keys'], queryFn: async ({ signal }) => (await request(sshKeyListSchema, '/ssh-keys', { signal })).sshKeys });

export type PersonPatch = z.infer<typeof changePersonSchema> & { readonly id: string };

/** Changes an account; every list of people asks again, also when somebody else was faster. */
export function useChangePerson(): UseMutationResult<PersonView, ApiError, PersonPatch> {
  const refresh = useRefreshPeople();
  return useMutation({
    mutationFn: ({ id, ...body }: PersonPatch) => request(personSchema, `/users/${id}`, { method: 'PATCH', body }),
    onSettled: refresh,
  });
}

export function useDeletePerson(): UseMutationResult<void, ApiError, string> {
  const refresh = useRefreshPeople();
  return useMutation({ mutationFn: async (id: string) => void (await send(`/users/${id}`, { method: 'DELETE' })), onSuccess: refresh });
}

/** Makes a one-time link; it is in the answer and nowhere else. */
export function useMakeLink(): UseMutationResult<LinkView, ApiError, { id: string; isMailed: boolean }> {
  const refresh = useRefreshPeople();
  return useMutation({
    mutationFn: ({ id, isMailed }: { id: string; isMailed: boolean }) => request(linkSchema, `/users/${id}/links`, { method: 'POST', body: { isMailed } }),
    onSuccess: refresh,
    // Another visit to the dialog must not find the link again.
    gcTime: 0,
  });
}

/** Asks again for people and courses. */
export function useRefreshPeople(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await Promise.all([
      client.invalidateQueries({ queryKey: ['people'] }),
      client.invalidateQueries({ queryKey: ['courses'] }),
      client.invalidateQueries({ queryKey: ['course'] }),
    ]);
  };
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
