// SQL in a database service, over psql on the Dokku host.

import { AppError } from '../../contracts/errors.ts';
import { postgresConnect } from '../dokku-commands.ts';
import { explainFailure } from '../dokku-failures.ts';
import { NO_TABLES, type ParticipantAnswer, presentRow, QUESTION } from '../otree-tables.ts';
import type { ParticipantRow } from '../platform.ts';
import { failure, isUnknown } from './asking.ts';
import type { Host } from './host.ts';

export type Question = {
  readonly service: string;
  /** Statements; each answer is one line a row. */
  readonly text: string;
  /** Another database of the service than its own. */
  readonly database?: string;
  readonly signal?: AbortSignal;
  /** SQLSTATEs that mean “nothing there” and are answered with no lines. */
  readonly fine?: Pick<ReadonlySet<string>, 'has'>;
};

/** Errors stop it, their code is told; command tags, headings and alignment are left out. */
const PREPARED = ['\\set QUIET on', '\\set ON_ERROR_STOP on', '\\set VERBOSITY verbose', '\\pset tuples_only on', '\\pset format unaligned'];

/** The lines that statements print. @throws platform_failed with PostgreSQL's reason, database_unreachable */
export async function sql(host: Host, { service, text, database, signal, fine = new Set() }: Question): Promise<string[]> {
  const command = postgresConnect(service);
  const lines = [...PREPARED, ...(database === undefined ? [] : [`\\connect ${database}`]), text, ''];
  const io = { input: Buffer.from(lines.join('\n')), ...(signal === undefined ? {} : { signal }) };
  // All statements of this panel may be run twice, so a connection that broke in the middle costs nothing.
  const result = await host.connection.run(command, io).catch(async (error: unknown) => {
    if (!isUnknown(error)) throw error;
    return await host.connection.run(command, io);
  });
  if (result.exitCode === 0) return result.stdout.split('\n').filter((line) => line.trim() !== '');
  const said = /^(?:psql:[^\n]*? )?(?:ERROR|FATAL): {2}(\w{5}): (.*)$/m.exec(result.stderr);
  if (said !== null && fine.has(said[1] ?? '')) return [];
  if (said !== null) throw new AppError('platform_failed', { reason: `PostgreSQL says “${said[2]}”.` });
  if (explainFailure(command, result).kind !== 'unknown') throw failure(command, result);
  throw new AppError('database_unreachable');
}

/** Rows of one SELECT, each as an object. */
export async function rows<T>(host: Host, question: Question): Promise<T[]> {
  const text = question.text.replace(/;\s*$/, '');
  const lines = await sql(host, { ...question, text: `${READ_ONLY}\nSELECT row_to_json(answer) FROM (${text}) answer;` });
  return lines.map((line) => JSON.parse(line) as T);
}

const READ_ONLY = "SET statement_timeout = '5s'; SET default_transaction_read_only = on;";

/** Table → rows of every table that is not PostgreSQL's own, in one snapshot; tables outside `public` carry their schema's name. */
export async function countRows(host: Host, question: Omit<Question, 'text'>): Promise<Record<string, number>> {
  const lines = await sql(host, { ...question, text: COUNT });
  return Object.fromEntries(lines.map((line) => JSON.parse(line) as [string, number]));
}

/** psql runs what the SELECT prints: one SELECT a table. */
const COUNT = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT format('SELECT json_build_array(%L, count(*)) FROM ONLY %s', CASE WHEN n.nspname = 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END, c.oid::regclass)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1
\\gexec
COMMIT;`;

/** Ends every connection to the service's own database but the asking one. */
export async function endConnections(host: Host, service: string): Promise<void> {
  await sql(host, {
    service,
    text: `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid();`,
  });
}

/** An empty database beside the service's own one; what an earlier crash left of it is dropped first. */
export async function createDatabase(host: Host, service: string, name: string): Promise<void> {
  await dropDatabase(host, service, name);
  await sql(host, { service, text: `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8';`, fine: new Set(['42P04']) });
}

/** Drops a database whoever is connected; nobody can come in meanwhile. Absent already: returns. */
export async function dropDatabase(host: Host, service: string, name: string): Promise<void> {
  await dropWhere(host, service, `datname = '${name}'`);
}

/** Drops all databases whose names begin so. */
export async function dropDatabases(host: Host, service: string, prefix: string): Promise<void> {
  await dropWhere(host, service, `starts_with(datname, '${prefix}')`);
}

async function dropWhere(host: Host, service: string, condition: string): Promise<void> {
  await sql(host, {
    service,
    text: `SELECT format('ALTER DATABASE %I ALLOW_CONNECTIONS false', datname) FROM pg_database WHERE ${condition}
\\gexec
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE ${condition} AND backend_type = 'client backend';
SELECT format('DROP DATABASE IF EXISTS %I', datname) FROM pg_database WHERE ${condition}
\\gexec`,
  });
}

/** Size and row counts of the live database. */
export async function databaseFacts(host: Host, service: string): Promise<{ sizeBytes: number; rowCounts: Record<string, number> }> {
  const [size, ...counts] = await sql(host, { service, text: `SET statement_timeout = '5s';\nSELECT pg_database_size(current_database());\n${COUNT}` });
  return { sizeBytes: Number(size), rowCounts: Object.fromEntries(counts.map((line) => JSON.parse(line) as [string, number])) };
}

/** @see Platform.participants */
export async function readParticipants(host: Host, service: string): Promise<ParticipantRow[]> {
  return (await rows<ParticipantAnswer>(host, { service, text: QUESTION, fine: NO_TABLES })).map(presentRow);
}
