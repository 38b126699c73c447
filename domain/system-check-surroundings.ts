// What the system check looks through: database, DNS, Redis and worker are handed in, because panel and terminal reach them in different ways.

import { lookup, Resolver } from 'node:dns/promises';
import net from 'node:net';
import type { EngineReport } from '../contracts/engine.ts';
import type { HostReport } from '../contracts/system.ts';
import type { Checked, GroundView } from '../contracts/system-check.ts';
import type { Config } from './config.ts';
import { findCards } from './network-cards.ts';

/** Asks DNS itself, not the machine's own list of hosts: what other computers are told. */
export type Names = {
  /** Addresses of both kinds; empty: there is no such name. @throws when no DNS server answers */
  resolve(name: string): Promise<{ readonly v4: readonly string[]; readonly v6: readonly string[] }>;
  /** What this machine takes the name for, `/etc/hosts` included. */
  lookUp(name: string): Promise<readonly string[]>;
};

export type Surroundings = {
  readonly config: Config;
  readonly names: Names;
  /** Addresses of this machine, without the loopback. */
  readonly ownAddresses: readonly string[];
  /** Rows of a reading query on the panel's database; null: it cannot be reached from here. */
  readonly query: (<Row>(sql: string) => Promise<Row[]>) | null;
  /** Redis' `INFO`; null: its password cannot be read from here. */
  readonly redisInfo: (() => Promise<string>) | null;
  /** The worker's view, throws when it does not answer; null: only its own user and root may ask it. */
  readonly askGround: (() => Promise<GroundView>) | null;
  /** The worker's look at the Dokku host, throws when it does not answer; null: as above. */
  readonly askHost: (() => Promise<HostReport>) | null;
  /** The worker's look at the Docker Engine, throws when it does not answer; null: as above. */
  readonly askEngine: (() => Promise<EngineReport>) | null;
  /** False: nobody has started the panel, which is no fault of a part that is away. */
  readonly isPanelRunning: boolean;
  /** Tables of Linux. */
  readonly procDir: string;
  /** Certificate authorities in place of the system's. */
  readonly trusted?: string;
};

export type Finding = Pick<Checked, 'result' | 'seen' | 'means'> & Partial<Pick<Checked, 'fix' | 'request'>>;

/** One check; `run` may throw and may take too long: then it is `unknown`. */
export type Check<S = Surroundings> = Pick<Checked, 'id' | 'group' | 'title'> & {
  /** The only platform that it is about; `here`: those whose instances run on this machine, behind the panel's own front door; left out: every one. */
  readonly on?: Config['PLATFORM'] | 'here';
  readonly run: (surroundings: S) => Promise<Finding> | Finding;
};

/** @param servers `address:port` of DNS servers in place of the system's */
export function askDns(servers?: readonly string[]): Names {
  const resolver = new Resolver({ timeout: 1500, tries: 2 });
  if (servers) resolver.setServers(servers);
  const orNone = async (asked: Promise<string[]>): Promise<string[]> => {
    try {
      return await asked;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
      throw new Error(`no DNS server answers (${code ?? String(error)})`, { cause: error });
    }
  };
  return {
    resolve: async (name) => {
      const [v4, v6] = await Promise.all([orNone(resolver.resolve4(name)), orNone(resolver.resolve6(name))]);
      return { v4, v6 };
    },
    lookUp: async (name) => (await lookup(name, { all: true }).catch(() => [])).map(({ address }) => address),
  };
}

/** Addresses of this machine that others can use. */
export const findOwnAddresses = (): string[] => findCards().map(({ address }) => address);

/** Host name of PUBLIC_URL without the brackets of an IPv6 address. */
export const hostOf = (config: Pick<Config, 'publicUrl'>): string => config.publicUrl.hostname.replaceAll(/^\[|\]$/g, '');

/** `localhost` and names under it, and loopback addresses: nobody else can use them. */
export const isOnlyHere = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost') || host === '::1' || host.startsWith('127.');

export const isAddress = (host: string): boolean => net.isIP(host) !== 0;

/** Port of PUBLIC_URL, also where the address leaves it out. */
export const publicPortOf = ({ publicUrl }: Pick<Config, 'publicUrl'>): number => Number(publicUrl.port) || (publicUrl.protocol === 'https:' ? 443 : 80);

/** “a, b and c”. */
export const listed = (parts: readonly string[]): string => (parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`);
