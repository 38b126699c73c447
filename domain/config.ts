// The settings: the only reader of the environment. Every problem is listed at once.

import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { layoutOf, type Layout } from '../platforms/layout.ts';
import { settings } from './settings.ts';

type Values = { [Name in keyof typeof settings]: z.output<(typeof settings)[Name]['schema']> };
export type Config = Omit<Values, 'DATA_DIR' | 'RUN_DIR' | 'PUBLIC_URL' | 'PATH_URL' | 'CERTIFICATES_DIR'> & {
  readonly layout: Layout;
  /** Null: there is no mode `path`. Its path has no slash at the end. */
  readonly pathUrl: URL | null;
  readonly certificatesDir: string;
  readonly publicUrl: URL;
  readonly isPublicUrlSet: boolean;
  /** Otherwise it can be chosen in the page (platform-choice.ts). */
  readonly isPlatformGiven: boolean;
  readonly isRoot: boolean;
};

/** Thrown by `loadConfig` with every problem, one line each. */
export class ConfigProblem extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`These settings need a look:\n${problems.map((line) => `  ${line}`).join('\n')}`);
    this.name = 'ConfigProblem';
    this.problems = problems;
  }
}

/**
 * Reads and checks all settings; empty values count as unset.
 * @throws ConfigProblem naming every wrong setting
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(Object.keys(settings).flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const schema = z.object(Object.fromEntries(Object.entries(settings).map(([name, entry]) => [name, entry.schema])));
  const parsed = schema.safeParse(given);
  const problems = parsed.success ? [] : parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`);
  if (!!given['ARBORETUM_ADMIN_EMAIL'] !== !!given['ARBORETUM_ADMIN_PASSWORD'])
    problems.push('ARBORETUM_ADMIN_EMAIL and ARBORETUM_ADMIN_PASSWORD go together.');
  if ((given['ARBORETUM_ADMIN_PASSWORD'] ?? 'long enough').length < 10) problems.push('ARBORETUM_ADMIN_PASSWORD: at least 10 characters.');
  if (!!given['SMTP_URL'] !== !!given['MAIL_FROM']) problems.push('SMTP_URL and MAIL_FROM go together.');
  if (given['PLATFORM'] === 'dokku' && !(given['DOKKU_HOST'] && given['DOKKU_DOMAIN'])) problems.push('PLATFORM=dokku needs DOKKU_HOST and DOKKU_DOMAIN.');
  if (given['PLATFORM'] === 'swarm' && parsed.success && !reachesDatabase(parsed.data as Values))
    problems.push('PLATFORM=swarm with a DATABASE_URL of another server needs SWARM_OUTBOUND=internet: containers cannot reach it otherwise.');
  problems.push(...(parsed.success ? addressProblems(parsed.data as Values) : []));
  if (!!given['SWARM_REGISTRY_USER'] !== !!given['SWARM_REGISTRY_PASSWORD']) problems.push('SWARM_REGISTRY_USER and SWARM_REGISTRY_PASSWORD go together.');
  if (given['SWARM_REGISTRY_USER'] && !given['SWARM_REGISTRY']) problems.push('SWARM_REGISTRY_USER needs SWARM_REGISTRY, the registry that it is for.');
  if (given['SMTP_URL'] && !given['PUBLIC_URL']) problems.push('SMTP_URL needs PUBLIC_URL: the links in mails start with it.');
  if (given['PORT'] && given['PORT'] === given['GIT_SSH_PORT']) problems.push('PORT and GIT_SSH_PORT must differ.');
  if (!parsed.success || problems.length > 0) throw new ConfigProblem(problems);
  const { DATA_DIR, RUN_DIR, PUBLIC_URL, PATH_URL, CERTIFICATES_DIR, ...values } = parsed.data as Values;
  const isRoot = os.userInfo().uid === 0;
  const runBase = RUN_DIR ?? (isRoot ? '/run/arboretum' : path.join(env['XDG_RUNTIME_DIR'] ?? '/tmp', `arboretum-${os.userInfo().uid}`));
  const dataDir = path.resolve(DATA_DIR ?? (isRoot ? '/var/lib/arboretum' : 'data'));
  return {
    ...values,
    layout: layoutOf(dataDir, runBase),
    pathUrl: PATH_URL === undefined ? null : new URL(PATH_URL.replace(/\/+$/, '')),
    certificatesDir: path.resolve(CERTIFICATES_DIR ?? path.join(dataDir, 'certificates')),
    publicUrl: new URL(PUBLIC_URL ?? `http://localhost:${values.PORT}`),
    isPublicUrlSet: PUBLIC_URL !== undefined,
    isPlatformGiven: given['PLATFORM'] !== undefined,
    isRoot,
  };
}

/**
 * Whether containers of this machine reach the panel's database server: by its Unix socket, or because they may open connections.
 * SWARM_DATABASE=own changes nothing: instances that were made before, or moved here, are on the panel's server.
 */
