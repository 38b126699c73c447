// The panel's role and database in its own PostgreSQL, made or set right as the superuser.

import path from 'node:path';
import { runOrThrow, type Account } from './run.ts';

export type Cluster = { readonly bin: string; readonly socketDir: string; readonly account: Account | null; readonly password: string };

/**
 * Role `arboretum` (may make databases and roles, is no superuser) owning the database `arboretum`; everybody else is kept
 * out of the panel's and the maintenance databases. May be repeated.
 */
export async function preparePanelDatabase(cluster: Cluster): Promise<void> {
  // The statement with the password must not appear in the server's log, not even when it fails.
  await sql(
    cluster,
    `SET log_statement = 'none'; SET log_min_error_statement = 'panic'; SET log_min_duration_statement = -1;
SELECT 'CREATE ROLE arboretum' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'arboretum') \\gexec
ALTER ROLE arboretum LOGIN CREATEDB CREATEROLE NOSUPERUSER NOREPLICATION PASSWORD '${cluster.password}';
SELECT 'CREATE DATABASE arboretum OWNER arboretum TEMPLATE template0 ENCODING ''UTF8''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'arboretum') \\gexec
REVOKE ALL ON DATABASE arboretum, postgres, template1 FROM PUBLIC;
`,
  );
}

/** psql reads the statements from its standard input: nothing of them stands in argv. */
async function sql({ bin, socketDir, account }: Cluster, statements: string): Promise<void> {
  const args = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', socketDir, '-p', '5432', '-d', 'postgres'];
  await runOrThrow(
    { file: path.join(bin, 'psql'), args, account, input: statements, env: { PGOPTIONS: '-c client_min_messages=warning' } },
    'preparing the panel’s database',
  );
}
