// The panel itself: what visitors may know, who is signed in, the state of its parts.

import { useMutation, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { meSchema, panelSchema, type Me, type PanelView } from '../contracts/people.ts';
import { canOnPanel, type PanelAction } from '../contracts/roles.ts';
import { legalTextListSchema, type LegalText } from '../contracts/legal.ts';
import { aboutSchema, hostSchema, mailStateSchema, systemSchema, type About, type HostView, type MailState, type SystemView } from '../contracts/system.ts';
import { isSignedOut, keepCsrfToken, request, send } from './api.ts';
import { forgetNotifications } from './notifications.ts';
import { showToast } from './toasts.ts';

export const usePanel = (): UseQueryResult<PanelView> =>
  useQuery({
    queryKey: ['panel'],
    queryFn: ({ signal }) => request(panelSchema, '/panel', { signal }),
    staleTime: 60_000,
    refetchInterval: ({ state }) => (state.error ? 3_000 : false),
  });

export const useMailState = (): UseQueryResult<MailState> =>
  useQuery({ queryKey: ['mail'], queryFn: ({ signal }) => request(mailStateSchema, '/system/mail', { signal }) });

export const useAbout = (): UseQueryResult<About> => useQuery({ queryKey: ['about'], queryFn: ({ signal }) => request(aboutSchema, '/about', { signal }) });

export const useLegalTexts = (): UseQueryResult<LegalText[]> =>
  useQuery({ queryKey: ['legal'], queryFn: async ({ signal }) => (await request(legalTextListSchema, '/legal', { signal })).pages });

export const useSystem = (): UseQueryResult<SystemView> =>
  useQuery({ queryKey: ['system'], queryFn: ({ signal }) => request(systemSchema, '/system', { signal }), refetchInterval: 10_000 });

export const useHost = (): UseQueryResult<HostView> =>
  useQuery({ queryKey: ['host'], queryFn: ({ signal }) => request(hostSchema, '/system/host', { signal }), refetchInterval: 10_000 });

/** Who is signed in; null: nobody. While the panel does not answer, it is asked again by itself. */
export const useMe = (): UseQueryResult<Me | null> =>
  useQuery({ queryKey: ['me'], queryFn: ({ signal }) => readMe(signal), staleTime: 30_000, refetchInterval: ({ state }) => (state.error ? 3_000 : false) });

/** Whether the person who is signed in may do this on the panel. */
export function useMay(action: PanelAction): boolean {
  return canOnPanel(useMe().data?.person.role ?? null, action);
}

/** What to do with the answer of a sign-in: forget what the page knew, know who this is. */
export function useWelcome(): (me: Me) => void {
  const client = useQueryClient();
  return (me) => {
    keepCsrfToken(me.csrfToken);
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== 'panel' && query.queryKey[0] !== 'me' });
    client.setQueryData(['me'], me);
  };
}

export function useSignOut(): { signOut: () => void; isPending: boolean } {
  const mutation = useMutation({
    mutationFn: () => send('/session', { method: 'DELETE' }),
    // a fresh page forgets everything that was shown to this person
    onSuccess: () => {
      forgetNotifications();
      window.location.assign('/sign-in');
    },
    onError: (error) => showToast(error.message, 'brick'),
  });
  return { signOut: () => mutation.mutate(), isPending: mutation.isPending };
}

async function readMe(signal: AbortSignal): Promise<Me | null> {
  try {
    const me = await request(meSchema, '/me', { signal });
    keepCsrfToken(me.csrfToken);
    return me;
  } catch (error) {
    if (isSignedOut(error)) return null;
    throw error;
  }
}
