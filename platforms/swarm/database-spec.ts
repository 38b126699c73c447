// The Swarm service with an instance's own PostgreSQL server: what the engine is asked for. Pure.

import type Docker from 'dockerode';
import { DATABASE, databaseServiceName, labelsOf } from './names.ts';
import { oneTask } from './one-task.ts';
import { bind } from './service-spec.ts';

export type DatabasePlan = {
  readonly panelId: string;
  readonly instanceId: string;
  /** By its id, which the engine asks no registry about. */
  readonly image: string;
  /** Places where the image would get a volume of its own with every container. */
  readonly volumes: readonly string[];
  /** `UID:GID` of the instance. */
  readonly user: string;
  readonly networkId: string;
  /** The panel's host, whose folders these are. */
  readonly nodeId: string;
  readonly folders: {
    /** `verifier`, `passwd`, and what the server makes there. */
    readonly data: string;
    readonly socket: string;
  };
};

const SECOND = 1_000_000_000;
const MIB = 1024 * 1024;
/** What one server may use. After a session it holds some 50 MiB, 33 of them for itself (PostgreSQL 15); the rest are files, which the kernel takes back when others need it. */
export const DATABASE_LIMITS = { memoryMib: 512, processes: 100, cores: 1, graceSeconds: 60 } as const;
/** PostgreSQL's fast shutdown: connections are cut, what was committed is written. */
export const DATABASE_END_SIGNAL = 'SIGINT';
const FILES_MIB = 64;
const HEALTH = { everySeconds: 30, patienceSeconds: 10, failures: 3, startSeconds: 60 } as const;

/** Puts PostgreSQL's programs on the path: the newest of Debian's places, else those of the image's own path. */
export const FIND_PROGRAMS =
  'for dir in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V); do if [ -x "$dir/postgres" ]; then PATH="$dir:$PATH"; fi; done; export PATH';

/**
 * Makes the data at the first start, and becomes the server. The lock is held for as long as any process of the server
 * lives, across containers: their process ids and shared memory say nothing about each other, so PostgreSQL's own
 * `postmaster.pid` does not keep a second server out, and a stale one must not keep the first one out.
 */
const SERVE = [
  FIND_PROGRAMS,
  'umask 077',
  `cd ${DATABASE.dir}`,
  'exec 9>lock',
  "if ! flock -n 9; then echo 'another server holds these data'; exit 75; fi",
  'if [ ! -d data ]; then',
  '  rm -rf data.new',
  `  initdb -D data.new -U ${DATABASE.admin} --pwfile=verifier --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums`,
  '  mv data.new data',
  'fi',
  'rm -f data/postmaster.pid "$1"/.s.PGSQL.5432 "$1"/.s.PGSQL.5432.lock',
  'shift',
  'exec postgres -D data "$@"',
].join('\n');

/** Those of the server that instances share (`scripts/ground-postgres.ts`), for one instance and one processor. */
const settingsOf = (socketDir: string): Readonly<Record<string, string>> => ({
  listen_addresses: '',
  port: '5432',
  unix_socket_directories: socketDir,
  unix_socket_permissions: '0700',
  password_encryption: 'scram-sha-256',
  max_connections: '40',
  shared_buffers: '32MB',
  max_wal_size: '256MB',
  max_parallel_workers_per_gather: '0',
  log_destination: 'stderr',
  logging_collector: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
});

/** Whether the server is there; one that brings its data in order after a crash is (pg_isready: 1), however long that takes. */
const healthOf = (socketDir: string): Docker.ContainerSpec['HealthCheck'] => ({
  Test: ['CMD', '/bin/sh', '-c', `${FIND_PROGRAMS}; pg_isready -q -h "$1" -p 5432 -t 5; [ $? -le 1 ]`, 'sh', socketDir],
  Interval: HEALTH.everySeconds * SECOND,
  Timeout: HEALTH.patienceSeconds * SECOND,
  Retries: HEALTH.failures,
  StartPeriod: HEALTH.startSeconds * SECOND,
});

/** Knows no secret: of its admin's password it gets the verifier only, by a file that its user alone reads. */
export function databaseSpec(plan: DatabasePlan): Docker.CreateServiceOptions {
  const labels = labelsOf({ ...plan, part: 'database' });
  return oneTask({
    name: databaseServiceName(plan.instanceId),
    labels,
    container: containerSpec(plan, labels),
    limits: DATABASE_LIMITS,
    restartSeconds: 1,
    constraint: `node.id==${plan.nodeId}`,
    // A service cannot be without a network: this one leads nowhere, and nobody else is in it.
    network: { id: plan.networkId },
    log: { mib: 10, files: 2 },
  });
}

function containerSpec({ image, volumes, user, folders }: DatabasePlan, labels: Record<string, string>): Docker.ContainerSpec {
  const settings = Object.entries(settingsOf(folders.socket)).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return {
    Image: image,
    Labels: labels,
    Command: ['setpriv', '--no-new-privs', '/bin/sh', '-eu', '-c', SERVE, 'sh', folders.socket, ...settings],
    Dir: '/',
    Env: ['HOME=/tmp', 'LANG=C.UTF-8'],
    User: user,
    ReadOnly: true,
    CapabilityDrop: ['ALL'],
    StopSignal: DATABASE_END_SIGNAL,
    StopGracePeriod: DATABASE_LIMITS.graceSeconds * SECOND,
    Mounts: [
      ...[...new Set(['/tmp', ...volumes])].map((target) => memory(target)),
      bind(folders.data, DATABASE.dir, false),
      // initdb wants its user to have a name.
      bind(`${folders.data}/passwd`, DATABASE.accounts),
      bind(folders.socket, folders.socket, false),
    ],
    HealthCheck: healthOf(folders.socket),
  };
}

const memory = (target: string): Docker.MountSettings => ({
  Type: 'tmpfs',
  Source: '',
  Target: target,
  TmpfsOptions: { SizeBytes: FILES_MIB * MIB, Mode: 0o1777 },
});
