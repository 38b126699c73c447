// The contract's questions about databases, where instances live in the panel's own PostgreSQL.

import pg from 'pg';
import type { InstanceSpec } from '../../platforms/platform.ts';
import { askPostgres } from './instances.ts';
import { requireEnvironment } from './local-stand.ts';
import type { HeldTransaction, PlatformStand } from './stand.ts';

const adminUrl = (): string => requireEnvironment('ARBORETUM_TEST_DATABASE_URL');
const nameOf = (spec: InstanceSpec): string => `i_${spec.instanceId}`;
const ask = async (database: string | null, text: string) => (await askPostgres(adminUrl(), database, text)).rows;

type Databases = Omit<PlatformStand, 'platform' | 'traits' | 'countProcesses' | 'leftovers' | 'crash' | 'close'>;

export const localDatabases: Databases = {
  sql: async (spec, text) => {
    // One statement after the other, as one answer each.
    const answers: unknown = await askPostgres(adminUrl(), nameOf(spec), `SET ROLE ${nameOf(spec)}; ${text}`);
    return (answers as pg.QueryResult<Record<string, unknown>>[]).at(-1)?.rows ?? [];
  },
  roleOf: async (spec) => nameOf(spec),
  databases: async ({ instanceId }) =>
    (await ask(null, `SELECT datname FROM pg_database WHERE datname LIKE '%${instanceId}%' ORDER BY 1`)).map((row) => String(row['datname'])),
  restingDatabases: async (spec) => [nameOf(spec)],
  isClosed: async (spec) => {
    const rights = await ask(null, `SELECT NOT has_database_privilege('public', oid, 'CONNECT') AS closed FROM pg_database WHERE datname = '${nameOf(spec)}'`);
    return rights[0] === undefined ? null : rights[0]['closed'] === true;
  },
  countConnections: async (spec) =>
    (await ask(null, `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = '${nameOf(spec)}'`)).length,
  cutConnections: async (spec) => {
    await ask(null, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = '${nameOf(spec)}'`);
  },
  holdTransaction: async (spec) => await holdTransaction(spec),
  leavesScratch: async ({ instanceId }) => {
    await ask(null, `CREATE DATABASE try_${instanceId}`);
    await ask(null, `CREATE DATABASE verify_${instanceId}_00ff00ff`);
  },
  leavesRestore: async ({ instanceId }) => {
    await ask(null, `CREATE DATABASE restore_${instanceId}`);
    await ask(null, `CREATE DATABASE old_${instanceId}`);
  },
};

async function holdTransaction(spec: InstanceSpec): Promise<HeldTransaction> {
  const address = new URL(adminUrl());
  address.pathname = `/${nameOf(spec)}`;
  const client = new pg.Client({ connectionString: address.href });
  const cut = new Promise((resolve) => client.on('error', resolve));
  await client.connect();
  await client.query(`SET ROLE ${nameOf(spec)}; BEGIN; SELECT * FROM otree_session`);
  return { cut, close: async () => await client.end().catch(() => {}) };
}

/** The instance's role, when it is still there. */
export const rolesLeft = async (spec: InstanceSpec): Promise<string[]> =>
  (await ask(null, `SELECT rolname FROM pg_roles WHERE rolname = '${nameOf(spec)}'`)).map((row) => `role ${String(row['rolname'])}`);
