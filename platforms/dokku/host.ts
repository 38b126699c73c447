// What every part of the Dokku platform stands on: the host, and the names that an instance has there.

import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { PortMap } from '../dokku-commands.ts';
import type { DokkuConnection } from './connection.ts';
import { Turns } from './turns.ts';

export type Host = {
  readonly connection: Pick<DokkuConnection, 'run' | 'state' | 'hostKey' | 'retire'>;
  /** Where the panel keeps releases and logs of its instances, one folder each (`DATA_DIR/dokku`). */
  readonly dataDir: string;
  /** Where the host's nginx answers, over https for apps with a certificate. */
  readonly http: { readonly host: string; readonly port: number; readonly httpsPort: number };
  /** Set: apps without a certificate get one by the host's plugin letsencrypt, which tells the authority this address. */
  readonly letsencryptEmail: string | null;
  /** Largest request that a participant may send. */
  readonly maxBodyMib: number;
  readonly turns: Turns;
  /** Apps of which nobody in this process has left a command that may still be going on. */
  readonly settled: Set<string>;
  /** How the host's nginx shows each app, as far as it was asked for. */
  readonly fronts: Map<string, Front>;
  /** When an app may next ask the authority for a certificate, milliseconds of the clock. */
  readonly letsencryptAfter: Map<string, number>;
  /** What an experiment told of the host from inside its container; `at` in milliseconds of the clock. */
  readonly told: { disk: { readonly freeBytes: number; readonly at: number } | null };
};

/** The name of an app at the host's nginx, and whether it sends everybody to https. */
export type Front = { readonly name: string; readonly isHttps: boolean };

/** What a host begins with that nobody has asked anything yet. */
export const newMemory = (): Pick<Host, 'turns' | 'settled' | 'fronts' | 'letsencryptAfter' | 'told'> => ({
  turns: new Turns(),
  settled: new Set(),
  fronts: new Map(),
  letsencryptAfter: new Map(),
  told: { disk: null },
});

/** Where oTree listens in its container; Dokku's own choice. */
const CONTAINER_PORT = 5000;

/** What the host's nginx listens on for a live app. */
export const portsOf = (hasHttps: boolean): readonly PortMap[] => [
  { scheme: 'http', hostPort: 80, containerPort: CONTAINER_PORT },
  ...(hasHttps ? [{ scheme: 'https', hostPort: 443, containerPort: CONTAINER_PORT } as const] : []),
];

const checked = (instanceId: string): string => {
  if (!/^[a-z0-9]{1,40}$/.test(instanceId)) throw new Error(`not an instance id: ${instanceId}`);
  return instanceId;
};

/** The app that people reach. */
export const liveApp = (instanceId: string): string => `i-${checked(instanceId)}`;
/** The app in which releases are built and tried; it never serves. */
export const trialApp = (instanceId: string): string => `${liveApp(instanceId)}-try`;
/** The database service that an instance is made with; a restore puts another in its place. */
export const firstService = (instanceId: string): string => liveApp(instanceId);
/** A fresh service for a restore (`r`) or for the check of a dump (`v`). */
export const scratchService = (instanceId: string, purpose: 'r' | 'v'): string => `${liveApp(instanceId)}-${purpose}${randomBytes(4).toString('hex')}`;
/** Whether a service belongs to the instance. */
export const isServiceOf = (instanceId: string, service: string): boolean => new RegExp(`^i-${checked(instanceId)}(?:-[rv][0-9a-f]{8})?$`).test(service);
/** Name of the database in a service, as the plugin makes it. */
export const databaseIn = (service: string): string => service.replaceAll(/[.-]/g, '_');
/** Names of the databases in the live service on which releases are tried begin with this; one of this very name is never made. */
export const trialPrefix = (instanceId: string): string => `try_${checked(instanceId)}`;
/** A database for one trial. */
export const trialDatabase = (instanceId: string): string => `${trialPrefix(instanceId)}_${randomBytes(4).toString('hex')}`;
/** Role in the live service for one run that changes the live database. */
export const passRole = (instanceId: string): string => `pass_${checked(instanceId)}`;

/** What the panel keeps of one instance on its own disk. */
export function pathsOf(host: Pick<Host, 'dataDir'>, instanceId: string) {
  const root = path.join(host.dataDir, checked(instanceId));
  return {
    root,
    releases: path.join(root, 'releases'),
    release: (number: number): string => path.join(root, 'releases', String(number)),
    /** Number of the release that the next start runs. */
    selected: path.join(root, 'selected'),
    /** Name of the database service that holds the live data; Dokku's link follows it. */
    service: path.join(root, 'service'),
    /** Mark of the certificate that the panel sent; not there: it sent none. */
    certificate: path.join(root, 'certificate'),
    /** The runtime log of containers that are gone. */
    log: path.join(root, 'otree.log'),
  };
}
