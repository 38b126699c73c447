// The gate of an instance that may run on any host: a small service on the panel's host, in the instance's own network. Pure.

import type Docker from 'dockerode';
import { GATE, gateName, INSIDE, labelsOf } from './names.ts';
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
const MIB = 1024 * 1024;
const LIMITS = { memoryMib: 96, processes: 32, cores: 1, graceSeconds: 3 } as const;

/** One task, pinned; it publishes no port, and knows no secret. */
export function gateSpec(plan: GatePlan): Docker.CreateServiceOptions {
  const labels = labelsOf({ ...plan, part: 'gate' });
  const { folders, databaseSocket } = plan;
  return {
    Name: gateName(plan.instanceId),
    Labels: labels,
    Mode: { Replicated: { Replicas: 1 } },
    UpdateConfig: { Parallelism: 1, Order: 'stop-first', FailureAction: 'pause' },
    EndpointSpec: { Mode: 'dnsrr' },
    TaskTemplate: {
      ContainerSpec: {
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
      Resources: { Limits: { MemoryBytes: LIMITS.memoryMib * MIB, NanoCPUs: LIMITS.cores * SECOND, Pids: LIMITS.processes } },
      RestartPolicy: { Condition: 'any', Delay: SECOND, MaxAttempts: 0 },
      Placement: { Constraints: [`node.id==${plan.nodeId}`] },
      Networks: [{ Target: plan.networkId, Aliases: [GATE.name] }],
      LogDriver: { Name: 'json-file', Options: { 'max-size': '1m', 'max-file': '1' } },
    },
  };
}

const wordsOf = (databaseSocket: string | null): string[] => [
  INSIDE.socket,
  INSIDE.rooms,
  `${INSIDE.socketDir}/${GATE.memoryFile}`,
  ...(databaseSocket === null ? [] : [databaseSocket]),
];
