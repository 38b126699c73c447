// The hosts of the Swarm: who is there, what runs where, how one joins, and emptying one.

import { AppError } from '../../contracts/errors.ts';
import type { PlatformHost, PlatformHosts } from '../hosts.ts';
import { asking, ifThere } from './engine.ts';
import { currentRuns, listNodes, runsFrom, type SwarmNode } from './elsewhere.ts';
import type { Ground } from './ground.ts';
import { HOST_LABEL, LABEL } from './names.ts';
import { listTasks } from './services.ts';
import { nodeOf } from './swarm-node.ts';

const CORE = 1_000_000_000;
const SWARM_PORT = 2377;

type Info = { readonly Swarm: { readonly NodeAddr: string } };

export class SwarmHosts implements PlatformHosts {
  readonly #ground: Ground;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  get isSpread(): boolean {
    return this.#ground.registry !== null;
  }

  async list(): Promise<readonly PlatformHost[]> {
    const [nodes, tasks, ownId] = await Promise.all([listNodes(this.#ground), listTasks(this.#ground), nodeOf(this.#ground)]);
    const runs = currentRuns(runsFrom(tasks, nodes, this.#ground.panelId));
    const on = (id: string): string[] => runs.filter(({ task }) => task.NodeID === id).map(({ Labels }) => Labels[LABEL.instance] ?? '');
    return nodes
      .map((node) => ({ ...hostFrom(node), isPanelHost: node.ID === ownId, instanceIds: on(node.ID) }))
      .toSorted((a, b) => Number(b.isPanelHost) - Number(a.isPanelHost) || (a.name < b.name ? -1 : 1));
  }

  async joinCommand(): Promise<string> {
    const { quick } = this.#ground.engine;
    const [{ JoinTokens }, { Swarm }] = (await Promise.all([asking(quick.swarmInspect()), asking(quick.info())])) as [{ JoinTokens: { Worker: string } }, Info];
    if (/^(127\.|::1)/.test(Swarm.NodeAddr)) {
      const reason = `the Swarm was made at ${Swarm.NodeAddr}, which no other machine reaches. Make it anew at an address of your network.`;
      throw new AppError('platform_failed', { reason });
    }
    const place = Swarm.NodeAddr.includes(':') ? `[${Swarm.NodeAddr}]` : Swarm.NodeAddr;
    return `docker swarm join --token ${JoinTokens.Worker} ${place}:${SWARM_PORT}`;
  }

  /** The panel's host stays able to run gates: it is only no place for instances. Another one gives up everything, as `docker node update --availability drain` does. */
  async setTaking(hostId: string, isTaking: boolean): Promise<void> {
    const node = (await listNodes(this.#ground)).find(({ ID }) => ID === hostId);
    if (node === undefined) throw new AppError('not_found');
    const { [HOST_LABEL.name]: _mark, ...labels } = node.Spec.Labels ?? {};
    const isOwn = node.ID === (await nodeOf(this.#ground));
    const wanted = {
      ...node.Spec,
      Labels: isOwn && !isTaking ? { ...labels, [HOST_LABEL.name]: HOST_LABEL.none } : labels,
      Availability: isTaking || isOwn ? 'active' : 'drain',
    };
    await asking(this.#ground.engine.quick.getNode(hostId).update({ version: node.Version.Index, ...wanted }) as Promise<unknown>);
  }

  /** Without force: the engine itself refuses one that is there. */
  async remove(hostId: string): Promise<void> {
    await ifThere(this.#ground.engine.quick.getNode(hostId).remove() as Promise<unknown>);
  }
}

/** What the Swarm says of one host. Pure. */
export function hostFrom(node: SwarmNode): Omit<PlatformHost, 'isPanelHost' | 'instanceIds'> {
  const { Spec, Status, Description } = node;
  const state = Status.State === 'ready' || Status.State === 'down' ? Status.State : 'unknown';
  return {
    id: node.ID,
    name: Description.Hostname,
    address: Status.Addr ?? null,
    role: Spec.Role === 'manager' ? 'manager' : 'worker',
    state,
    // The Swarm notes no time of its own; a host's entry is written anew when its state changes, and seldom else.
    awaySince: state === 'ready' ? null : new Date(node.UpdatedAt),
    takesInstances: Spec.Availability === 'active' && Spec.Labels?.[HOST_LABEL.name] !== HOST_LABEL.none,
    cores: Math.round(Description.Resources.NanoCPUs / CORE),
    memoryBytes: Description.Resources.MemoryBytes,
  };
}
