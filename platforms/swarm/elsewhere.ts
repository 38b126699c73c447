// Instances that may run on any host: what the scheduler knows of their containers, in the form in which the panel's own engine lists its own.

import { asking } from './engine.ts';
import type { Ground } from './ground.ts';
import { LABEL } from './names.ts';
import type { Listed, Task } from './services.ts';

/** A host as its Swarm knows it (Docker API 1.41 `Node`). */
export type SwarmNode = {
  readonly ID: string;
  readonly UpdatedAt: string;
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Name?: string; readonly Labels?: Readonly<Record<string, string>>; readonly Role: string; readonly Availability: string };
  readonly Description: { readonly Hostname: string; readonly Resources: { readonly NanoCPUs: number; readonly MemoryBytes: number } };
  readonly Status: { readonly State: string; readonly Addr?: string };
  readonly ManagerStatus?: { readonly Leader?: boolean };
};

const SERVICE_ID = 'com.docker.swarm.service.id';
/** States in which a container has not begun yet; in `starting` it may run already, until its health check has found it well. */
const WAITING = new Set(['new', 'pending', 'assigned', 'accepted', 'preparing', 'ready', 'starting']);
const ENDED = new Set(['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned']);

/** All hosts of the Swarm. @throws platform_failed */
export const listNodes = async ({ engine }: Pick<Ground, 'engine'>): Promise<SwarmNode[]> => (await asking(engine.quick.listNodes())) as SwarmNode[];

/** A run of an instance's service on any host. */
export type Run = Listed & { readonly task: Task; readonly host: SwarmNode | undefined };

/** The containers of instances (part `serve`) by what the scheduler says, oldest first. Pure. */
export const runsFrom = (tasks: readonly Task[], nodes: readonly SwarmNode[], panelId: string): Run[] =>
  tasks
    .map((task): Run => {
      const host = nodes.find(({ ID }) => ID === task.NodeID);
      const Labels = { ...task.Spec?.ContainerSpec?.Labels, [SERVICE_ID]: task.ServiceID };
      return { Id: task.ID, Created: Date.parse(task.CreatedAt) / 1000, State: stateFrom(task, host), Labels, task, host };
    })
    .filter(({ Labels }) => Labels[LABEL.panel] === panelId && Labels[LABEL.part] === 'serve');

/** The run of each instance that is it now: the newest that runs. An older one, on a host that has just come back, is about to end. Pure. */
export const currentRuns = (runs: readonly Run[]): Run[] => [
  ...new Map(runs.filter(({ State }) => State === 'running').map((run) => [run.Labels[LABEL.instance], run])).values(),
];

function stateFrom({ Status, DesiredState }: Task, host: SwarmNode | undefined): 'created' | 'running' | 'exited' {
  // Refused before anything ran: the scheduler's own words say why.
  const hasBegun = (Status.ContainerStatus?.ContainerID ?? '') !== '' && (Status.State === 'starting' || !WAITING.has(Status.State));
  if (!hasBegun) return 'created';
  if (ENDED.has(Status.State)) return 'exited';
  return DesiredState === 'running' || !isLost(host) ? 'running' : 'exited';
}

/** Whether nothing has been heard of a host for so long that its instances are started elsewhere. */
export const isLost = (host: SwarmNode | undefined): boolean => host === undefined || host.Status.State === 'down';

/** Runs of one instance. */
export async function runsOnHosts(ground: Ground, instanceId: string): Promise<Run[]> {
  const [tasks, nodes] = await Promise.all([tasksOf(ground, instanceId), listNodes(ground)]);
  return runsFrom(tasks, nodes, ground.panelId);
}

/** Tasks of one instance's service, oldest first, of one that was removed as well until they have ended. */
async function tasksOf(ground: Ground, instanceId: string): Promise<Task[]> {
  const filters = { label: [`${LABEL.panel}=${ground.panelId}`, `${LABEL.instance}=${instanceId}`] };
  const tasks = (await asking(ground.engine.quick.listTasks({ filters }))) as Task[];
  return tasks.toSorted((a, b) => (a.CreatedAt < b.CreatedAt ? -1 : 1));
}

/** Whether a container of the instance's service still runs, on a host that is there. One that is lost gets no database any more (launcher/gate.py). */
export async function runsElsewhere(ground: Ground, instanceId: string): Promise<boolean> {
  if (ground.registry === null) return false;
  return (await runsOnHosts(ground, instanceId)).some(({ task, host }) => !ENDED.has(task.Status.State) && !isLost(host));
}

/** What the scheduler knows of a run's end; `isMove`: it was no fault of the experiment. Pure. */
export function endOfRun({ task, host }: Run): { exitCode: number | null; words: string | null; isMove: boolean } {
  const { State, Err, ContainerStatus } = task.Status;
  const name = host === undefined ? 'its host' : `the host ${host.Description.Hostname}`;
  if (!ENDED.has(State) && isLost(host))
    return { exitCode: null, words: `${name} does not answer any more; it was started again on another one.`, isMove: true };
  // Shut down by the scheduler; rejected, where its host is no place for instances any more.
  if (State === 'shutdown' || State === 'rejected') return { exitCode: null, words: `${name} was emptied; it was started again on another one.`, isMove: true };
  const exitCode = ContainerStatus?.ExitCode ?? null;
  return { exitCode, words: exitCode === null ? (Err ?? null) : null, isMove: false };
}
