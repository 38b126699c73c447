// Prisma's schema engine as WebAssembly: turns two schema texts into SQL, without a database and without a download.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const enginePackage = '@prisma/schema-engine-wasm/schema_engine_bg';

/**
 * SQL that leads from one Prisma schema to another; `from` = null means an empty database. Empty string: nothing to do.
 * @throws with the engine's own words when a schema is not valid
 */
export async function diffSchemas(from: string | null, to: string): Promise<string> {
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg').catch((error: unknown) => {
    throw new Error(
      'Not installed: npm i -D --save-exact @prisma/schema-engine-wasm@7.10.0-4.0edf323efd1d98336f3f0a68684b56f689b900d3 (the version of @prisma/engines-version).',
      { cause: error },
    );
  });
  const wasmFile = fileURLToPath(new URL('schema_engine_bg.wasm', import.meta.resolve(enginePackage)));
  const { instance } = await WebAssembly.instantiate(readFileSync(wasmFile), { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  (instance.exports['__wbindgen_start'] as () => void)();
  const engine = await bindings.SchemaEngine.new({ datamodels: [['schema.prisma', to]] }, () => undefined, adapterWithoutDatabase);
  const target = (text: string) => ({ tag: 'schemaDatamodel' as const, files: [{ path: 'schema.prisma', content: text }] });
  const result = await engine.diff({
    from: from === null ? { tag: 'empty' } : target(from),
    to: target(to),
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  });
  const sql = (result.stdout ?? '').trim();
  return sql === '-- This is an empty migration.' ? '' : `${sql}\n`;
}

const ok = <T>(value: T) => ({ ok: true, value });

/** Column types of the engine's protocol: boolean, text, 32-bit integer. */
const columnTypes = [5, 7, 0];

/**
 * The engine asks its connection only one thing before a diff: does the schema exist, and which version is the server?
 * This stand-in answers as a PostgreSQL 15, so that writing a migration needs no server.
 */
const connection = {
  provider: 'postgres',
  adapterName: 'none',
  getConnectionInfo: () => ok({ schemaName: 'public', supportsRelationJoins: true }),
  queryRaw: () => Promise.resolve(ok({ columnTypes, columnNames: ['exists', 'version', 'numeric_version'], rows: [[true, 'PostgreSQL 15.0', 150_000]] })),
  executeRaw: () => Promise.resolve(ok(0)),
  executeScript: () => Promise.resolve(ok(undefined)),
  startTransaction: () => Promise.reject(new Error('There is no database behind this connection.')),
  dispose: () => Promise.resolve(ok(undefined)),
};
const adapterWithoutDatabase = {
  provider: 'postgres',
  adapterName: 'none',
  errorRegistry: { consumeError: () => undefined },
  connect: () => Promise.resolve(ok(connection)),
  connectToShadowDb: () => Promise.resolve(ok(connection)),
};
