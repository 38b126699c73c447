// Every command that is sent to Dokku, as a value: the exact line, whether it reads input, how long it may take. No I/O here.

import { isName, lineOf, type OwnFlags } from './dokku-words.ts';

/** One command for a Dokku host (Dokku 0.30 and later; tried with 0.38.27). */
export type DokkuCommand = {
  /** The exact line on the wire. */
  readonly line: string;
  /** Whether it reads its standard input; for all others that is closed at once. */
  readonly takesInput: boolean;
  /** Limit; a command over it may still go on on the host. */
  readonly timeoutMs: number;
  /** Its output holds passwords: never log or show it. */
  readonly showsSecrets: boolean;
};

/** What a command left behind. stderr is often not empty on success: only the exit code decides. */
export type DokkuResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

/** `http:80:5000`: what nginx listens on, and where the container does. */
export type PortMap = { readonly scheme: 'http' | 'https'; readonly hostPort: number; readonly containerPort: number };

const QUICK_MS = 60_000;
/** Whatever writes nginx's configuration: 3–15 s were measured. */
const NGINX_MS = 120_000;
const DEPLOY_MS = 15 * 60_000;
const DATABASE_MS = 15 * 60_000;

type Shape = OwnFlags & { readonly timeoutMs?: number; readonly takesInput?: boolean; readonly showsSecrets?: boolean };

const make = (
  command: string,
  words: readonly string[],
  { timeoutMs = QUICK_MS, takesInput = false, showsSecrets = false, ...own }: Shape = {},
): DokkuCommand => ({
  line: lineOf(command, words, own),
  takesInput,
  timeoutMs,
  showsSecrets,
});

/** Name of an app, a service or a process. Dokku itself also takes a dot at the end and 70 letters. */
function named(name: string): string {
  if (!isName(name)) throw new Error(`Not a name for Dokku: ${JSON.stringify(name)}`);
  return name;
}

function whole(value: number, least: number): string {
  if (!Number.isSafeInteger(value) || value < least) throw new Error(`Not a whole number from ${least}: ${value}`);
  return String(value);
}

/** A word that must not be read as an option. */
function plainWord(word: string): string {
  if (word.startsWith('-')) throw new Error(`This word would be read as an option: ${word}`);
  return word;
}

function hostName(host: string): string {
  if (!/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(host)) throw new Error(`Not a host name: ${JSON.stringify(host)}`);
  return host;
}

function some<T>(list: readonly T[]): readonly T[] {
  if (list.length === 0) throw new Error('Nothing was named');
  return list;
}

/** Dokku's version; read by `readVersion`. */
export const version = (): DokkuCommand => make('version', []);
/** Read by `readPlugins`. */
export const pluginList = (): DokkuCommand => make('plugin:list', ['--format', 'json']);

/** Read by `readApps`. */
export const appsList = (): DokkuCommand => make('apps:list', ['--format', 'json']);
/** Exit 0 or `app_missing`. */
export const appsExists = (app: string): DokkuCommand => make('apps:exists', [named(app)]);
/** An app that is there already: `exists`; two at once may both succeed. */
export const appsCreate = (app: string): DokkuCommand => make('apps:create', [named(app)], { timeoutMs: NGINX_MS });
/** Ends a deploy that runs; unlinks databases, but keeps them. */
export const appsDestroy = (app: string): DokkuCommand => make('apps:destroy', [named(app)], { isForced: true, timeoutMs: NGINX_MS });
/** Exit 0 while a deploy runs, and after one that was killed; else 1 without a word. */
export const appsLocked = (app: string): DokkuCommand => make('apps:locked', [named(app)]);
/** Takes the lock away that a killed deploy left; one that runs goes on. `not_locked` when there was none. */
export const appsUnlock = (app: string): DokkuCommand => make('apps:unlock', [named(app)]);

/** All variables with their values, read by `readConfig`. */
export const configExport = (app: string): DokkuCommand => make('config:export', ['--format', 'json', named(app)], { showsSecrets: true });
/**
 * Sets variables from a JSON object on its input, without a restart; with `replace` all others go. Prints nothing.
 * Two writers at once lose data: one at a time per app, and read back afterwards.
 */
export const configImport = (app: string, { replace }: { replace: boolean }): DokkuCommand =>
  make('config:import', ['--no-restart', ...(replace ? ['--replace'] : []), '--format', 'json', named(app), '-'], {
    isQuiet: true,
    takesInput: true,
    showsSecrets: true,
  });

