// The applier of migrations, on real databases.

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../domain/ids.ts';
import { migrate } from '../../scripts/migrate.ts';
import { diffSchemas } from '../../scripts/schema-engine.ts';

const root = path.join(import.meta.dirname, '..', '..');
const given = process.env['ARBORETUM_TEST_DATABASE_URL'] ?? '';
const databases: string[] = [];
let url = '';
let dir = '';

async function sql<Row extends pg.QueryResultRow>(statement: string, where = url): Promise<Row[]> {
  const client = new pg.Client({ connectionString: where });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

async function emptyDatabase(): Promise<string> {
  const name = `migrate_${newId()}`;
  await sql(`CREATE DATABASE ${name}`, given);
  databases.push(name);
  const target = new URL(given);
  target.pathname = `/${name}`;
  return target.href;
}

function write(name: string, statements: string): void {
  mkdirSync(path.join(dir, name), { recursive: true });
  writeFileSync(path.join(dir, name, 'migration.sql'), statements);
}

const apply = (backUp: ((name: string) => Promise<void>) | null = null) => migrate({ databaseUrl: url, migrationsDir: dir, backUp });

beforeAll(() => {
  if (given === '') throw new Error('ARBORETUM_TEST_DATABASE_URL is not set: run the tests with npm test.');
});
beforeEach(async () => {
  url = await emptyDatabase();
  dir = mkdtempSync(path.join(os.tmpdir(), 'migrations-'));
  write('20260101000000_first', 'CREATE TABLE seat (id int PRIMARY KEY);');
});
afterAll(async () => {
  for (const name of databases) await sql(`DROP DATABASE ${name} WITH (FORCE)`, given);
  rmSync(dir, { recursive: true, force: true });
});

describe('migrations', () => {
  it('are applied in order and noted in Prisma’s own table with the checksum of the file', async () => {
    write('20260102000000_second', 'ALTER TABLE seat ADD COLUMN label text; INSERT INTO seat VALUES (1, $$a;b$$);');
    expect(await apply()).toEqual(['20260101000000_first', '20260102000000_second']);
    const books = await sql<Record<string, unknown>>('SELECT * FROM _prisma_migrations ORDER BY migration_name');
    expect(books.map((row) => [row['migration_name'], row['applied_steps_count'], row['finished_at'] !== null])).toEqual([
      ['20260101000000_first', 1, true],
      ['20260102000000_second', 1, true],
    ]);
    expect(books[0]?.['checksum']).toBe(createHash('sha256').update('CREATE TABLE seat (id int PRIMARY KEY);').digest('hex'));
    expect(await apply()).toEqual([]);
  });

  it('that two starts apply at once are applied once', async () => {
    const results = await Promise.all([apply(), apply(), apply()]);
    expect(results.flat()).toEqual(['20260101000000_first']);
  });

  it('that were changed after they had been applied stop the start', async () => {
    await apply();
    write('20260101000000_first', 'CREATE TABLE seat (id bigint PRIMARY KEY);');
    await expect(apply()).rejects.toMatchObject({
      message: 'The migration 20260101000000_first was changed after it had been applied.',
      hint: expect.stringContaining('git checkout') as string,
    });
  });

  it('of a newer version of the panel stop the start of an older one', async () => {
    write('20260102000000_second', 'SELECT 1;');
    await apply();
    rmSync(path.join(dir, '20260102000000_second'), { recursive: true });
    await expect(apply()).rejects.toThrow('made by a newer version of the panel');
  });

  it('that fail leave nothing behind, and what came before stays', async () => {
    write('20260102000000_second', 'CREATE TABLE half (id int); SELECT * FROM nowhere;');
    await expect(apply()).rejects.toThrow('The migration 20260102000000_second failed, and nothing of it was kept: relation "nowhere" does not exist');
    expect(await sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'")).toEqual([{ tablename: 'seat' }]);
    write('20260102000000_second', 'CREATE TABLE half (id int);');
    expect(await apply()).toEqual(['20260102000000_second']);
  });

  it('ask for a dump before they touch a database with data, once, and not for a new one', async () => {
    const asked: string[] = [];
    const backUp = (name: string) => Promise.resolve(void asked.push(name));
    await apply(backUp);
    expect(asked).toEqual([]);
    write('20260102000000_second', 'SELECT 1;');
    write('20260103000000_third', 'SELECT 1;');
    await apply(backUp);
    expect(asked).toEqual(['20260102000000_second']);
  });

  it('wait for a dump that fails: then nothing is applied', async () => {
    await apply();
    write('20260102000000_second', 'CREATE TABLE more (id int);');
    await expect(apply(() => Promise.reject(new Error('no room')))).rejects.toThrow('no room');
    expect(await sql('SELECT migration_name FROM _prisma_migrations')).toEqual([{ migration_name: '20260101000000_first' }]);
  });
});

describe('the panel’s own migrations', () => {
  const migrationsDir = path.join(root, 'prisma', 'migrations');
  const shape = (where: string) =>
    sql(
      "SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_prisma_migrations' ORDER BY 1, 2",
      where,
    );
  const indexes = (where: string) =>
    sql("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_prisma_migrations' ORDER BY 1", where);

  it('were all written: schema.prisma is the one of the last migration', () => {
    const read = (...parts: string[]): string => readFileSync(path.join(root, 'prisma', ...parts), 'utf8');
    expect(read('schema.prisma'), 'run: node --import tsx scripts/write-migration.ts NAME').toBe(read('migrations', 'schema.prisma'));
  });

  it('lead to exactly what the schema says', async () => {
    await migrate({ databaseUrl: url, migrationsDir, backUp: null });
    const direct = await emptyDatabase();
    await sql(await diffSchemas(null, readFileSync(path.join(root, 'prisma', 'schema.prisma'), 'utf8')), direct);
    expect(await shape(url)).toEqual(await shape(direct));
    // Further indexes are allowed: what Prisma cannot say stands in a migration by hand.
    expect(await indexes(url)).toEqual(expect.arrayContaining(await indexes(direct)));
  });
});
