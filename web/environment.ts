// Reading and changing the environment of an experiment.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import { environmentSchema, variableValueSchema, type EnvironmentChange, type EnvironmentView } from '../contracts/environment.ts';
import { instanceApi } from './addresses.ts';
import { request, type ApiError } from './api.ts';

/** @param isBusy while a job runs, which may be the one that applies a change */
export const useEnvironment = (name: string, isBusy: boolean): UseQueryResult<EnvironmentView> =>
  useQuery({
    queryKey: ['environment', name],
    queryFn: ({ signal }) => request(environmentSchema, instanceApi(name, '/environment'), { signal }),
    refetchInterval: isBusy ? 2_000 : 20_000,
  });

export function useChangeEnvironment(name: string): UseMutationResult<EnvironmentView, ApiError, EnvironmentChange> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: EnvironmentChange) => request(environmentSchema, instanceApi(name, '/environment'), { method: 'PATCH', body }),
    onSuccess: (view) => {
      client.setQueryData(['environment', name], view);
      void client.invalidateQueries({ queryKey: ['instance', name] });
    },
  });
}

/** One value, fetched only when somebody wants to see or to copy it; each reading is recorded. */
export const readVariable = async (instanceName: string, variable: string): Promise<string> =>
  (await request(variableValueSchema, instanceApi(instanceName, `/environment/${variable}`))).value;
