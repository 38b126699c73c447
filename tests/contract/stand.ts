// What the contract suite needs from a platform under test, and the bench that its themes share.

import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { InstanceSpec, Platform } from '../../platforms/platform.ts';
import type { BuiltRelease } from '../../platforms/release.ts';

/** What truly differs between platforms; named here so that nothing is skipped silently. */
export type PlatformTraits = {
  /** Whether it can tell how much memory an instance uses. */
  readonly measuresMemory: boolean;
  /** Whether what crashes at its very start stays and is tried again (as a process does), or never takes the place of what was there. */
  readonly keepsFailedStart: boolean;
  /** What stands in the runtime log once for every start. */
  readonly startMark: string;
  /** The longest that a crash may take until oTree answers again, milliseconds. */
  readonly recoveryMs: number;
};

/** A client of the instance's database that idles in a transaction. */
export type HeldTransaction = { readonly cut: Promise<unknown>; readonly close: () => Promise<void> };

export type PlatformStand = {
  readonly platform: Platform;
  readonly traits: PlatformTraits;
  /** Processes (or tasks) that exist for an instance, however they were started. */
  readonly countProcesses: (spec: InstanceSpec) => Promise<number>;
  /** What is left of an instance anywhere but its databases: paths, services, networks, roles. */
  readonly leftovers: (spec: InstanceSpec) => Promise<string[]>;
  /** Ends the instance's web process from outside, as a crash would. */
  readonly crash: (spec: InstanceSpec) => Promise<void>;
  /** Rows of the last statement, run in the instance's live database by the role that oTree connects with. */
  readonly sql: (spec: InstanceSpec, text: string) => Promise<readonly Record<string, unknown>[]>;
  /** That role. */
  readonly roleOf: (spec: InstanceSpec) => Promise<string>;
  /** Every database that exists for an instance, scratch and replaced ones included. */
  readonly databases: (spec: InstanceSpec) => Promise<string[]>;
  /** Those that are there while nothing is under way. */
  readonly restingDatabases: (spec: InstanceSpec) => Promise<string[]>;
  /** Whether the live database is closed to everybody but its own role and the platform; null where there is none. */
  readonly isClosed: (spec: InstanceSpec) => Promise<boolean | null>;
  /** Connections of clients to the live database, the asking one left out. */
  readonly countConnections: (spec: InstanceSpec) => Promise<number>;
  readonly cutConnections: (spec: InstanceSpec) => Promise<void>;
  readonly holdTransaction: (spec: InstanceSpec) => Promise<HeldTransaction>;
  /** Makes what a crash in the middle of a trial and of the check of a dump would have left. */
  readonly leavesScratch: (spec: InstanceSpec) => Promise<void>;
  /** Makes what a crash in the middle of a restore would have left, before and after the change of places. */
  readonly leavesRestore: (spec: InstanceSpec) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** What the themes of the suite share; `platform` and `stand` are there from the first test on. */
export type Bench = {
  stand: PlatformStand;
  platform: Platform;
  /** The instance that serves most tests. */
  readonly spec: InstanceSpec;
  /** A further one; destroyed at the end. */
  readonly makeStray: (overrides?: Partial<InstanceSpec>) => InstanceSpec;
  /** The sample's first release. */
  built: BuiltRelease;
};

export const never = new AbortController().signal;
export const silent = { signal: never, onOutput: (): void => {} };

/** Status of a small question to oTree, 0 when nothing answers. */
export const version = async (platform: Platform, spec: InstanceSpec): Promise<number> =>
  (await platform.askOtree(spec, { method: 'GET', path: '/api/otree_version', timeoutMs: 30_000 }).catch(() => ({ status: 0 }))).status;

/** Where a dump may go. */
export const newDumpFile = async (): Promise<string> => path.join(await mkdtemp(path.join(os.tmpdir(), 'dump-')), 'one.dump');