/** Read by `readDomains`. */
export const domainsReport = (app: string): DokkuCommand => make('domains:report', [named(app), '--format', 'json']);
/** Read by `readGlobalDomains`. */
export const domainsReportGlobal = (): DokkuCommand => make('domains:report', ['--global', '--format', 'json']);
/** Gives the app exactly these host names (at least one). */
export const domainsSet = (app: string, hosts: readonly string[]): DokkuCommand =>
  make('domains:set', [named(app), ...some(hosts).map(hostName)], { timeoutMs: NGINX_MS });

/** Gives the app exactly these port mappings (at least one). */
export const portsSet = (app: string, maps: readonly PortMap[]): DokkuCommand =>
  make('ports:set', [named(app), ...some(maps).map((map) => `${map.scheme}:${whole(map.hostPort, 1)}:${whole(map.containerPort, 1)}`)], {
    timeoutMs: NGINX_MS,
  });
/** Read by `readPorts`. */
export const portsReport = (app: string): DokkuCommand => make('ports:report', [named(app), '--format', 'json']);

/** Takes effect when nginx's configuration is next built (a deploy, `ports:set`, `domains:set`). */
export const nginxSet = (app: string, property: string, value: string): DokkuCommand => make('nginx:set', [named(app), plainWord(property), plainWord(value)]);
export const checksSet = (app: string, property: string, value: string): DokkuCommand =>
  make('checks:set', [named(app), plainWord(property), plainWord(value)]);
export const gitSet = (app: string, property: string, value: string): DokkuCommand => make('git:set', [named(app), plainWord(property), plainWord(value)]);

/** How many containers of each process; on a deployed app a change is a deploy. */
export const psScale = (app: string, processes: Readonly<Record<string, number>>): DokkuCommand =>
  make('ps:scale', [named(app), ...some(Object.entries(processes)).map(([name, count]) => `${named(name)}=${whole(count, 0)}`)], { timeoutMs: DEPLOY_MS });
/** Those numbers; read by `readScale`. */
export const psScaleShow = (app: string): DokkuCommand => make('ps:scale', ['--format', 'json', named(app)]);
/** Read by `readPsReport`. */
export const psReport = (app: string): DokkuCommand => make('ps:report', [named(app), '--format', 'json']);
/** Read by `readPsInspect`; `not_deployed` before the first deploy. */
export const psInspect = (app: string): DokkuCommand => make('ps:inspect', [named(app)]);
/** On a stopped app a release and a deploy; on one never deployed exit 0 without doing anything. */
export const psStart = (app: string): DokkuCommand => make('ps:start', [named(app)], { timeoutMs: DEPLOY_MS });
/** On an app never deployed exit 0 without doing anything. */
export const psStop = (app: string): DokkuCommand => make('ps:stop', [named(app)], { timeoutMs: NGINX_MS });
export const psRebuild = (app: string): DokkuCommand => make('ps:rebuild', [named(app)], { timeoutMs: DEPLOY_MS });

/** Takes effect at the next deploy; Dokku checks neither number. */
export function resourceLimit(app: string, { memoryMib, cpu }: { memoryMib: number; cpu?: number }): DokkuCommand {
  if (cpu !== undefined && !(cpu > 0 && cpu < 1024)) throw new Error(`Not a number of processors: ${cpu}`);
  return make('resource:limit', ['--memory', whole(memoryMib, 1), ...(cpu === undefined ? [] : ['--cpu', String(cpu)]), named(app)]);
}

/** Builds and deploys the tar on its input (scale 0: builds only); an equal tree is `no_changes`, which is no failure. */
export const gitFromArchive = (app: string): DokkuCommand => make('git:from-archive', [named(app), '--'], { takesInput: true, timeoutMs: DEPLOY_MS });
/** git's own way to read an app's repository, in the words that git itself sends; the two of them speak on. */
export const gitUploadPack = (app: string): DokkuCommand => ({
  line: `git-upload-pack '/${named(app)}'`,
  takesInput: true,
  timeoutMs: DEPLOY_MS,
  showsSecrets: false,
});
/** Read by `readBuilds`, newest first. */
export const buildsList = (app: string): DokkuCommand => make('builds:list', [named(app), '--format', 'json']);
/** Stops a deploy that runs; exit 0 as well when there is none. */
export const buildsCancel = (app: string): DokkuCommand => make('builds:cancel', [named(app)]);

