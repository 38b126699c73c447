// Bots of an instance: how they went.

import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { botListSchema, type BotList } from '../contracts/bots.ts';
import { instanceApi } from './addresses.ts';
import { request } from './api.ts';

export const useBots = (name: string, isBusy: boolean): UseQueryResult<BotList> =>
  useQuery({
    queryKey: ['bots', name],
    queryFn: ({ signal }) => request(botListSchema, instanceApi(name, '/bots'), { signal }),
    refetchInterval: isBusy ? 2_000 : 30_000,
  });

/** Path below `/api/v1` of what the bots of one config did. */
export const botsFilePath = (name: string, run: { jobId: string; config: string }): string =>
  instanceApi(name, `/bots/${run.jobId}/file?${new URLSearchParams({ config: run.config }).toString()}`);
