// The gate of an instance that may run on any host: a small service on the panel's host, in the instance's own network. Pure.

import type Docker from 'dockerode';
import { GATE, gateName, INSIDE, labelsOf } from './names.ts';
import { oneTask } from './one-task.ts';
import { bind, type Folders } from './service-spec.ts';

export type GatePlan = {
  readonly panelId: string;
  readonly instanceId: string;
  /** Any with a Python of 3.8 or later. */
  readonly image: string;
  /** `UID:GID` of the instance: what it could not reach by the gate it could not reach without. */
  readonly user: string;
  readonly networkId: string;
  /** The panel's host, whose folders these are. */
  readonly nodeId: string;
  readonly folders: Folders;
  /** The database's Unix socket, in its folder; null where instances reach the server by a network. */
  readonly databaseSocket: string | null;
};

const SECOND = 1_000_000_000;
const LIMITS = { memoryMib: 96, processes: 32, cores: 1, graceSeconds: 3 } as const;

/** One task, pinned; it publishes no port, and knows no secret. */
export function gateSpec(plan: GatePlan): Docker.CreateServiceOptions {
  const labels = labelsOf({ ...plan, part: 'gate' });
  const { folders, databaseSocket } = plan;
  return oneTask({
    name: gateName(plan.instanceId),
    labels,
    container: {
      Image: plan.image,
      Labels: labels,
      Command: ['setpriv', '--no-new-privs', 'python3', '-I', '-S', `${INSIDE.launcher}/gate.py`, ...wordsOf(databaseSocket)],
      Dir: '/',
      Env: ['LANG=C.UTF-8', 'PYTHONUNBUFFERED=1', 'PYTHONDONTWRITEBYTECODE=1'],
      User: plan.user,
      ReadOnly: true,
      CapabilityDrop: ['ALL'],
      StopSignal: 'SIGTERM',
      StopGracePeriod: LIMITS.graceSeconds * SECOND,
      Mounts: [
        bind(folders.socket, INSIDE.socketDir, false),
        bind(folders.rooms, INSIDE.roomsDir),
        bind(folders.launcher, INSIDE.launcher),
        ...(folders.database === null ? [] : [bind(folders.database, folders.database)]),
      ],
    },
    limits: LIMITS,
    restartSeconds: 1,
    constraint: `node.id==${plan.nodeId}`,
    network: { id: plan.networkId, aliases: [GATE.name] },
    log: { mib: 1, files: 1 },
  });
}

const wordsOf = (databaseSocket: string | null): string[] => [
  INSIDE.socket,
  INSIDE.rooms,
  `${INSIDE.socketDir}/${GATE.useFile}`,
  ...(databaseSocket === null ? [] : [databaseSocket]),
];
