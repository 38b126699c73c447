// Whether the engine is a manager of a Swarm, and making it one.

import { AppError } from '../../contracts/errors.ts';
import { asking } from './engine.ts';
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

/** Version of the engine. @throws platform_failed when it is too old */
export async function requireVersion(ground: Ground): Promise<string> {
  const { Version, ApiVersion } = await asking(ground.engine.quick.version());
  const minor = Number(/^1\.(\d+)$/.exec(ApiVersion)?.[1] ?? 0);
  if (minor < NEEDED_API) throw new AppError('platform_failed', { reason: `the Docker Engine ${Version} is too old: 20.10 or later is needed.` });
  return Version;
}

/** Makes the engine a manager when it is in no Swarm and an address was chosen; otherwise it stays as it is. @throws platform_failed */
export async function ensureManager(ground: Ground): Promise<void> {
  const { Swarm } = (await asking(ground.engine.quick.info())) as { Swarm: SwarmInfo };
  if (Swarm.LocalNodeState === 'active' || ground.advertiseAddress === null) return;
  const address = ground.advertiseAddress;
  await asking(ground.engine.quick.swarmInit({ AdvertiseAddr: address, ListenAddr: `${address}:2377`, DataPathAddr: address }));
  ground.log(`the Docker Engine is now the manager of a Swarm of its own, at ${address}`);
}
