// Development tool: `node --import tsx scripts/write-migration.ts NAME` writes prisma/migrations/<time>_<name>/migration.sql.
//
// It compares prisma/schema.prisma with prisma/migrations/schema.prisma, the schema as of the last migration
// (Prisma itself would replay all migrations on a scratch database, for which it needs an engine that must be downloaded).

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { diffSchemas } from './schema-engine.ts';

const root = path.join(import.meta.dirname, '..');
const schemaFile = path.join(root, 'prisma', 'schema.prisma');
const migrationsDir = path.join(root, 'prisma', 'migrations');
const lastSchemaFile = path.join(migrationsDir, 'schema.prisma');

async function writeMigration(name: string): Promise<string> {
  const schema = readFileSync(schemaFile, 'utf8');
  const sql = await diffSchemas(existsSync(lastSchemaFile) ? readFileSync(lastSchemaFile, 'utf8') : null, schema);
  if (sql === '') return 'The schema has not changed: nothing to write.';
  const time = nextTime();
  const file = path.join(migrationsDir, `${time}_${name}`, 'migration.sql');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, sql);
  writeFileSync(lastSchemaFile, schema);
  writeFileSync(path.join(migrationsDir, 'migration_lock.toml'), 'provider = "postgresql"\n');
  return `${path.relative(root, file)} (${sql.split('\n').length - 1} lines): read it before you commit it.`;
}

/** Now in seconds, but later than the last migration: their names are their order. */
function nextTime(): string {
  const now = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const times = existsSync(migrationsDir) ? readdirSync(migrationsDir).flatMap((entry) => /^(\d{14})_/.exec(entry)?.[1] ?? []) : [];
  return [now, ...times.map((time) => String(BigInt(time) + 1n))].toSorted().at(-1) ?? now;
}

const name = process.argv[2] ?? '';
if (/^[a-z][a-z0-9_]*$/.test(name)) {
  process.stdout.write(`${await writeMigration(name)}\n`);
} else {
  process.stderr.write('Usage: node --import tsx scripts/write-migration.ts NAME   (NAME: a-z, 0-9 and _)\n');
  process.exitCode = 2;
}
