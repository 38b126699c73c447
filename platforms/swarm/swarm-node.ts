// Whether the engine is a manager of a Swarm, and making it one.

import { AppError } from '../../contracts/errors.ts';
import { asking, Engine } from './engine.ts';
import type { Ground } from './ground.ts';

type SwarmInfo = { readonly LocalNodeState: string; readonly NodeID: string; readonly ControlAvailable: boolean };

/** Id of the engine's node in its Swarm. @throws platform_failed when it manages none */
export async function nodeOf(ground: Ground): Promise<string> {
  const { Swarm } = (await asking(ground.engine.quick.info())) as { Swarm: SwarmInfo };
  if (Swarm.LocalNodeState === 'active' && Swarm.ControlAvailable) return Swarm.NodeID;
  const what = Swarm.LocalNodeState === 'active' ? 'is a worker of another Swarm' : 'is not in Swarm mode';
  throw new AppError('platform_failed', {
    reason: `the Docker Engine ${what}. Run \`docker swarm init --advertise-addr ADDRESS\` on a manager, or set SWARM_ADVERTISE_ADDRESS, and restart the panel.`,
  });
}

/** Limits of processes, dropped capabilities and single looks at the memory came with this version of the interface (Engine 20.10). */
const NEEDED_API = 41;

/** Whether an engine with this version of its interface knows all that the panel uses. */
export const isRecentApi = (apiVersion: string): boolean => Number(/^1\.(\d+)$/.exec(apiVersion)?.[1] ?? 0) >= NEEDED_API;

/** Version of the engine. @throws platform_failed when it is too old */
export async function requireVersion(ground: Ground): Promise<string> {
  const { Version, ApiVersion } = await asking(ground.engine.quick.version());
  if (!isRecentApi(ApiVersion)) throw new AppError('platform_failed', { reason: `the Docker Engine ${Version} is too old: 20.10 or later is needed.` });
  return Version;
}

/** Makes the engine a manager when it is in no Swarm and an address was chosen; otherwise it stays as it is. @throws platform_failed */
export async function ensureManager(ground: Ground): Promise<void> {
  const { Swarm } = (await asking(ground.engine.quick.info())) as { Swarm: SwarmInfo };
  if (Swarm.LocalNodeState === 'active' || ground.advertiseAddress === null) return;
  const address = ground.advertiseAddress;
  await initSwarm(ground.engine, address);
  ground.log(`the Docker Engine is now the manager of a Swarm of its own, at ${address}`);
}

/**
 * Makes the engine at the socket the manager of a Swarm of its own, because somebody asked for it; one that manages a Swarm already stays as it is.
 * @param address of this machine; other hosts would join there
 * @throws platform_failed with the engine's own words, and when it belongs to another Swarm
 */
export async function makeManager(socket: string, address: string): Promise<void> {
  const engine = new Engine(socket);
  const { Swarm } = (await asking(engine.quick.info())) as { Swarm: SwarmInfo };
  if (Swarm.LocalNodeState === 'active' && Swarm.ControlAvailable) return;
  await initSwarm(engine, address);
}

const initSwarm = async (engine: Engine, address: string): Promise<void> =>
  void (await asking(engine.quick.swarmInit({ AdvertiseAddr: address, ListenAddr: `${address}:2377`, DataPathAddr: address })));
