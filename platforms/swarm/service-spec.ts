// The Swarm service of one instance, and its network: what the engine is asked for. Pure.

import type Docker from 'dockerode';
import type { InstanceSpec } from '../platform.ts';
import { databaseServiceName, HOST_LABEL, INSIDE, labelsOf, LABEL, serviceName } from './names.ts';
import { oneTask } from './one-task.ts';

export type ServicePlan = {
  readonly panelId: string;
  readonly instanceId: string;
  readonly image: string;
  /** `UID:GID`. */
  readonly user: string;
  readonly limits: InstanceSpec['limits'];
  readonly secret: { readonly id: string; readonly name: string };
  readonly networkId: string;
  /** Whether it may open connections to the outside, and so needs to know the outside's names. */
  readonly hasOutbound: boolean;
  /** The folders are this one's; instances run nowhere else. null: on any host, through a gate, and with an image that has the launcher in it. */
  readonly home: { readonly nodeId: string; readonly folders: Folders } | null;
};

export type Folders = { readonly socket: string; readonly rooms: string; readonly launcher: string; readonly database: string | null };

const SECOND = 1_000_000_000;
const MIB = 1024 * 1024;
/** oTree works on one request at a time: more than one core is of no use to it, and would be its neighbours'. */
const CORES = 1;
/** The smaller part of the memory may hold files; they are gone at the next start. */
const FILES_SHARE = 4;
/**
 * How long oTree may be busy with one request (making a large session) before it is taken for dead: 3 × (15 + 30) s. Rather
 * few checks with much time than many with little: on a busy machine most of it goes into starting the check itself.
 */
const HEALTH = { everySeconds: 15, patienceSeconds: 30, failures: 3, startSeconds: 60 } as const;
/** The check gives up before the engine does, so that its own words are what is kept. */
const CHECK_SECONDS = HEALTH.patienceSeconds - 5;
export const GRACE_SECONDS = 10;
/** Hosts that are to take instances. */
const MAY_RUN = `node.labels.${HOST_LABEL.name}!=${HOST_LABEL.none}`;
/** Labels of participants, at most. */
const ROOMS_MIB = 16;

/**
 * Where nobody answers: the engine's own resolver knows the names inside the network and hands on all others, also out of an
 * inner network where the machine's name server is one of its own loopback addresses (CVE-2024-29018; Engine before 23.0.11).
 */
const NO_NAMES: Docker.DNSConfig = { Nameservers: ['127.0.0.1'] };

/** Bytes that an instance may keep in `/tmp`. */
export const filesBytes = ({ memoryMib, diskMib }: InstanceSpec['limits']): number =>
  Math.max(16, Math.min(diskMib, Math.floor(memoryMib / FILES_SHARE))) * MIB;

/** What runs the launcher in every container of an instance; the command takes the privileges away where the engine (before 25) cannot. */
export const launcherCommand = (env: string, command: 'serve' | 'describe' | 'try' | 'resetdb' | 'bots'): string[] => [
  'setpriv',
  '--no-new-privs',
  INSIDE.python,
  `${INSIDE.launcher}/start.py`,
  env,
  command,
];

/** No value of an experiment stands here: `docker inspect` shows all of it. */
export const ENVIRONMENT = ['HOME=/tmp', 'LANG=C.UTF-8', 'PYTHONUNBUFFERED=1', 'PYTHONDONTWRITEBYTECODE=1'] as const;

/** The service, one task, with a label that tells whether it is still as wanted. */
export function serviceSpec(plan: ServicePlan): Docker.CreateServiceOptions {
  const labels = labelsOf({ ...plan, part: 'serve' });
  return oneTask({
    name: serviceName(plan.instanceId),
    labels,
    container: containerSpec(plan, labels),
    limits: { ...plan.limits, cores: CORES },
    restartSeconds: 2,
    constraint: plan.home === null ? MAY_RUN : `node.id==${plan.home.nodeId}`,
    network: { id: plan.networkId },
    log: { mib: 10, files: 3 },
  });
}

