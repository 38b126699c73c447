// The panel's database, its own or the one of DATABASE_URL: looked at, dumped before an upgrade, migrated.

import { chmodSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import type { Config } from '../domain/config.ts';
import { settlePlatform } from '../domain/chosen-platform.ts';
import type { Layout } from '../platforms/layout.ts';
import { panelBackupsDirOf } from './directories.ts';
import { migrate } from './migrate.ts';
import { messageOf, StartProblem } from './problem.ts';
import { run, runOrThrow, type Account } from './run.ts';

/** Takes over what was chosen in the page. @throws ConfigProblem when a setting is gone that it needs */
export async function settleChosen(config: Config, url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await settlePlatform(config, async <Row>(sql: string) => (await client.query(sql)).rows as Row[]);
  } finally {
    await client.end();
  }
}

const keptDumps = 10;
const oldestMajor = 13;

export type PanelDatabase = { readonly url: string; readonly bin: string; readonly layout: Layout; readonly owner: Account | null; readonly root: string };

/** Applies pending migrations, with a dump first when there are data. Returns the names of what was applied. */
export async function migratePanel(database: PanelDatabase): Promise<readonly string[]> {
  const backUp = (firstPending: string): Promise<void> => dump(database, firstPending);
  return await migrate({ databaseUrl: database.url, migrationsDir: path.join(database.root, 'prisma', 'migrations'), backUp });
}

/**
 * Looks at a server that was set from outside.
 * @param bin folder of pg_dump
 * @throws StartProblem when it does not answer, is too old, lacks rights, or is newer than pg_dump
 */
export async function checkForeignDatabase(url: string, bin: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new StartProblem(`The PostgreSQL of DATABASE_URL does not let us in: ${messageOf(error)}`, 'Check address, role and password: psql "$DATABASE_URL"');
  }
  try {
    const found = await client.query<{ version: number; may: boolean; role: string }>(
      "SELECT current_setting('server_version_num')::int AS version, (rolcreatedb AND rolcreaterole) OR rolsuper AS may, rolname AS role FROM pg_roles WHERE rolname = current_user",
    );
    const { version = 0, may = false, role = '' } = found.rows[0] ?? {};
    const major = Math.floor(version / 10_000);
    if (major < oldestMajor)
      throw new StartProblem(
        `The PostgreSQL of DATABASE_URL is version ${major}; ${oldestMajor} or later is needed.`,
        'Upgrade it, or unset DATABASE_URL: then the panel keeps one of its own.',
      );
    if (!may)
      throw new StartProblem(`The role ${role} of DATABASE_URL may not make databases and roles.`, `As a superuser: ALTER ROLE "${role}" CREATEDB CREATEROLE;`);
    await checkDumpVersion(bin, major);
  } finally {
    await client.end();
  }
}

/** @throws StartProblem when `pg_dump` is older than the server: it would refuse every backup */
async function checkDumpVersion(bin: string, serverMajor: number): Promise<void> {
  const output = await runOrThrow({ file: path.join(bin, 'pg_dump'), args: ['--version'] }, 'pg_dump --version');
  const major = Number(/(\d+)/.exec(output)?.[1]);
  if (major >= serverMajor) return;
  throw new StartProblem(
    `pg_dump here is version ${major}, older than the server (${serverMajor}): no backup could be made.`,
    `Install the package postgresql-client-${serverMajor} (from apt.postgresql.org where the distribution does not have it).`,
  );
}

async function dump({ url, bin, layout, owner }: PanelDatabase, firstPending: string): Promise<void> {
  const directory = panelBackupsDirOf(layout);
  const time = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const file = path.join(directory, `${time}-before-${firstPending}.dump`);
  const { host, port, user, password, database } = new pg.Client({ connectionString: url });
  const ssl = new URL(url).searchParams.get('sslmode');
  const env = {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user ?? '',
    PGPASSWORD: String(password ?? ''),
    PGDATABASE: database ?? '',
    ...(ssl === null ? {} : { PGSSLMODE: ssl }),
  };
  const { exitCode, output } = await run({
    file: path.join(bin, 'pg_dump'),
    args: ['-Fc', '--no-password', '-f', file],
    env,
    account: owner,
    timeoutMs: 60 * 60_000,
  });
  if (exitCode !== 0) {
    rmSync(file, { force: true });
    throw new StartProblem(
      `The panel’s database could not be dumped before the upgrade, so nothing was changed: ${output.trim().split('\n').at(-1)}`,
      'The version that you had goes on working; look at disk space and rights, then start again.',
    );
  }
  chmodSync(file, 0o600);
  const dumps = readdirSync(directory)
    .filter((name) => name.endsWith('.dump'))
    .toSorted();
  for (const name of dumps.slice(0, -keptDumps)) rmSync(path.join(directory, name));
}
