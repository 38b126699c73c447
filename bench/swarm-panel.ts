// What a bench with `--swarm` needs: a Docker Engine of its own, settings of a panel that uses it, and bytes on its disk.

import { existsSync } from 'node:fs';
import { BASE_IMAGE, engineForTests, type TestEngine } from '../tests/docker-engine.ts';

const certificates = '/etc/ssl/certs/ca-certificates.crt';

/** Whether swarm is measured beside local. */
export const withSwarm = process.argv.includes('--swarm');

/** What was given besides options. */
export const given = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

/** @throws Error where no engine can run */
export async function startEngine(): Promise<TestEngine> {
  const engine = await engineForTests();
  if (engine === null) throw new Error('no Docker Engine can run here');
  return engine;
}

export const swarmSettings = (engine: TestEngine): Record<string, string> => ({
  PLATFORM: 'swarm',
  DOCKER_SOCKET: engine.socket,
  SWARM_BASE_IMAGES: BASE_IMAGE,
  SWARM_ADVERTISE_ADDRESS: '127.0.0.1',
  ...(existsSync(certificates) ? { PIP_CERT: certificates } : {}),
});

export type Disk = { readonly images: readonly { readonly name: string; readonly mib: number }[]; readonly layersMib: number };

const mib = (bytes: number): number => Math.round((bytes / 2 ** 20) * 100) / 100;

/** Every image with what lies below it, and the bytes of all layers together, shared ones once (Docker API `/system/df`). */
export async function diskOf({ docker }: TestEngine): Promise<Disk> {
  const [{ LayersSize }, images] = [(await docker.df()) as { LayersSize: number }, await docker.listImages()];
  return {
    images: images.map(({ RepoTags, Size }) => ({ name: RepoTags?.[0] ?? 'unnamed', mib: mib(Size) })).toSorted((a, b) => a.mib - b.mib),
    layersMib: mib(LayersSize),
  };
}
