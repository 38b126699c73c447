// Reading what Dokku prints, one function for each command. Pure; unknown fields are left alone. How a failure is read: dokku-failures.ts.

import { AppError } from '../contracts/errors.ts';
import type { PortMap } from './dokku-commands.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One plugin of the host. */
export type DokkuPlugin = { readonly name: string; readonly version: string; readonly isEnabled: boolean; readonly isCore: boolean };
/** `running` is `mixed` when some processes run and some do not. */
export type PsReport = {
  readonly isDeployed: boolean;
  /** Dokku starts it again after a crash and a reboot; not so once it was stopped by `ps:stop`. */
  readonly isMeantToRun: boolean;
  readonly running: 'true' | 'false' | 'mixed';
  readonly processes: number;
  /** `web.1` → what Docker says of it (`running`, `exited` …) and the beginning of its container's id. */
  readonly containers: Readonly<Record<string, { readonly state: string; readonly containerId: string | null }>>;
};
/** One container of an app, as Docker sees it. */
export type DokkuContainer = {
  /** Docker's, 64 hexadecimal digits. */
  readonly id: string;
  /** `web.1`; null when Dokku gave it no label. */
  readonly process: string | null;
  readonly isRunning: boolean;
  readonly isRestarting: boolean;
  readonly exitCode: number;
  readonly restarts: number;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** The kernel ended it because it needed more memory than its limit. */
  readonly isOutOfMemory: boolean;
};
/** One build or deploy; `display_status` is told because `status` stays `running` for those that were abandoned. */
export type DokkuBuild = {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly source: string;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly exitCode: number | null;
};
/** Host names of an app, and those under which each new app gets one of its own. */
export type DokkuDomains = { readonly isEnabled: boolean; readonly hosts: readonly string[]; readonly globalHosts: readonly string[] };
export type DokkuCertificate = { readonly isEnabled: boolean; readonly hostNames: readonly string[]; readonly expiresAt: Date | null };
/** One line of the runtime log; `at` is as Docker writes it (nanoseconds), null when the line has no prefix. */
export type DokkuLogLine = { readonly at: string | null; readonly process: string | null; readonly text: string };

/** Of `version`. @throws platform_failed when it is not Dokku's */
export function readVersion(stdout: string): string {
  const found = /dokku version (\d+(?:\.\d+)+\S*)/.exec(stdout)?.[1];
  return found ?? unreadable('version');
}

/** Of `plugin:list`. @throws platform_failed */
export const readPlugins = (stdout: string): readonly DokkuPlugin[] =>
  list(stdout, 'plugin:list').map((plugin) => ({
    name: text(plugin, 'name'),
    version: text(plugin, 'version'),
    isEnabled: isTrue(plugin['enabled']),
    isCore: isTrue(plugin['core']),
  }));

/** Of `apps:list`. @throws platform_failed */
export function readApps(stdout: string): readonly string[] {
  const apps = parsed(stdout, 'apps:list');
  return Array.isArray(apps) ? apps.filter((app) => typeof app === 'string') : unreadable('apps:list');
}

/** Of `ps:report`. @throws platform_failed */
export function readPsReport(stdout: string): PsReport {
  const report = fields(stdout, 'ps:report');
  const running = field(report, 'ps', 'running');
  const deployed = field(report, 'ps', 'deployed');
  if (running === null || deployed === null) return unreadable('ps:report');
  return {
    isDeployed: isTrue(deployed),
    isMeantToRun: isTrue(field(report, 'ps', 'restore')),
    running: running === 'mixed' ? 'mixed' : isTrue(running) ? 'true' : 'false',
    processes: Number(field(report, 'ps', 'processes') ?? 0) || 0,
    containers: Object.fromEntries(
      Object.entries(report).flatMap(([key, value]) => {
        const process = /^(?:ps-)?status-(.+)$/.exec(key)?.[1];
        return process === undefined || typeof value !== 'string' ? [] : [[process, statusOf(value)]];
      }),
    ),
  };
}

const statusOf = (value: string): { state: string; containerId: string | null } => ({
  state: /^\S*/.exec(value)?.[0] ?? value,
  containerId: /\(CID: ([0-9a-f]+)\)/.exec(value)?.[1] ?? null,
});

/** Of `ps:scale` as JSON: process → how many. @throws platform_failed */
export const readScale = (stdout: string): Readonly<Record<string, number>> =>
  Object.fromEntries(list(stdout, 'ps:scale').map((entry) => [text(entry, 'process_type'), Number(entry['quantity'] ?? 0)]));

/** Of `ps:inspect`. @throws platform_failed */
export const readPsInspect = (stdout: string): readonly DokkuContainer[] =>
  list(stdout, 'ps:inspect').map((container) => {
    const state = part(container, 'State');
    return {
      id: text(container, 'Id'),
      process: text(part(part(container, 'Config'), 'Labels'), 'com.dokku.dyno') || null,
      isRunning: isTrue(state['Running']),
      isRestarting: isTrue(state['Restarting']),
      exitCode: Number(state['ExitCode'] ?? 0),
      restarts: Number(container['RestartCount'] ?? 0),
      startedAt: time(state['StartedAt']),
      finishedAt: time(state['FinishedAt']),
      isOutOfMemory: isTrue(state['OOMKilled']),
    };
  });

