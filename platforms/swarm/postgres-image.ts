// Images with PostgreSQL: which one new database servers get, what is in it, and whether this machine can make dumps of it.

import path from 'node:path';
import { AppError } from '../../contracts/errors.ts';
import { runCommand } from '../run-command.ts';
import { questionSpec } from './container-spec.ts';
import { FIND_PROGRAMS } from './database-spec.ts';
import { asking } from './engine.ts';
import type { Ground } from './ground.ts';
import { ensureImage } from './images.ts';
import { runToEnd, withContainer } from './runs.ts';

const QUESTION_MS = 60_000;
/** Says the version; 3: a program that the server is started with is missing. */
const QUESTION = `${FIND_PROGRAMS}; command -v flock >/dev/null && command -v setpriv >/dev/null || exit 3; command -v initdb >/dev/null && postgres --version`;
const majors = new Map<string, number>();

export type PostgresImage = { readonly id: string; readonly volumes: readonly string[] };

/** Major version of the `pg_dump` that backups are made with. @throws platform_failed when there is none */
export async function majorOfDump(binDir: string | null): Promise<number> {
  const file = binDir === null ? 'pg_dump' : path.join(binDir, 'pg_dump');
  const result = await runCommand({ file, args: ['--version'], env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' }, timeoutMs: 10_000 });
  const major = Number(/(\d+)/.exec(result.stdout)?.[1]);
  if (result.exitCode !== 0 || !Number.isInteger(major)) throw new AppError('platform_failed', { reason: 'pg_dump does not run on the panel’s machine.' });
  return major;
}

/** Name of the image that the server of a new instance gets. @param given what the settings name; null: nothing @throws platform_failed */
export const imageForNew = async (given: string | null, binDir: string | null): Promise<string> => given ?? `postgres:${await majorOfDump(binDir)}`;

/** The image with this name, fetched unless it is there. @throws platform_failed */
export async function openPostgresImage(ground: Ground, name: string): Promise<PostgresImage> {
  const id = await ensureImage(ground, { name, what: 'image of PostgreSQL' });
  const { Config } = await asking(ground.engine.quick.getImage(id).inspect());
  const volumes: Readonly<Record<string, unknown>> | null | undefined = Config.Volumes;
  return { id, volumes: Object.keys(volumes ?? {}).toSorted() };
}

/** @throws postgres_too_new when this machine's pg_dump refuses such a server; platform_failed when there is no PostgreSQL in it */
export async function demandDumpable(ground: Ground, name: string, signal: AbortSignal): Promise<void> {
  const { id } = await openPostgresImage(ground, name);
  const server = majors.get(id) ?? (await askForMajor(ground, { name, id }, signal));
  majors.set(id, server);
  const own = await majorOfDump(ground.postgres.binDir);
  if (own < server) throw new AppError('postgres_too_new', { image: name, server, own });
}

async function askForMajor(ground: Ground, { name, id }: { name: string; id: string }, signal: AbortSignal): Promise<number> {
  const spec = questionSpec(ground.panelId, id, ['/bin/sh', '-c', QUESTION]);
  const result = await withContainer(ground, spec, async (container) => await runToEnd(container, { timeoutMs: QUESTION_MS, signal }));
  const major = /PostgreSQL\) (\d+)/.exec(result.stdout)?.[1];
  if (result.exitCode === 0 && major !== undefined) return Number(major);
  const missing = result.exitCode === 3 ? 'has no flock or no setpriv (Debian’s package util-linux)' : 'has no PostgreSQL server that runs';
  throw new AppError('platform_failed', { reason: `the image ${name} ${missing}. Choose another one in SWARM_POSTGRES_IMAGE.` });
}
