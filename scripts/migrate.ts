// Applies prisma/migrations in order, keeping Prisma's own books (`_prisma_migrations`), so that `prisma migrate deploy` agrees.

import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { messageOf, StartProblem } from './problem.ts';

export type Migrating = {
  readonly databaseUrl: string;
  readonly migrationsDir: string;
  /** Called once before the first pending migration of a database that is not new; a failure stops the migration. */
  readonly backUp: ((firstPending: string) => Promise<void>) | null;
};

type Migration = { readonly name: string; readonly sql: string; readonly checksum: string };
type Applied = { readonly migration_name: string; readonly checksum: string; readonly finished_at: Date | null };

/** The number that Prisma's own engine locks with: the two never migrate at once. */
const lockNumber = 72_707_369;

/** Prisma's table, column for column (schema engine 7.10, sql-schema-connector). */
const booksTable = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum VARCHAR(64) NOT NULL,
  finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL,
  logs TEXT,
  rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`;

/**
 * Applies what is pending, each migration whole or not at all; two starts at once wait for each other.
 * Returns the names applied.
 * @throws StartProblem when an applied migration was changed or is unknown here, or one fails
 */
export async function migrate(migrating: Migrating): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: migrating.databaseUrl, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [lockNumber]);
    const hadBooks = (await client.query("SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = '_prisma_migrations'")).rows.length > 0;
    if (!hadBooks) await client.query(booksTable);
    const applied = await client.query<Applied>(
      'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name',
    );
    const pending = pendingOf(readMigrations(migrating.migrationsDir), applied.rows);
    if (pending[0] !== undefined && applied.rows.length > 0) await migrating.backUp?.(pending[0].name);
    for (const migration of pending) await apply(client, migration);
    return pending.map(({ name }) => name);
  } finally {
    // Ends the lock as well.
    await client.end();
  }
}

/** Every migration of a folder, in order. */
function readMigrations(dir: string): readonly Migration[] {
  const names = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory() && existsSync(path.join(dir, entry.name, 'migration.sql')));
  return names
    .map(({ name }) => {
      const sql = readFileSync(path.join(dir, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function pendingOf(migrations: readonly Migration[], applied: readonly Applied[]): readonly Migration[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const { migration_name: name, checksum, finished_at: finishedAt } of applied) {
    const migration = known.get(name);
    if (migration === undefined)
      throw new StartProblem(
        `The database was made by a newer version of the panel (migration ${name} is not known here).`,
        'Take that version again (git pull), or put back the dump that was made before the upgrade: see docs/running.md.',
      );
    if (migration.checksum !== checksum)
      throw new StartProblem(`The migration ${name} was changed after it had been applied.`, `Put the file back: git checkout -- prisma/migrations/${name}`);
    if (finishedAt === null)
      throw new StartProblem(
        `The migration ${name} was begun by Prisma and has failed.`,
        `See what “npx prisma migrate resolve --applied ${name}” is about, then start again.`,
      );
  }
  const done = new Set(applied.map((row) => row.migration_name));
  return migrations.filter(({ name }) => !done.has(name));
}

async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await client.query(
      'INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), clock_timestamp(), 1)',
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw new StartProblem(
      `The migration ${name} failed, and nothing of it was kept: ${messageOf(error)}`,
      'The database is as before; the version that you had goes on working. Please report this.',
    );
  }
}
