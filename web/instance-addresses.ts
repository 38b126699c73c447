// Addresses of an instance: reading them, giving one up, and what a change means in words.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import { instanceAddressesSchema, type AddressMode, type InstanceAddresses } from '../contracts/addresses.ts';
import { jobSchema, type JobView } from '../contracts/jobs.ts';
import { instanceApi } from './addresses.ts';
import { request, type ApiError } from './api.ts';
import { followJob } from './jobs.ts';

/** @param url its present address, @param isBusy while a job runs: either may be about addresses */
export const useAddresses = (name: string, { url, isBusy }: { url: string; isBusy: boolean }): UseQueryResult<InstanceAddresses> =>
  useQuery({
    queryKey: ['addresses', name, url],
    queryFn: ({ signal }) => request(instanceAddressesSchema, instanceApi(name, '/addresses'), { signal }),
    placeholderData: (before) => before,
    // Each answer asks DNS; what happens to addresses is a job, and is heard of.
    refetchInterval: isBusy ? 2_000 : 60_000,
  });

type GivingUp = { readonly id: string; readonly reason: string };

export function useGiveUpAddress(name: string): UseMutationResult<JobView, ApiError, GivingUp> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, reason }: GivingUp) =>
      request(jobSchema, instanceApi(name, `/addresses/${encodeURIComponent(id)}?${new URLSearchParams({ reason }).toString()}`), { method: 'DELETE' }),
    onSuccess: (job) => followJob(client, job),
  });
}

/** For whom each kind is, and what it asks for. */
export const addressMeanings: Readonly<Record<AddressMode, string>> = {
  subdomain: 'Easy to read, and browsers keep each experiment apart. Needs a wildcard entry in DNS, or an entry for this name.',
  port: 'Needs nothing from DNS. Some networks let nobody out to such ports.',
  path: 'Works with one host name and one port for all. Scripts of one experiment could act on the others.',
  host: 'A name that your IT department gives you for this study.',
};

type Choice = Pick<InstanceAddresses['choices'][number], 'mode' | 'restarts'>;
type Change = { readonly from: string; readonly choice: Choice; readonly keepsOld: boolean; readonly people: number; readonly hasProject: boolean };

/** What the change does, in whole sentences. @param change `from`: the address now; `people`: how many are in a session; `hasProject`: something was deployed */
export function describeAddressChange({ from, choice, keepsOld, people, hasProject }: Change): readonly string[] {
  return [
    `Links in e-mails, on Prolific or MTurk, printed sheets and shortcuts on computers in the lab say ${from}. ${
      keepsOld ? 'They lead to the new address until you give the old one up.' : 'They lead nowhere from then on: hand out new ones.'
    }`,
    ...(hasProject ? [choice.restarts ? restartNeeded : 'The experiment goes on without a restart. The data stay as they are.'] : []),
    ...(people > 0
      ? [
          keepsOld
            ? 'Who is in a session goes on at the new address with the next click. Live pages that are open have to be loaded once more.'
            : 'Who is in a session finds nobody with the next click.',
        ]
      : []),
    ...(choice.mode === 'path' ? [sharedOrigin] : []),
    ...(hasProject ? ['Whoever is signed in to oTree’s admin may have to sign in once more.'] : []),
  ];
}

const restartNeeded = 'The experiment restarts, because oTree has to know its path. Pages wait for a few seconds, then go on. The data stay as they are.';

/** The danger of paths, plainly. */
export const sharedOrigin =
  'All experiments with a path share one origin: a script of one of them could read and change what another one shows in the same browser. Use it only where you trust everybody who pushes experiments here. The panel itself lives elsewhere and is not touched.';