/** The last lines of each process; read by `readLogLines`. */
export const logs = (app: string, { lines }: { lines: number }): DokkuCommand => make('logs', [named(app), '--num', whole(lines, 1)]);
/** Runs words in a fresh container of the app's image; gives the words' exit code, passes no input. The environment is visible in process lists. */
export const run = (
  app: string,
  words: readonly string[],
  { env = {}, timeoutMs = DEPLOY_MS }: { env?: Readonly<Record<string, string>>; timeoutMs?: number } = {},
): DokkuCommand => make('run', ['--no-tty', ...Object.entries(env).flatMap(variable), named(app), ...foreign(words)], { timeoutMs });
/** Runs words inside the running container of a process; gives the words' exit code, passes no input. */
export const enter = (app: string, process: string, words: readonly string[]): DokkuCommand => make('enter', [named(app), named(process), ...foreign(words)]);

function variable([name, value]: [string, string]): readonly string[] {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new Error(`Not the name of a variable: ${JSON.stringify(name)}`);
  return ['--env', `${name}=${value}`];
}

/** Words of a program: the first names it, so it is no option. */
const foreign = (words: readonly string[]): readonly string[] => some(words).map((word, index) => (index === 0 ? plainWord(word) : word));

/** Takes a tar with `server.crt` and `server.key` on its input. */
export const certsAdd = (app: string): DokkuCommand => make('certs:add', [named(app)], { takesInput: true, timeoutMs: NGINX_MS });
/** Read by `readCertificate`. */
export const certsReport = (app: string): DokkuCommand => make('certs:report', [named(app), '--format', 'json']);
export const certsRemove = (app: string): DokkuCommand => make('certs:remove', [named(app)], { timeoutMs: NGINX_MS });

/** Words of the plugin letsencrypt's manual; not recorded. */
export const letsencryptSet = (app: string, email: string): DokkuCommand => make('letsencrypt:set', [named(app), 'email', plainWord(email)]);
/** Gets or renews the app's certificate. Words of the plugin's manual; not recorded. */
export const letsencryptEnable = (app: string): DokkuCommand => make('letsencrypt:enable', [named(app)], { timeoutMs: DEPLOY_MS });

/** Makes a database server; `exists` when it is there. The options stand behind the name: before it they would be the name. */
export const postgresCreate = (service: string, { imageVersion }: { imageVersion?: string } = {}): DokkuCommand =>
  make('postgres:create', [named(service), ...(imageVersion === undefined ? [] : ['--image-version', named(imageVersion)])], {
    timeoutMs: DATABASE_MS,
    showsSecrets: true,
  });
/** `still_linked` while an app uses it, `service_missing` when it is gone. */
export const postgresDestroy = (service: string): DokkuCommand => make('postgres:destroy', [named(service)], { isForced: true, timeoutMs: NGINX_MS });
/** Exit 0 or `service_missing`. */
export const postgresExists = (service: string): DokkuCommand => make('postgres:exists', [named(service)]);
/** Sets the app's DATABASE_URL without a restart; `already_linked` when it is. */
export const postgresLink = (service: string, app: string): DokkuCommand =>
  make('postgres:link', [named(service), named(app), '--no-restart'], { showsSecrets: true });
/** `not_linked` when it is not. */
export const postgresUnlink = (service: string, app: string): DokkuCommand => make('postgres:unlink', [named(service), named(app), '--no-restart']);
/** The services of an app; read by `readLinks`. */
export const postgresAppLinks = (app: string): DokkuCommand => make('postgres:app-links', [named(app)]);
/** The apps of a service; read by `readLinks`. */
export const postgresLinks = (service: string): DokkuCommand => make('postgres:links', [named(service)]);
/** All services; read by `readServices`. */
export const postgresList = (): DokkuCommand => make('postgres:list', []);
/** psql as the owner of the service's database, SQL on its input, psql's exit code. */
export const postgresConnect = (service: string): DokkuCommand =>
  make('postgres:connect', [named(service)], { takesInput: true, timeoutMs: DATABASE_MS, showsSecrets: true });
/** A dump in pg_dump's custom format, bytes, on its output. */
export const postgresExport = (service: string): DokkuCommand => make('postgres:export', [named(service)], { timeoutMs: DATABASE_MS, showsSecrets: true });
/** Restores such a dump from its input. */
export const postgresImport = (service: string): DokkuCommand =>
  make('postgres:import', [named(service)], { takesInput: true, timeoutMs: DATABASE_MS, showsSecrets: true });
