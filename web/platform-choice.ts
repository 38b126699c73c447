// The platforms to choose from, the Docker Engine, and the words about them.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import { engineReportSchema, type EngineReport } from '../contracts/engine.ts';
import { platformChoiceSchema, type PlatformChoice, type PlatformName } from '../contracts/platform-choice.ts';
import { request, type ApiError } from './api.ts';

const key = ['platform'];

export const usePlatformChoice = (): UseQueryResult<PlatformChoice> =>
  useQuery({ queryKey: key, queryFn: ({ signal }) => request(platformChoiceSchema, '/system/platform', { signal }) });

export const useEngine = (): UseQueryResult<EngineReport> =>
  useQuery({ queryKey: ['engine'], queryFn: ({ signal }) => request(engineReportSchema, '/system/engine', { signal }), refetchInterval: 15_000 });

/** Takes a platform into use; what pages knew of the panel is asked again. */
export function useChoosePlatform(onDone: (choice: PlatformChoice) => void): UseMutationResult<PlatformChoice, ApiError, PlatformName> {
  const client = useQueryClient();
  return useMutation<PlatformChoice, ApiError, PlatformName>({
    mutationFn: (platform) => request(platformChoiceSchema, '/system/platform', { method: 'POST', body: { platform } }),
    onSuccess: (choice) => {
      client.setQueryData(key, choice);
      for (const stale of ['system', 'engine', 'host', 'about']) void client.invalidateQueries({ queryKey: [stale] });
      onDone(choice);
    },
  });
}

/** Keeps the answer of the engine after it was made a manager. */
export function useKeepChoice(): (choice: PlatformChoice) => void {
  const client = useQueryClient();
  return (choice) => {
    client.setQueryData(key, choice);
    void client.invalidateQueries({ queryKey: ['engine'] });
  };
}

/** What becomes of the engine at this address, one sentence each. */
export function describeManager(address: string): readonly string[] {
  return [
    'The Docker Engine becomes the manager of a Swarm of its own, with this machine as its only host. Containers that run on it now go on.',
    address === '127.0.0.1'
      ? 'At 127.0.0.1 no other machine can reach it, which is right for one host. For several hosts the Swarm has to be made again at an address of the lab’s network.'
      : `At ${address} other hosts could join it. Ports 2377/tcp, 7946/tcp, 7946/udp and 4789/udp are then open there: keep them shut to everybody but your own hosts.`,
    'The engine can no longer keep containers over its own restart: when Docker is updated, experiments start anew, in some ten seconds.',
    'It can be undone while no experiment runs on it: docker swarm leave --force.',
  ];
}

/** The button that takes a platform into use. */
export const platformVerbs: Readonly<Record<PlatformName, string>> = {
  local: 'Run experiments on this machine',
  swarm: 'Run experiments in containers',
  dokku: 'Run experiments on the Dokku host',
};