function containerSpec(plan: ServicePlan, labels: Record<string, string>): Docker.ContainerSpec {
  const { user } = plan;
  const [uid = '', gid = ''] = user.split(':');
  return {
    Image: plan.image,
    Labels: labels,
    Command: launcherCommand(INSIDE.secret, 'serve'),
    Dir: INSIDE.project,
    Env: [...ENVIRONMENT],
    User: user,
    ReadOnly: true,
    CapabilityDrop: ['ALL'],
    ...(plan.hasOutbound ? {} : { DNSConfig: NO_NAMES }),
    StopSignal: 'SIGTERM',
    StopGracePeriod: GRACE_SECONDS * SECOND,
    Mounts: [
      { Type: 'tmpfs', Source: '', Target: '/tmp', TmpfsOptions: { SizeBytes: filesBytes(plan.limits), Mode: 0o1777 } },
      ...(plan.home === null ? foldersOfItsOwn : foldersOf(plan.home.folders)),
    ],
    Secrets: [{ SecretID: plan.secret.id, SecretName: plan.secret.name, File: { Name: 'env.json', UID: uid, GID: gid, Mode: 0o400 } }],
    HealthCheck: {
      Test: ['CMD', INSIDE.python, '-I', '-S', `${INSIDE.launcher}/answers.py`, INSIDE.socket, String(CHECK_SECONDS)],
      Interval: HEALTH.everySeconds * SECOND,
      Timeout: HEALTH.patienceSeconds * SECOND,
      Retries: HEALTH.failures,
      StartPeriod: HEALTH.startSeconds * SECOND,
    },
  };
}

const foldersOf = (folders: Folders): Docker.MountSettings[] => [
  bind(folders.socket, INSIDE.socketDir, false),
  bind(folders.rooms, INSIDE.roomsDir),
  bind(folders.launcher, INSIDE.launcher),
  ...(folders.database === null ? [] : [bind(folders.database, folders.database)]),
];

/** In its memory: what its health check asks at, and the rooms that its gate tells it. */
const foldersOfItsOwn: Docker.MountSettings[] = [
  { Type: 'tmpfs', Source: '', Target: INSIDE.socketDir, TmpfsOptions: { SizeBytes: MIB, Mode: 0o1777 } },
  { Type: 'tmpfs', Source: '', Target: INSIDE.roomsDir, TmpfsOptions: { SizeBytes: ROOMS_MIB * MIB, Mode: 0o1777 } },
];

export const bind = (source: string, target: string, isReadOnly = true): Docker.MountSettings => ({
  Type: 'bind',
  Source: source,
  Target: target,
  ReadOnly: isReadOnly,
});

/** The same with the label by which a later start sees whether anything has changed. @param hash of the wanted spec */
export const withHash = (spec: Docker.CreateServiceOptions, hash: string): Docker.CreateServiceOptions => ({
  ...spec,
  Labels: { ...spec.Labels, [LABEL.spec]: hash },
});

export type NetworkPlan = {
  readonly panelId: string;
  readonly instanceId: string;
  /** Of the experiment, or of its own database server. */
  readonly part: 'serve' | 'database';
  readonly hasOutbound: boolean;
};

/** Called like the service that is in it. */
export const networkName = ({ instanceId, part }: Pick<NetworkPlan, 'instanceId' | 'part'>): string =>
  part === 'serve' ? serviceName(instanceId) : databaseServiceName(instanceId);

/** A network for one service alone; an inner one leads nowhere but to whom else joins it. */
export const networkSpec = (plan: NetworkPlan): Docker.NetworkCreateOptions => ({
  Name: networkName(plan),
  Driver: 'overlay',
  Attachable: plan.part === 'serve',
  Internal: !plan.hasOutbound,
  Labels: labelsOf(plan),
});