/** Of `config:export`: name → value, secrets among them. @throws platform_failed */
export const readConfig = (stdout: string): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(fields(stdout, 'config:export')).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]));

/** Of `builds:list`, newest first. @throws platform_failed */
export const readBuilds = (stdout: string): readonly DokkuBuild[] =>
  list(stdout, 'builds:list').map((build) => ({
    id: text(build, 'id'),
    kind: text(build, 'kind'),
    status: text(build, 'display_status') || text(build, 'status'),
    source: text(build, 'source'),
    startedAt: time(build['started_at']),
    finishedAt: time(build['finished_at']),
    exitCode: build['exit_code'] === undefined ? null : Number(build['exit_code']),
  }));

/** Of `domains:report` of an app. @throws platform_failed */
export function readDomains(stdout: string): DokkuDomains {
  const report = fields(stdout, 'domains:report');
  return {
    isEnabled: isTrue(field(report, 'domains', 'app-enabled')),
    hosts: words(field(report, 'domains', 'app-vhosts')),
    globalHosts: words(field(report, 'domains', 'global-vhosts')),
  };
}

/** Of `domains:report --global`; empty when the host has none. @throws platform_failed */
export const readGlobalDomains = (stdout: string): readonly string[] => words(field(fields(stdout, 'domains:report'), 'domains', 'global-vhosts'));

/** Of `ports:report`: the mappings that were set, else those that Dokku found itself. @throws platform_failed */
export function readPorts(stdout: string): readonly (Omit<PortMap, 'scheme'> & { readonly scheme: string })[] {
  const report = fields(stdout, 'ports:report');
  const set = words(field(report, 'ports', 'map'));
  return (set.length > 0 ? set : words(field(report, 'ports', 'map-detected'))).flatMap((map) => {
    const [, scheme, hostPort, containerPort] = /^([a-z0-9]+):(\d+):(\d+)$/.exec(map) ?? [];
    return scheme === undefined ? [] : [{ scheme, hostPort: Number(hostPort), containerPort: Number(containerPort) }];
  });
}

/** Of `certs:report`. @throws platform_failed */
export function readCertificate(stdout: string): DokkuCertificate {
  const report = fields(stdout, 'certs:report');
  return {
    isEnabled: isTrue(field(report, 'ssl', 'enabled')),
    hostNames: words(field(report, 'ssl', 'hostnames')),
    expiresAt: time(field(report, 'ssl', 'expires-at')),
  };
}

/** Of `postgres:app-links` and `postgres:links`: one name a line. */
export const readLinks = (stdout: string): readonly string[] =>
  stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Of `postgres:list`: the names below its heading. */
export const readServices = (stdout: string): readonly string[] => readLinks(stdout).filter((line) => !line.startsWith('=====>'));

/** Of `logs`: one entry a line, colours taken out. Lines of several processes come one process after the other. */
export function readLogLines(stdout: string): readonly DokkuLogLine[] {
  const lines = stdout.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => {
    const plain = withoutColours(line).replace(/\r$/, '');
    const [, at, process, rest] = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) app\[([^\]]+)\]: ?(.*)$/s.exec(plain) ?? [];
    return at === undefined ? { at: null, process: null, text: plain } : { at, process: process ?? null, text: rest ?? '' };
  });
}

/** Text without terminal sequences: colours, moves of the cursor, cleared lines. */
export const withoutColours = (line: string): string => line.replaceAll(/\u001B\[[0-9;?]*[A-Za-z]/g, '');

/** The short key, else the one with the plugin's name in front, which a later Dokku will drop. All values are strings. */
function field(report: Fields, plugin: string, key: string): string | null {
  const value = report[key] ?? report[`${plugin}-${key}`];
  return typeof value === 'string' ? value : value === undefined || value === null ? null : JSON.stringify(value);
}

const isTrue = (value: unknown): boolean => value === true || value === 'true';
const words = (value: string | null): readonly string[] => (value ?? '').split(/\s+/).filter((word) => word !== '');
const text = (from: Fields, key: string): string => (typeof from[key] === 'string' ? from[key] : '');
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const part = (from: Fields, key: string): Fields => {
  const value = from[key];
  return isFields(value) ? value : {};
};

/** Docker writes the year 1 for “never”. */
function time(value: unknown): Date | null {
  if (typeof value !== 'string' || value === '' || value.startsWith('0001-')) return null;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? null : date;
}

function parsed(stdout: string, command: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch {
    return unreadable(command);
  }
}

function fields(stdout: string, command: string): Fields {
  const report = parsed(stdout, command);
  return isFields(report) ? report : unreadable(command);
}

function list(stdout: string, command: string): readonly Fields[] {
  const entries = parsed(stdout, command);
  return Array.isArray(entries) ? entries.filter(isFields) : unreadable(command);
}

/** The answer itself is not told: it may hold secrets. */
function unreadable(command: string): never {
  throw new AppError('platform_failed', { reason: `Dokku’s answer to ${command} cannot be read by this panel.` });
}
