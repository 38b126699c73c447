// What server and worker have in common: settings, key, database, queue and live events.

import { readFileSync } from 'node:fs';
import type { ServerEvents } from '../contracts/events.ts';
import { channels } from '../contracts/events.ts';
import type { Config } from './config.ts';
import type { Audience, Context, Events, JobQueue } from './context.ts';
import { openDatabase } from './database.ts';
import { makeLog } from './log.ts';
import { openMailer } from './mail-smtp.ts';
import { makeSealer, readKey } from './sealing.ts';

/** Name of the queue in Redis, and of the key under which socket.io's processes talk. */
export const queueName = 'jobs';
export const liveKey = 'arboretum';

/** The key that seals secrets. @throws when it cannot be read */
export const loadSecretKey = (config: Config): Buffer => readKey(config.ARBORETUM_SECRET_KEY?.open() ?? readFileSync(config.layout.secretKeyFile, 'utf8'));

/** How ioredis reaches the panel's Redis, its own or the one that was set. */
export function redisOptions(config: Config): { path: string; password?: string } | { url: string } {
  if (config.REDIS_URL) return { url: config.REDIS_URL.open() };
  const path = config.REDIS_SOCKET ?? config.layout.redisSocket;
  return config.REDIS_PASSWORD ? { path, password: config.REDIS_PASSWORD.open() } : { path };
}

export type Ports = { readonly queue: JobQueue; readonly events: Events };

/** @throws when DATABASE_URL or the key is missing */
export function assemble(config: Config, process_: string, ports: Ports): Context & { readonly key: Buffer } {
  if (!config.DATABASE_URL) throw new Error('DATABASE_URL is not set: start the panel with npm start.');
  const key = loadSecretKey(config);
  return {
    config,
    key,
    db: openDatabase(config.DATABASE_URL.open()),
    sealer: makeSealer(key),
    log: makeLog(config, process_),
    mailer: openMailer(config),
    ...ports,
  };
}

type Emit = <Name extends keyof ServerEvents>(to: readonly string[], event: Name, payload: Parameters<ServerEvents[Name]>[0]) => void;

/** Takes the sockets of one channel out of another. */
type Leave = (of: string, from: string) => void;

/** Which channels hear of what: managers, the owner, colleagues with a share, and whoever watches the instance. */
export function makeEvents(emit: Emit, leave: Leave): Events {
  const hearers = (audience: Audience | null): string[] =>
    audience === null
      ? [channels.managers]
      : [channels.managers, channels.instance(audience.instanceId), ...[audience.ownerId, ...(audience.sharedWith ?? [])].map(channels.person)];
  return {
    instance: (audience, summary) => emit(hearers(audience), 'instance', { id: summary.id, name: summary.name, summary }),
    instanceGone: (audience, name) => emit(hearers(audience), 'instance', { id: audience.instanceId, name, summary: null }),
    job: (audience, job) => emit(hearers(audience), 'job', job),
    jobLog: (audience, jobId, lastSequence) => emit(hearers(audience), 'job-log', { jobId, lastSequence }),
    seats: (audience, difference) => emit(hearers(audience), 'seats', { instanceId: audience.instanceId, ...difference }),
    instanceLost: (personId, { id, name }) => {
      leave(channels.person(personId), channels.instance(id));
      emit([channels.person(personId)], 'instance', { id, name, summary: null });
    },
    people: () => emit([channels.managers], 'people', { changedAt: new Date().toISOString() }),
  };
}
