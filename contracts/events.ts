// What is pushed to open pages, and on which channel.

import type { InstanceSummary } from './instances.ts';
import type { JobView } from './jobs.ts';
import type { SeatDifference } from './seats.ts';

/** Events from server and worker to the browser. Rows come whole, so that a page replaces its copy. */
export type ServerEvents = {
  /** An instance changed; `null` summary: it is gone for this person. */
  instance: (event: { id: string; name: string; summary: InstanceSummary | null }) => void;
  job: (job: JobView) => void;
  /** The log of a job has text up to this sequence; read it by HTTP. */
  'job-log': (event: { jobId: string; lastSequence: number }) => void;
  seats: (event: { instanceId: string } & SeatDifference) => void;
  people: (event: { changedAt: string }) => void;
};

/** What a browser may ask: join or leave the channel of one instance (answer: whether it may). */
export type ClientEvents = {
  watch: (instanceName: string, answer: (isAllowed: boolean) => void) => void;
  unwatch: (instanceName: string) => void;
};

export const channels = {
  managers: 'managers',
  person: (personId: string): string => `person:${personId}`,
  instance: (instanceId: string): string => `instance:${instanceId}`,
} as const;
