// A way into the live database that can be shut for good: a run that nobody hears of any more must not empty it later.

import { randomBytes } from 'node:crypto';
import { type Host, passRole } from './host.ts';
import { sql } from './sql.ts';

/** A live database, and the address by which the experiment reaches it. */
export type PassTask = { readonly instanceId: string; readonly service: string };

/**
 * Makes a role that is good for one run and acts as the database's own role, so that what it makes belongs to that one.
 * Earlier passes are shut. @returns the address with this role in it
 */
export async function openPass(host: Host, task: PassTask, address: string): Promise<string> {
  await shutPass(host, task);
  const [role, password] = [passRole(task.instanceId), randomBytes(24).toString('hex')];
  await sql(host, {
    service: task.service,
    text: `BEGIN;
CREATE ROLE ${role} LOGIN PASSWORD '${password}';
SELECT format('GRANT %I TO ${role}', current_user)
\\gexec
SELECT format('ALTER ROLE ${role} SET role TO %L', current_user)
\\gexec
COMMIT;`,
    // Sent once more after the connection broke: the role is there, with the same password.
    fine: new Set(['42710']),
  });
  return address.replace(/^(\w+:\/\/)[^@]*@/, `$1${role}:${password}@`);
}

/** Whoever holds a pass is cut off and cannot come in again. None there: returns. */
export async function shutPass(host: Host, { instanceId, service }: PassTask): Promise<void> {
  const role = passRole(instanceId);
  await sql(host, {
    service,
    text: `SELECT format('ALTER ROLE %I NOLOGIN', rolname) FROM pg_roles WHERE rolname = '${role}'
\\gexec
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '${role}';
DROP ROLE IF EXISTS ${role};`,
  });
}
