// Backups: reading and deleting them, also those of instances that are gone.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import { backupListSchema, deletedInstanceListSchema, type BackupView, type DeletedInstanceView } from '../contracts/backups.ts';
import { instanceApi } from './addresses.ts';
import { request, send, type ApiError } from './api.ts';

export const useBackups = (name: string, isBusy: boolean): UseQueryResult<BackupView[]> =>
  useQuery({
    queryKey: ['backups', name],
    queryFn: async ({ signal }) => (await request(backupListSchema, instanceApi(name, '/backups'), { signal })).backups,
    refetchInterval: isBusy ? 2_000 : 20_000,
  });

export function useDeleteBackup(name: string): UseMutationResult<void, ApiError, string> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) => void (await send(instanceApi(name, `/backups/${id}`), { method: 'DELETE' })),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['backups', name] });
      void client.invalidateQueries({ queryKey: ['instance', name] });
    },
  });
}

export const useDeletedInstances = (isWanted: boolean): UseQueryResult<DeletedInstanceView[]> =>
  useQuery({
    queryKey: ['deleted-instances'],
    queryFn: async ({ signal }) => (await request(deletedInstanceListSchema, '/deleted-instances', { signal })).instances,
    enabled: isWanted,
  });
