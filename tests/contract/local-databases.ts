// The contract's questions about databases, where a panel of this machine makes them: on one server, or on one for each instance.

import pg from 'pg';
import type { InstanceSpec } from '../../platforms/platform.ts';
import { askPostgres } from './instances.ts';
import { requireEnvironment } from './local-stand.ts';
import type { HeldTransaction, PlatformStand } from './stand.ts';

type Named = Pick<InstanceSpec, 'instanceId'>;
const shared = (): string => requireEnvironment('ARBORETUM_TEST_DATABASE_URL');
const nameOf = (spec: Named): string => `i_${spec.instanceId}`;

type Databases = Omit<PlatformStand, 'platform' | 'traits' | 'countProcesses' | 'leftovers' | 'crash' | 'close'>;

/** @param adminUrlOf address of the server of an instance, for a role that may do all there */
export function databasesAt(adminUrlOf: (spec: Named) => string): Databases {
  const ask = async (spec: Named, database: string | null, text: string) => (await askPostgres(adminUrlOf(spec), database, text)).rows;
  return {
    sql: async (spec, text) => {
      // One statement after the other, as one answer each.
      const answers: unknown = await askPostgres(adminUrlOf(spec), nameOf(spec), `SET ROLE ${nameOf(spec)}; ${text}`);
      return (answers as pg.QueryResult<Record<string, unknown>>[]).at(-1)?.rows ?? [];
    },
    roleOf: async (spec) => nameOf(spec),
    databases: async (spec) =>
      (await ask(spec, null, `SELECT datname FROM pg_database WHERE datname LIKE '%${spec.instanceId}%' ORDER BY 1`)).map((row) => String(row['datname'])),
    restingDatabases: async (spec) => [nameOf(spec)],
    isClosed: async (spec) => {
      const rights = await ask(
        spec,
        null,
        `SELECT NOT has_database_privilege('public', oid, 'CONNECT') AS closed FROM pg_database WHERE datname = '${nameOf(spec)}'`,
      );
      return rights[0] === undefined ? null : rights[0]['closed'] === true;
    },
    countConnections: async (spec) =>
      (await ask(spec, null, `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = '${nameOf(spec)}'`)).length,
    cutConnections: async (spec) => {
      await ask(spec, null, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = '${nameOf(spec)}'`);
    },
    holdTransaction: async (spec) => await holdTransaction(spec, adminUrlOf(spec)),
    leavesScratch: async (spec) => {
      await ask(spec, null, `CREATE DATABASE try_${spec.instanceId}`);
      await ask(spec, null, `CREATE DATABASE verify_${spec.instanceId}_00ff00ff`);
    },
    leavesRestore: async (spec) => {
      await ask(spec, null, `CREATE DATABASE restore_${spec.instanceId}`);
      await ask(spec, null, `CREATE DATABASE old_${spec.instanceId}`);
    },
  };
}

/** On the server of the test run. */
export const localDatabases: Databases = databasesAt(shared);

async function holdTransaction(spec: Named, adminUrl: string): Promise<HeldTransaction> {
  const address = new URL(adminUrl);
  address.pathname = `/${nameOf(spec)}`;
  const client = new pg.Client({ connectionString: address.href });
  const cut = new Promise((resolve) => client.on('error', resolve));
  await client.connect();
  await client.query(`SET ROLE ${nameOf(spec)}; BEGIN; SELECT * FROM otree_session`);
  return { cut, close: async () => await client.end().catch(() => {}) };
}

/** The instance's role, when it is still there. */
export const rolesLeft = async (spec: InstanceSpec): Promise<string[]> =>
  (await askPostgres(shared(), null, `SELECT rolname FROM pg_roles WHERE rolname = '${nameOf(spec)}'`)).rows.map((row) => `role ${String(row['rolname'])}`);
