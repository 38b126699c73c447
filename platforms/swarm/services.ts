// The services on the engine: finding one, making it, ending it, and the network and secret that it needs.

import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type Docker from 'dockerode';
import { AppError } from '../../contracts/errors.ts';
import { asking, ifThere, statusOf } from './engine.ts';
import type { Ground } from './ground.ts';
import { gateName, LABEL, labelsOf, ownedBy, type Part, secretName, serviceName } from './names.ts';
import { type Run, runsElsewhere, runsOnHosts } from './elsewhere.ts';
import { authOf } from './registry-account.ts';
import { removeContainer } from './runs.ts';
import { GRACE_SECONDS, networkName, type NetworkPlan, networkSpec, withHash } from './service-spec.ts';

const POLL_MS = 100;
/** Longer than the grace: then the engine itself has not ended it. */
const STOP_LIMIT_MS = (GRACE_SECONDS + 10) * 1000;

/** One container of an instance, as the engine's list has it. */
export type Listed = Pick<Docker.ContainerInfo, 'Id' | 'Created' | 'State' | 'Labels'>;

/** A service as far as it matters here; null when there is none. @throws platform_failed */
export const findService = async (ground: Ground, instanceId: string): Promise<Found | null> => await findNamed(ground, serviceName(instanceId));

type Found = { readonly id: string; /** What it was made as. */ readonly hash: string | null };

/** As `findService`, of any service by its name. */
export async function findNamed(ground: Ground, name: string): Promise<Found | null> {
  const found = (await ifThere(ground.engine.quick.getService(name).inspect())) as Docker.Service | null;
  return found === null ? null : { id: found.ID, hash: found.Spec?.Labels?.[LABEL.spec] ?? null };
}

/** Every container of an instance, ended ones included, oldest first. */
export async function containersOf(ground: Ground, instanceId: string, part?: Part): Promise<Listed[]> {
  const filters = ownedBy({ panelId: ground.panelId, instanceId, ...(part === undefined ? {} : { part }) });
  return (await asking(ground.engine.quick.listContainers({ all: true, filters }))).toSorted((a, b) => a.Created - b.Created);
}

/** Containers of an instance's service, ended ones included, oldest first, wherever they may be. */
export const servingOf = async (ground: Ground, instanceId: string): Promise<readonly (Listed | Run)[]> =>
  ground.registry === null ? await containersOf(ground, instanceId, 'serve') : await runsOnHosts(ground, instanceId);

/** What the scheduler says of a service's tasks, oldest first (Docker API 1.41 `Task`). */
export type Task = {
  readonly ID: string;
  readonly ServiceID: string;
  readonly NodeID?: string;
  readonly CreatedAt: string;
  readonly DesiredState: string;
  readonly Status: {
    readonly State: string;
    readonly Err?: string;
    readonly ContainerStatus?: { readonly ContainerID?: string; readonly ExitCode?: number };
  };
  readonly Spec?: { readonly ContainerSpec?: { readonly Labels?: Readonly<Record<string, string>> } };
};

/** Tasks of one service, or of all. */
export async function listTasks(ground: Ground, serviceId?: string): Promise<Task[]> {
  const tasks = (await asking(ground.engine.quick.listTasks(serviceId === undefined ? {} : { filters: { service: [serviceId] } }))) as Task[];
  return tasks.toSorted((a, b) => (a.CreatedAt < b.CreatedAt ? -1 : 1));
}

/** Makes the service; the label says as what. Other hosts fetch its image with the panel's account, which the Swarm keeps and shows to nobody. */
export async function createService(ground: Ground, spec: Docker.CreateServiceOptions): Promise<void> {
  const wanted = withHash(spec, hashOf(spec));
  const { quick } = ground.engine;
  await asking(ground.registryAccount === null ? quick.createService(wanted) : quick.createService(authOf(ground), wanted));
}

/** By which two wanted services are told apart. */
export const hashOf = (spec: Docker.CreateServiceOptions): string => createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 32);

const ofServices: ReadonlySet<string> = new Set(['serve', 'gate']);

/**
 * Removes the service and waits until no container of the experiment runs; one that the engine leaves running is killed.
 * Without a service nothing comes back, so what runs here is told to end at once: the engine itself first waits two seconds,
 * for other hosts to learn of it, and two more before it removes what has ended (moby's `defaultGossipConvergeDelay`).
 */
