// What the replay host remembers: apps and services, no more than the answers need.

import { randomBytes } from 'node:crypto';
import type { Container } from './replay-container.ts';
import { Refused } from './replay-call.ts';
import type { Image } from './replay-image.ts';

export type Build = {
  readonly id: string;
  readonly kind: 'build' | 'deploy';
  readonly source: string;
  readonly pid: number;
  readonly startedAt: Date;
  finishedAt: Date | null;
  exitCode: number | null;
  output: string;
  readonly ended: Promise<void>;
};

export type App = {
  readonly name: string;
  readonly createdAt: Date;
  config: Readonly<Record<string, string>>;
  /** How many commands are rewriting the env file at this moment. */
  configWriters: number;
  /** Two of them met. */
  isConfigTruncated: boolean;
  domains: string[];
  ports: string[];
  /** As `certs:add` got it. */
  certificate: { readonly chain: string; readonly key: string } | null;
  webCount: number;
  readonly properties: Map<string, string>;
  readonly limits: Map<string, string>;
  /** A bare repository that stands for the app's own, where a test gives it one. */
  repository: string | null;
  /** Trees of the commits on the deploy branch, newest last. */
  readonly commits: string[];
  /** The tree of the newest build that went through, for ps:rebuild. */
  context: string | null;
  image: Image | null;
  container: Container | null;
  /** Replaced containers that wait for their end. */
  readonly retired: Set<Container>;
  isDeployed: boolean;
  /** Dokku's `restore`: false after ps:stop. */
  isRestored: boolean;
  /** A deploy of any kind runs. */
  isDeploying: boolean;
  /** The deploy lock, which only builds take. */
  isLocked: boolean;
  /** Ends a running build. @see builds:cancel */
  cancel: (() => void) | null;
  readonly builds: Build[];
};

export type Service = {
  readonly name: string;
  readonly database: string;
  readonly password: string;
  /** `postgres://…` as apps get it. */
  readonly url: string;
  readonly id: string;
  readonly links: Set<string>;
};

export class State {
  readonly apps = new Map<string, App>();
  readonly services = new Map<string, Service>();

  /** @throws Refused with exit code 20 when there is none of this name */
  app(name: string): App {
    const app = this.apps.get(name);
    if (app === undefined) throw new Refused('apps-exists-missing', { 'lab-missing': name });
    return app;
  }

  /** @throws Refused with exit code 1 when there is none of this name */
  service(name: string): Service {
    const service = this.services.get(name);
    if (service === undefined) throw new Refused('postgres-exists-missing', { nope: name });
    return service;
  }
}

export const newApp = (name: string, domain: string): App => ({
  name,
  createdAt: new Date(),
  config: {},
  configWriters: 0,
  isConfigTruncated: false,
  domains: [`${name}.${domain}`],
  ports: [],
  certificate: null,
  webCount: 1,
  properties: new Map(),
  limits: new Map(),
  repository: null,
  commits: [],
  context: null,
  image: null,
  container: null,
  retired: new Set(),
  isDeployed: false,
  isRestored: true,
  isDeploying: false,
  isLocked: false,
  cancel: null,
  builds: [],
});

export const hex = (digits: number): string =>
  randomBytes(Math.ceil(digits / 2))
    .toString('hex')
    .slice(0, digits);

/** A time as Docker writes it; what a Date does not know is made from what it does, so that it is always the same. */
export const nanoTime = (date: Date): string => date.toISOString().replace('Z', `${String((date.getTime() * 7919) % 1_000_000).padStart(6, '0')}Z`);

let lastTick = 0;

/** The time now as Docker writes it, later than every one before. */
export function nanoNow(): string {
  lastTick = Math.max(lastTick + 1, Math.floor((performance.timeOrigin + performance.now()) * 1000));
  return `${new Date(Math.floor(lastTick / 1000)).toISOString().slice(0, -1)}${String(lastTick % 1000).padStart(3, '0')}017Z`;
}
