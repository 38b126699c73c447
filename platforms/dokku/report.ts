// What the panel needs on its Dokku host, and what it finds there: for the System page and the log of the worker's start.

import { AppError } from '../../contracts/errors.ts';
import { pluginList, version } from '../dokku-commands.ts';
import { type DokkuPlugin, readPlugins, readVersion } from '../dokku-reports.ts';
import type { HostReport } from '../hosts.ts';
import { ask } from './asking.ts';
import type { Host } from './host.ts';

/** How the panel comes in. */
export type Entrance = Pick<HostReport, 'address' | 'publicKey'>;

/** Before it, apps could not be deployed from an archive over ssh with the words that are used here. */
const OLDEST = [0, 30] as const;

/** What was told of the disk counts for so long. */
const TOLD_MS = 10 * 60_000;

/** Asks the host now. @returns what was found, however little; never throws */
export async function reportOn(host: Host, entrance: Entrance): Promise<HostReport> {
  const found = await look(host);
  const { isUp, downSince } = host.connection.state();
  const { disk } = host.told;
  const freeDiskMib = disk === null || Date.now() - disk.at > TOLD_MS ? null : Math.floor(disk.freeBytes / 1024 ** 2);
  return { ...entrance, ...found, isUp, downSince, freeDiskMib, hostKey: host.connection.hostKey() };
}

async function look(host: Host): Promise<Pick<HostReport, 'version' | 'plugins' | 'problems' | 'warnings'>> {
  let number: string | null = null;
  try {
    number = readVersion((await ask(host, version())).stdout);
    const plugins = readPlugins((await ask(host, pluginList())).stdout);
    return { version: number, plugins: plugins.filter(({ isCore }) => !isCore), ...judgeHost(number, plugins) };
  } catch (error) {
    if (number !== null && isOld(number)) return { version: number, plugins: [], ...judgeHost(number, null) };
    const problem = error instanceof AppError ? `${error.message} ${error.hint}` : String(error);
    return { version: number, plugins: [], problems: [problem], warnings: [] };
  }
}

function isOld(number: string): boolean {
  const [major = 0, minor = 0] = number.split('.').map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

/** @param plugins null: they could not be asked for */
export function judgeHost(number: string, plugins: readonly DokkuPlugin[] | null): Pick<HostReport, 'problems' | 'warnings'> {
  const problems: string[] = [];
  if (isOld(number))
    problems.push(`Dokku ${number} is too old: the panel needs ${OLDEST.join('.')} or later. Bring the host up to date, as Dokku’s own pages say.`);
  const has = (name: string): boolean => plugins?.some((plugin) => plugin.name === name && plugin.isEnabled) === true;
  const addPostgres = 'dokku plugin:install https://github.com/dokku/dokku-postgres.git';
  if (plugins !== null && !has('postgres'))
    problems.push(`The plugin postgres is missing, so no instance gets a database. As root on the host: ${addPostgres}`);
  const warnings = has('acl')
    ? ['The plugin acl is installed: its released versions announce a push of somebody else as refused and then deploy it all the same, so do not rely on it.']
    : [];
  return { problems, warnings };
}
