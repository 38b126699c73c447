// What the tables of a live database lack for a new version, by PostgreSQL's own catalogues.

import type pg from 'pg';
import type { InstanceSpec } from './platform.ts';
import type { SchemaGap } from './release.ts';
import { type InstanceDatabases, withClient } from './postgres.ts';

export type Column = { readonly table: string; readonly column: string; readonly type: string; readonly isRequired: boolean; readonly hasDefault: boolean };

/**
 * Compares the tables that a release has just made in a scratch database with those of the live one.
 * @param scratch name of the scratch database
 */
export async function compareWithScratch(databases: InstanceDatabases, spec: InstanceSpec, scratch: string): Promise<SchemaGap[]> {
  const read = (database?: string): Promise<Column[]> => withClient(databases.addressOf(spec.instanceId, spec.databasePassword, database), readColumns);
  const [wanted, found] = [await read(scratch), await read()];
  return findGaps(wanted, found);
}

/**
 * What would make oTree fail on tables it finds. It makes tables that are not there by itself and leaves alone what it does
 * not know, so new tables and left-over ones do no harm; neither do left-over columns, unless they must be filled.
 */
export function findGaps(wanted: readonly Column[], found: readonly Column[]): SchemaGap[] {
  const keyOf = ({ table, column }: Column): string => JSON.stringify([table, column]);
  const there = new Map(found.map((column) => [keyOf(column), column]));
  const known = new Set(wanted.map(keyOf));
  const [wantedTables, foundTables] = [wanted, found].map((columns) => new Set(columns.map(({ table }) => table)));
  const gaps = wanted.flatMap((want): SchemaGap[] => {
    const { table, column, type } = want;
    const have = there.get(keyOf(want));
    if (have === undefined) return foundTables?.has(table) ? [{ kind: 'missing', table, column, wanted: type, found: null }] : [];
    if (have.isRequired && !want.isRequired) return [{ kind: 'required', table, column, wanted: null, found: have.type }];
    return fits(type, have.type) ? [] : [{ kind: 'changed', table, column, wanted: type, found: have.type }];
  });
  const required = found.filter((have) => have.isRequired && !have.hasDefault && wantedTables?.has(have.table) && !known.has(keyOf(have)));
  return [...gaps, ...required.map(({ table, column, type }): SchemaGap => ({ kind: 'required', table, column, wanted: null, found: type }))];
}

/** Equal, or text that is at least as long. */
function fits(wanted: string, found: string): boolean {
  const [want, have] = [wanted, found].map(lengthOf);
  return wanted === found || (want !== null && have !== null && want !== undefined && have !== undefined && have >= want);
}

/** Longest text of a type in characters; null when it is no text. */
function lengthOf(type: string): number | null {
  if (type === 'text' || type === 'character varying') return Infinity;
  const length = /^character varying\((\d+)\)$/.exec(type);
  return length === null ? null : Number(length[1]);
}

async function readColumns(client: pg.Client): Promise<Column[]> {
  await client.query("SET statement_timeout = '5s'; SET default_transaction_read_only = on");
  const found = await client.query<Column>(COLUMNS);
  return found.rows;
}

/** Every column of the tables in `public`, as `Column`s. */
export const COLUMNS = `SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "isRequired",
            a.atthasdef OR a.attidentity <> '' AS "hasDefault"
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum`;
