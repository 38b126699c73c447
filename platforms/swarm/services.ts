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
import { GRACE_SECONDS, networkSpec, withHash } from './service-spec.ts';

const POLL_MS = 100;
/** Longer than the grace: then the engine itself has not ended it. */
const STOP_LIMIT_MS = (GRACE_SECONDS + 10) * 1000;

/** One container of an instance, as the engine's list has it. */
export type Listed = Pick<Docker.ContainerInfo, 'Id' | 'Created' | 'State' | 'Labels'>;

/** A service as far as it matters here; null when there is none. @throws platform_failed */
export async function findService(ground: Ground, instanceId: string): Promise<{ id: string; hash: string | null } | null> {
  const found = (await ifThere(ground.engine.quick.getService(serviceName(instanceId)).inspect())) as Docker.Service | null;
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

/** Removes the service and waits until no container of the instance runs; one that the engine leaves running is killed. */
export async function endService(ground: Ground, instanceId: string): Promise<void> {
  await ifThere(ground.engine.quick.getService(serviceName(instanceId)).remove());
  const deadline = Date.now() + STOP_LIMIT_MS;
  for (;;) {
    // What a crash of the panel left of single runs ends as well.
    const left = await containersOf(ground, instanceId);
    const isElsewhere = await runsElsewhere(ground, instanceId);
    if (left.length === 0 && !isElsewhere) {
      const gate = ground.engine.quick.getService(gateName(instanceId));
      if (ground.registry === null || (await ifThere(gate.inspect() as Promise<unknown>)) === null) return;
      // Its container was just away: it would come back, and stand in the way of the next one.
      await ifThere(gate.remove());
    }
    const isLate = Date.now() > deadline;
    // What still runs may need its database to the last.
    if (!isElsewhere && left.every(({ Labels }) => Labels[LABEL.part] === 'gate')) await ifThere(ground.engine.quick.getService(gateName(instanceId)).remove());
    for (const { Id, Labels } of left) if (isLate || !ofServices.has(Labels[LABEL.part] ?? '')) await removeContainer(ground, Id);
    if (Date.now() > deadline + STOP_LIMIT_MS) throw new AppError('platform_failed', { reason: 'the Docker Engine does not end the experiment’s container.' });
    await pause(POLL_MS);
  }
}

/** Id of the instance's own network, made unless it is there. One that leads elsewhere than wanted is made anew. */
export async function ensureNetwork(ground: Ground, instanceId: string): Promise<string> {
  const network = ground.engine.quick.getNetwork(serviceName(instanceId));
  const there = await ifThere<Docker.NetworkInspectInfo>(network.inspect());
  if (there !== null && there.Internal === !ground.hasOutbound) return there.Id;
  if (there !== null) await removeNetwork(ground, instanceId);
  const made = await asking(ground.engine.quick.createNetwork(networkSpec({ panelId: ground.panelId, instanceId, hasOutbound: ground.hasOutbound })));
  return made.id;
}

/** Swarm lets a network go only when it has taken notice that its last task is gone. */
export async function removeNetwork(ground: Ground, instanceId: string): Promise<void> {
  for (const deadline = Date.now() + STOP_LIMIT_MS; ; await pause(POLL_MS)) {
    try {
      await ifThere(ground.engine.quick.getNetwork(serviceName(instanceId)).remove());
      return;
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
