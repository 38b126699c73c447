// Reading instances and what belongs to them, and keeping the copies fresh.

import { keepPreviousData, useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import {
  deploymentListSchema,
  instanceListSchema,
  instanceSchema,
  type changeInstanceSchema,
  type DeploymentView,
  type InstanceList,
  type InstanceSummary,
  type InstanceView,
} from '../contracts/instances.ts';
import type { z } from 'zod';
import { instanceApi } from './addresses.ts';
import { isMissing, request, type ApiError } from './api.ts';

/** While something moves, the page asks every 2 s, so that it also lives without Redis; otherwise the socket tells. */
const paceMs = (isMoving: boolean): number => (isMoving ? 2_000 : 20_000);
const movingStates = ['creating', 'building', 'starting', 'stopping', 'deleting'];
const isMoving = (instance: InstanceSummary): boolean => instance.job !== null || movingStates.includes(instance.state);

/** One page of the list. @param query of `GET /instances`; the page before stays while the next one comes */
export const useInstances = (query: string): UseQueryResult<InstanceList> =>
  useQuery({
    queryKey: ['instances', query],
    queryFn: ({ signal }) => request(instanceListSchema, `/instances?${query}`, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => paceMs(state.data?.instances.some(isMoving) ?? false),
  });

/** Whether a name is in use, as far as this person can see; asked only when it may be one. */
export function useIsNameTaken(name: string): boolean {
  const wanted = name.trim();
  const list = useQuery({
    queryKey: ['instances', 'named', wanted],
    queryFn: ({ signal }) => request(instanceListSchema, `/instances?${new URLSearchParams({ search: wanted }).toString()}`, { signal }),
    enabled: wanted.length >= 3,
  });
  return list.data?.instances.some((instance) => instance.name === wanted) ?? false;
}

/** One instance; while it waits for its first push the page asks often, because the push comes from elsewhere. */
export const useInstance = (name: string): UseQueryResult<InstanceView> =>
  useQuery({
    queryKey: ['instance', name],
    queryFn: ({ signal }) => request(instanceSchema, instanceApi(name), { signal }),
    refetchInterval: ({ state }) =>
      isMissing(state.error) ? false : paceMs(state.data === undefined || isMoving(state.data) || state.data.state === 'waiting'),
  });

export const useDeployments = (name: string, isBusy: boolean): UseQueryResult<DeploymentView[]> =>
  useQuery({
    queryKey: ['deployments', name],
    queryFn: async ({ signal }) => (await request(deploymentListSchema, instanceApi(name, '/deployments'), { signal })).deployments,
    refetchInterval: paceMs(isBusy),
  });

export type InstanceChange = z.infer<typeof changeInstanceSchema>;

export function useChangeInstance(name: string): UseMutationResult<InstanceView, ApiError, InstanceChange> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: InstanceChange) => request(instanceSchema, instanceApi(name), { method: 'PATCH', body }),
    onSuccess: (instance) => client.setQueryData(['instance', name], instance),
  });
}
