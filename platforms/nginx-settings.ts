// What the whole configuration depends on besides the routes, and where its files lie.

import path from 'node:path';
import type { Layout } from './layout.ts';
import { checked } from './nginx-words.ts';

/** The one address that all paths share. */
export type PathDoor = {
  readonly hostName: string;
  /** `https://HOST[:PORT]`, as people type it. */
  readonly origin: string;
  /** `/otree`: every instance is one label below. */
  readonly prefix: string;
  /** A listener of its own, or null: the panel's ports, told apart by host name. */
  readonly port: number | null;
  /** Whether this nginx holds its certificate. */
  readonly isTls: boolean;
};

export type NginxSettings = {
  readonly layout: Layout;
  readonly listenPort: number;
  /** Null: encryption, if any, is done by a proxy in front. `origin` is the panel's address as people type it. */
  readonly https: { readonly port: number; readonly origin: string } | null;
  /** Names of the panel; other names below them are answered with "no experiment at this address". */
  readonly panelHostNames: readonly string[];
  readonly pathDoor: PathDoor | null;
  /** 0: Strict-Transport-Security is not sent. */
  readonly hstsDays: number;
  /** User and group of nginx's workers; null when not started as root. */
  readonly workerUser: string | null;
  readonly trustedProxies: readonly string[];
  readonly maxPanelBodyMib: number;
  readonly hasIpv6: boolean;
  /** nginx ≥ 1.19.3. */
  readonly canEditCookieFlags: boolean;
  /** How HTTP/2 is asked for: a word of `listen` up to 1.25.0, a directive since. */
  readonly http2: 'none' | 'listen' | 'directive';
  /** nginx ≥ 1.27.4: a reload may leave connections that rest open for a while. */
  readonly canKeepResting: boolean;
  /** How many files and sockets one nginx process may have open. */
  readonly openFiles: number;
  /** How many connections with a request one client address may have. */
  readonly connectionsPerAddress: number;
};

/** The static pages, served from a copy below `nginxDir`, because nginx's user may not read the program's own tree. */
export const pageNames = ['moment', 'waiting', 'stopped', 'nobody', 'certificate', 'busy'] as const;
export type PageName = (typeof pageNames)[number];

export const pagesDirOf = (layout: Layout): string => path.join(layout.nginxDir, 'pages');
export const pageFileOf = (layout: Layout, page: PageName): string => path.join(pagesDirOf(layout), `${page}.html`);
export const generationFileOf = (layout: Layout): string => path.join(layout.nginxDir, 'generation.conf');
export const errorLogOf = (layout: Layout): string => path.join(layout.logsDir, 'nginx.log');
/** Unix socket on which nginx tells its generation. */
export const controlSocketOf = (layout: Layout): string => layout.nginxControlSocket;

/** A site is an instance's present address (`ID`) or one of its former ones (`ID.1`, `ID.2` …). */
export const siteKeyPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}(?:\.[1-9]\d{0,2})?$/;
export const instanceOf = (siteKey: string): string => siteKey.split('.')[0] ?? '';

const confOf = (dir: string, siteKey: string): string => {
  checked('instance id', siteKeyPattern.test(siteKey) ? instanceOf(siteKey) : siteKey);
  return path.join(dir, `${siteKey}.conf`);
};
/** The file with a site's servers. @throws platform_failed for an id that is none */
export const siteFileOf = (layout: Layout, siteKey: string): string => confOf(layout.nginxSites, siteKey);
/** The file with a site's locations in the server of all paths. @throws platform_failed for an id that is none */
export const pathsFileOf = (layout: Layout, siteKey: string): string => confOf(layout.nginxPaths, siteKey);
