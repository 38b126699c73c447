// The system check: its last result, running it anew, and how its results look.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import { lastSystemCheckSchema, systemCheckSchema, type CheckResult, type FirewallRule, type SystemCheck } from '../contracts/system-check.ts';
import { request, type ApiError } from './api.ts';
import type { Look } from './looks.ts';

const key = ['system-check'];

export const useLastCheck = (): UseQueryResult<SystemCheck | null> =>
  useQuery({ queryKey: key, queryFn: async ({ signal }) => (await request(lastSystemCheckSchema, '/system/check', { signal })).last });

/** Runs it; the result takes the place of the last one. */
export function useCheckNow(): UseMutationResult<SystemCheck, ApiError, void> {
  const client = useQueryClient();
  return useMutation<SystemCheck, ApiError>({
    mutationFn: () => request(systemCheckSchema, '/system/check', { method: 'POST', body: {} }),
    onSuccess: (fresh) => client.setQueryData(key, fresh),
  });
}

export const checkLooks: Readonly<Record<CheckResult, Look>> = {
  good: { word: 'good', icon: 'check circle', tone: 'moss' },
  attention: { word: 'needs attention', icon: 'exclamation triangle', tone: 'amber' },
  bad: { word: 'bad', icon: 'times circle', tone: 'brick' },
  unknown: { word: 'unknown', icon: 'question circle outline', tone: 'stone' },
  'not-here': { word: 'not here', icon: 'minus', tone: 'stone' },
};

export const wayLooks: Readonly<Record<FirewallRule['way'], Look>> = {
  open: { word: 'let in', icon: 'sign in alternate', tone: 'moss' },
  shut: { word: 'keep shut', icon: 'lock', tone: 'brick' },
  out: { word: 'let out', icon: 'sign out alternate', tone: 'sky' },
};
