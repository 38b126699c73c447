// What all services of the panel have in common: one task, that never runs twice, in one network, without a port. Pure.

import type Docker from 'dockerode';

const SECOND = 1_000_000_000;
const MIB = 1024 * 1024;

export type OneTask = {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly container: Docker.ContainerSpec;
  readonly limits: { readonly memoryMib: number; readonly cores: number; readonly processes: number };
  /** Pause before it is started again. */
  readonly restartSeconds: number;
  /** Where it may run, in Docker's words. */
  readonly constraint: string;
  readonly network: { readonly id: string; readonly aliases?: string[] };
  readonly log: { readonly mib: number; readonly files: number };
};

/** The service as the engine is asked for it. */
export const oneTask = ({ name, labels, container, limits, restartSeconds, constraint, network, log }: OneTask): Docker.CreateServiceOptions => ({
  Name: name,
  Labels: labels,
  Mode: { Replicated: { Replicas: 1 } },
  // Never two on one database.
  UpdateConfig: { Parallelism: 1, Order: 'stop-first', FailureAction: 'pause' },
  // Virtual addresses need IPVS, which many kernels lack. No ports: what others use of it is a Unix socket.
  EndpointSpec: { Mode: 'dnsrr' },
  TaskTemplate: {
    ContainerSpec: container,
    Resources: { Limits: { MemoryBytes: limits.memoryMib * MIB, NanoCPUs: limits.cores * SECOND, Pids: limits.processes } },
    RestartPolicy: { Condition: 'any', Delay: restartSeconds * SECOND, MaxAttempts: 0 },
    Placement: { Constraints: [constraint] },
    Networks: [{ Target: network.id, ...(network.aliases === undefined ? {} : { Aliases: network.aliases }) }],
    LogDriver: { Name: 'json-file', Options: { 'max-size': `${log.mib}m`, 'max-file': String(log.files) } },
  },
});
