// What the rules need from outside: database, sealing, and the ports that main hands in.

import type { InstanceSummary } from '../contracts/instances.ts';
import type { JobView } from '../contracts/jobs.ts';
import type { SeatDifference } from '../contracts/seats.ts';
import type { FrontDoor } from '../platforms/front-door.ts';
import type { Platform } from '../platforms/platform.ts';
import type { Config } from './config.ts';
import type { Database } from './database.ts';
import type { Mailer } from './mail.ts';
import type { Sealer } from './sealing.ts';

/** Hands a job's id to the worker. Adding the same id twice is harmless; a queue that lost it is refilled by the sweeper. */
export type JobQueue = { add(jobId: string): Promise<void> };

/** Tells open pages; never waits and never throws (a page that missed something asks again). */
export type Events = {
  instance(audience: Audience, summary: InstanceSummary): void;
  instanceGone(audience: Audience, name: string): void;
  job(audience: Audience | null, job: JobView): void;
  jobLog(audience: Audience | null, jobId: string, lastSequence: number): void;
  seats(audience: Audience, difference: SeatDifference): void;
  people(): void;
  /** This person may no longer see the instance: their pages hear that it is gone, their sockets nothing more of it. */
  instanceLost(personId: string, instance: { readonly id: string; readonly name: string }): void;
};
/** Who hears of an instance besides managers and whoever watches it; left out, colleagues with a share hear only while they watch. */
export type Audience = { readonly instanceId: string; readonly ownerId: string; readonly sharedWith?: readonly string[] };

export type Log = {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
};

export type Context = {
  readonly config: Config;
  readonly db: Database;
  readonly sealer: Sealer;
  readonly queue: JobQueue;
  readonly events: Events;
  readonly log: Log;
  readonly mailer: Mailer;
};

/** What only the worker has. */
export type WorkerContext = Context & { readonly platform: Platform; readonly frontDoor: FrontDoor };

/** Who does it: a person, or the panel itself. */
export type Actor = { readonly id: string | null; readonly name: string };
export const systemActor: Actor = { id: null, name: 'Arboretum' };