export const reachesDatabase = ({ DATABASE_URL: url, SWARM_OUTBOUND: outbound }: Pick<Config, 'DATABASE_URL' | 'SWARM_OUTBOUND'>): boolean =>
  url === undefined || outbound === 'internet' || (new URL(url.open()).searchParams.get('host') ?? '').startsWith('/');

/** What does not go together among the settings of addresses. */
function addressProblems({ PORT, GIT_SSH_PORT, HTTPS_PORT, PATH_PORT, PUBLIC_URL, PATH_URL, ADDRESS_MODE, ACME_EMAIL }: Values): readonly string[] {
  const problems: string[] = [];
  const isHttps = PUBLIC_URL?.startsWith('https:') ?? false;
  if (HTTPS_PORT !== undefined && !isHttps) problems.push('HTTPS_PORT needs a PUBLIC_URL that begins with https://.');
  if (ACME_EMAIL !== undefined && HTTPS_PORT === undefined) problems.push('ACME_EMAIL needs HTTPS_PORT: a certificate is of use only where https is taken.');
  const ports = [PORT, GIT_SSH_PORT, HTTPS_PORT, PATH_PORT].filter((one) => one !== undefined);
  if (new Set(ports).size < ports.length && PORT !== GIT_SSH_PORT) problems.push('PORT, HTTPS_PORT, PATH_PORT and GIT_SSH_PORT must differ.');
  if (ADDRESS_MODE === 'path' && PATH_URL === undefined) problems.push('ADDRESS_MODE=path needs PATH_URL, for example https://HOST/otree.');
  if (PATH_PORT !== undefined && PATH_URL === undefined) problems.push('PATH_PORT is of use with PATH_URL only.');
  return [...problems, ...(PATH_URL === undefined ? [] : pathUrlProblems(new URL(PATH_URL), new URL(PUBLIC_URL ?? `http://localhost:${PORT}`), PATH_PORT))];
}

function pathUrlProblems(pathUrl: URL, publicUrl: URL, port: number | undefined): readonly string[] {
  const isPath = /^(?:\/[a-z0-9][a-z0-9-]*)+\/?$/.test(pathUrl.pathname) && pathUrl.search === '' && pathUrl.hash === '';
  if (!isPath) return ['PATH_URL needs a path of small letters, digits and hyphens, for example https://HOST/otree.'];
  // One origin for both would let the script of any experiment act as whoever is signed in to the panel.
  if (pathUrl.origin === publicUrl.origin)
    return ['PATH_URL must have another host name or port than PUBLIC_URL: scripts of experiments could otherwise act on the panel.'];
  if (pathUrl.hostname === publicUrl.hostname && port === undefined) return ['PATH_URL has the panel’s host name: it needs a port of its own (PATH_PORT).'];
  return [];
}

/** Whose forwarded headers the front door believes. A proxy that holds the certificate usually runs on this machine. */
export const trustedProxiesOf = ({ TRUSTED_PROXIES, HTTPS_PORT, publicUrl }: Pick<Config, 'TRUSTED_PROXIES' | 'HTTPS_PORT' | 'publicUrl'>): readonly string[] =>
  TRUSTED_PROXIES ?? (publicUrl.protocol === 'https:' && HTTPS_PORT === undefined ? ['127.0.0.1', '::1'] : []);
