// Containers that run once: a command of the launcher, the making of an environment, a question to a base image. Pure.

import type Docker from 'dockerode';
import type { InstanceSpec } from '../platform.ts';
import { INSIDE, labelsOf } from './names.ts';
import { ENVIRONMENT, filesBytes, launcherCommand } from './service-spec.ts';

const MIB = 1024 * 1024;
/** What the making of one environment may use; its layer may not grow beyond the disk share (watched, see `runs.ts`). */
export const BUILD_LIMITS = { memoryMib: 2048, processes: 512, diskMib: 4096 } as const;
/** As a weight beside 1024 of everybody else: neither a build nor bots may slow down who plays. */
const LOW_CPU_SHARES = 256;

type Owner = { readonly panelId: string; readonly instanceId: string };

/** Nothing of it may gain rights, and it is gone when it ends. */
const confined = (limits: { memoryMib: number; processes: number }): Docker.HostConfig => ({
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges'],
  Memory: limits.memoryMib * MIB,
  MemorySwap: limits.memoryMib * MIB,
  PidsLimit: limits.processes,
  LogConfig: { Type: 'none', Config: {} },
});

export type RunCommand = 'describe' | 'try' | 'resetdb' | 'bots';

export type RunPlan = Owner & {
  readonly image: string;
  readonly user: string;
  readonly limits: InstanceSpec['limits'];
  readonly command: RunCommand;
  /** What stands behind the command. */
  readonly words: readonly string[];
  readonly hasOutbound: boolean;
  /** The file becomes env.json. */
  readonly folders: {
    readonly env: string;
    readonly rooms: string;
    readonly launcher: string;
    readonly database: string | null;
    readonly botPackages: string | null;
  };
};

/** One command of the launcher with an instance's image, as its user, under its limits. */
export const runSpec = (plan: RunPlan): Docker.ContainerCreateOptions => ({
  Image: plan.image,
  Labels: labelsOf({ ...plan, part: 'run' }),
  Entrypoint: [],
  Cmd: [...launcherCommand(INSIDE.env, plan.command), ...plan.words],
  WorkingDir: INSIDE.project,
  Env: [...ENVIRONMENT, ...(plan.folders.botPackages === null ? [] : [`ARBORETUM_BOT_PACKAGES=${INSIDE.botPackages}`])],
  User: plan.user,
  HostConfig: {
    ...confined(plan.limits),
    ...placeToWrite(plan),
    NetworkMode: plan.hasOutbound ? 'bridge' : 'none',
    Binds: [
      `${plan.folders.env}:${INSIDE.env}:ro`,
      `${plan.folders.rooms}:${INSIDE.roomsDir}:ro`,
      `${plan.folders.launcher}:${INSIDE.launcher}:ro`,
      ...(plan.folders.database === null ? [] : [`${plan.folders.database}:${plan.folders.database}:ro`]),
      ...(plan.folders.botPackages === null ? [] : [`${plan.folders.botPackages}:${INSIDE.botPackages}:ro`]),
    ],
  },
});

/** Memory, which is gone at the end; what bots write is fetched after it, and so lies in their own layer, whose growth is watched. */
const placeToWrite = ({ command, limits }: RunPlan): Docker.HostConfig =>
  command === 'bots' ? { CpuShares: LOW_CPU_SHARES } : { ReadonlyRootfs: true, Tmpfs: { '/tmp': `rw,nosuid,nodev,size=${filesBytes(limits)},mode=1777` } };

/** A small script in an image, without network or files: what Python it has. */
export const questionSpec = (panelId: string, image: string, command: readonly string[]): Docker.ContainerCreateOptions => ({
  Image: image,
  Labels: labelsOf({ panelId, instanceId: 'none', part: 'build' }),
  Entrypoint: [],
  Cmd: [...command],
  User: '65534:65534',
  HostConfig: { ...confined({ memoryMib: 256, processes: 64 }), NetworkMode: 'none', ReadonlyRootfs: true },
});

export type BuildPlan = Owner & {
  readonly image: string;
  readonly user: string;
  readonly script: string;
  /** `HOST:CONTAINER[:ro]`. */
  readonly binds: readonly string[];
};

/** The making of an environment: with a network, without the instance's secrets; what it writes becomes the image. */
export const buildSpec = (plan: BuildPlan): Docker.ContainerCreateOptions => ({
  Image: plan.image,
  Labels: labelsOf({ ...plan, part: 'build' }),
  Entrypoint: [],
  Cmd: ['/bin/sh', '-eu', '-c', plan.script],
  WorkingDir: '/',
  User: plan.user,
  HostConfig: { ...confined(BUILD_LIMITS), NetworkMode: 'bridge', CpuShares: LOW_CPU_SHARES, Binds: [...plan.binds] },
});