export async function endService(ground: Ground, instanceId: string): Promise<void> {
  await ifThere(ground.engine.quick.getService(serviceName(instanceId)).remove());
  const deadline = Date.now() + STOP_LIMIT_MS;
  const told = new Set<string>();
  /** Parts whose service is gone. */
  const removed = new Set<string>(['serve']);
  for (;;) {
    // What a crash of the panel left of single runs ends as well.
    // Its own database server goes on: what ends may write to the last, and people look at data of stopped instances.
    const left = (await containersOf(ground, instanceId)).filter(({ Labels }) => Labels[LABEL.part] !== 'database');
    for (const one of left.filter(({ Labels }) => removed.has(Labels[LABEL.part] ?? ''))) await endContainer(ground, one, { told });
    const isElsewhere = await runsElsewhere(ground, instanceId);
    if (left.length === 0 && !isElsewhere) {
      const gate = ground.engine.quick.getService(gateName(instanceId));
      if (ground.registry === null || (await ifThere(gate.inspect() as Promise<unknown>)) === null) return;
      // Its container was just away: it would come back, and stand in the way of the next one.
      await ifThere(gate.remove());
    }
    const isLate = Date.now() > deadline;
    // What still runs may need its database to the last.
    if (!isElsewhere && left.every(({ Labels }) => Labels[LABEL.part] === 'gate')) {
      await ifThere(ground.engine.quick.getService(gateName(instanceId)).remove());
      removed.add('gate');
    }
    for (const { Id, Labels } of left) if (isLate || !ofServices.has(Labels[LABEL.part] ?? '')) await removeContainer(ground, Id);
    if (Date.now() > deadline + STOP_LIMIT_MS) throw new AppError('platform_failed', { reason: 'the Docker Engine does not end the experiment’s container.' });
    await pause(POLL_MS);
  }
}

/** Tells one that runs to end, once; removes one that has ended. @param told those that were told before @param signal what its program ends properly by */
export async function endContainer(ground: Ground, { Id, State }: Listed, { told, signal = 'SIGTERM' }: { told: Set<string>; signal?: string }): Promise<void> {
  if (State === 'exited') return await removeContainer(ground, Id);
  if (State !== 'running' || told.has(Id)) return;
  told.add(Id);
  // It may have ended just now.
  await asking(ground.engine.quick.getContainer(Id).kill({ signal })).catch(() => undefined);
}

/** Id of the instance's own network, made unless it is there. One that leads elsewhere than wanted is made anew. */
export async function ensureNetwork(ground: Ground, instanceId: string, part: NetworkPlan['part'] = 'serve'): Promise<string> {
  const hasOutbound = part === 'serve' && ground.hasOutbound;
  const network = ground.engine.quick.getNetwork(networkName({ instanceId, part }));
  const there = await ifThere<Docker.NetworkInspectInfo>(network.inspect());
  if (there !== null && there.Internal === !hasOutbound) return there.Id;
  if (there !== null) await removeNetwork(ground, instanceId, part);
  const made = await asking(ground.engine.quick.createNetwork(networkSpec({ panelId: ground.panelId, instanceId, part, hasOutbound })));
  return made.id;
}

/** Swarm lets a network go only when it has taken notice that its last task is gone, and this machine's part of it a little later. */
export async function removeNetwork(ground: Ground, instanceId: string, part: NetworkPlan['part'] = 'serve'): Promise<void> {
  const network = ground.engine.quick.getNetwork(networkName({ instanceId, part }));
  for (const deadline = Date.now() + STOP_LIMIT_MS; ; await pause(POLL_MS)) {
    try {
      if ((await ifThere<unknown>(network.inspect())) === null) return;
      await ifThere(network.remove());
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

/** The secret with this content; its name goes by the content, because secrets never change. */
export async function ensureSecret(ground: Ground, instanceId: string, content: string): Promise<{ id: string; name: string }> {
  const name = secretName(instanceId, createHash('sha256').update(content).digest('hex'));
  const there = await ifThere(ground.engine.quick.getSecret(name).inspect());
  if (there !== null) return { id: (there as { ID: string }).ID, name };
  const labels = labelsOf({ panelId: ground.panelId, instanceId, part: 'serve' });
  const made = (await asking(
    ground.engine.quick.createSecret({ Name: name, Labels: labels, Data: Buffer.from(content).toString('base64') }) as Promise<unknown>,
  )) as { id?: string; ID?: string };
  return { id: made.ID ?? made.id ?? '', name };
}

/** Removes the instance's secrets but one. */
export async function removeSecrets(ground: Ground, instanceId: string, keep: string | null): Promise<void> {
  const all = await asking(ground.engine.quick.listSecrets({ filters: ownedBy({ panelId: ground.panelId, instanceId }) }));
  for (const { ID, Spec } of all) {
    if (Spec?.Name === keep) continue;
    await ifThere(ground.engine.quick.getSecret(ID).remove() as Promise<unknown>).catch((error: unknown) => {
      // A service that is just going still holds it; the next start removes it.
      if (!(error instanceof AppError) || statusOf(error.cause) === null) throw error;
    });
  }
}
