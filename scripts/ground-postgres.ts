// The panel's own PostgreSQL: one cluster under DATA_DIR, reached only over a Unix socket. Makes, starts, looks after, stops it.

import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Layout } from '../platforms/layout.ts';
import type { Accounts } from './accounts.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';
import { preparePanelDatabase } from './postgres-roles.ts';
import { StartProblem } from './problem.ts';
import { runDaemon, runOrThrow } from './run.ts';
import { deriveSecret } from './service-secrets.ts';

export type PostgresGround = {
  readonly layout: Layout;
  readonly accounts: Accounts;
  /** Folder of initdb, pg_ctl, postgres, psql. */
  readonly bin: string;
};

const settings = (layout: Layout): string => `# Written by Arboretum at every start. Own settings go into postgresql.auto.conf (ALTER SYSTEM), which wins.
listen_addresses = ''
port = 5432
unix_socket_directories = '${layout.postgresSocketDir}'
unix_socket_permissions = 0777
password_encryption = 'scram-sha-256'
# An idle oTree holds up to three; a busy one, a backup and a trial more. A hundred instances are meant to fit.
max_connections = 1000
# Memory is set aside for the product of the two: as much as PostgreSQL's own 100 times 64, three times over.
max_locks_per_transaction = 20
# Nothing here is serializable; what would be still has as many as with PostgreSQL’s own figures.
max_pred_locks_per_transaction = 10
shared_buffers = 64MB
# Many small databases: parallel queries would only take connections and shared memory from others.
max_parallel_workers_per_gather = 0
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] %q%u@%d '
timezone = 'UTC'
log_timezone = 'UTC'
`;

/** Major version of the data, or null when there are none. */
export function dataMajor(layout: Layout): number | null {
  const file = path.join(layout.postgresDir, 'PG_VERSION');
  return existsSync(file) ? Number(readFileSync(file, 'utf8').trim()) : null;
}

/**
 * Brings the server up (making the cluster at the first start) and returns the panel's DATABASE_URL.
 * Running already: nothing is restarted.
 * @param key the panel's key; the role's password comes from it
 * @throws StartProblem when the programs are of another major version than the data, or the server does not start
 */
export async function startPostgres(ground: PostgresGround, key: Buffer): Promise<string> {
  await ensureCluster(ground);
  await keepPostgres(ground);
  const password = deriveSecret(key, 'postgres role arboretum');
  await preparePanelDatabase({ bin: ground.bin, socketDir: ground.layout.postgresSocketDir, account: ground.accounts?.postgres ?? null, password });
  return ownDatabaseUrl(ground.layout, key);
}

/** The panel's DATABASE_URL on its own server. */
export const ownDatabaseUrl = (layout: Layout, key: Buffer): string =>
  `postgresql://arboretum:${deriveSecret(key, 'postgres role arboretum')}@localhost/arboretum?host=${encodeURIComponent(layout.postgresSocketDir)}`;

/** Starts the server when it is not running. Returns whether it had to. */
export async function keepPostgres(ground: PostgresGround): Promise<boolean> {
  const { layout, accounts, bin } = ground;
  if (findPostmaster(layout) !== null) return false;
  forgetStalePid(layout);
  touchLog(ground);
  const args = ['start', '-D', layout.postgresDir, '-l', layout.postgresLog, '-w', '-t', '60', '-s'];
  const { exitCode, output } = await runDaemon({ file: path.join(bin, 'pg_ctl'), args, account: accounts?.postgres ?? null, timeoutMs: 90_000 });
  if (exitCode !== 0 && findPostmaster(layout) === null) {
    const lines = readFileSync(layout.postgresLog, 'utf8').trim().split('\n').slice(-3).join('\n');
    throw new StartProblem(`PostgreSQL did not start: ${output.trim()}\n${lines}`, `Its log is ${layout.postgresLog}.`);
  }
  return true;
}

/** The running server of this layout, else null. */
export function findPostmaster(layout: Layout): ProcessIdentity | null {
  const pid = notedPid(layout);
  return pid !== null && isOurs(layout, pid) ? identify(pid) : null;
}

/** Ends it (sessions are cut, nothing is lost). Returns whether it ran. */
export async function stopPostgres(ground: PostgresGround): Promise<boolean> {
  if (findPostmaster(ground.layout) === null) return false;
  const args = ['stop', '-D', ground.layout.postgresDir, '-m', 'fast', '-w', '-t', '60', '-s'];
  await runOrThrow({ file: path.join(ground.bin, 'pg_ctl'), args, account: ground.accounts?.postgres ?? null, timeoutMs: 90_000 }, 'stopping PostgreSQL');
  return true;
}

/**
 * Makes the cluster where there is none, and writes its settings; starts nothing.
 * @throws StartProblem when the programs are of another major version than the data
 */
export async function ensureCluster(ground: PostgresGround): Promise<void> {
  const { layout, bin } = ground;
  const major = dataMajor(layout);
  if (major === null) await makeCluster(ground);
  else await checkMajor(bin, major);
  const superuser = ground.accounts === null ? (await runOrThrow({ file: 'id', args: ['-un'] }, 'asking who we are')).trim() : 'postgres';
  writeOwned(ground, 'arboretum.conf', settings(layout));
  // The superuser is whoever has its id on this machine; everybody else shows a password.
  writeOwned(ground, 'pg_hba.conf', `# Written by Arboretum at every start.\nlocal all "${superuser}" peer\nlocal all all scram-sha-256\n`);
}

/** `initdb` beside the place and renamed into it: what lies at `postgres` is always whole, whenever we were interrupted. */
async function makeCluster(ground: PostgresGround): Promise<void> {
  const { layout, accounts, bin } = ground;
  const draft = `${layout.postgresDir}.new`;
  rmSync(draft, { recursive: true, force: true });
  if (existsSync(layout.postgresDir) && readdirSync(layout.postgresDir).length > 0)
    renameSync(layout.postgresDir, `${layout.postgresDir}.unfinished-${Date.now()}`);
  rmSync(layout.postgresDir, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  if (accounts !== null) chownSync(draft, accounts.postgres.uid, accounts.postgres.gid);
  const user = accounts === null ? [] : ['-U', 'postgres'];
  const args = ['-D', draft, ...user, '--auth-local=peer', '--auth-host=reject', '--encoding=UTF8', '--locale=C.UTF-8', '--data-checksums'];
  await runOrThrow({ file: path.join(bin, 'initdb'), args, account: accounts?.postgres ?? null, timeoutMs: 120_000 }, 'initdb');
  const file = path.join(draft, 'postgresql.conf');
  writeFileSync(file, `${readFileSync(file, 'utf8')}\ninclude_if_exists 'arboretum.conf'\n`);
  renameSync(draft, layout.postgresDir);
}

async function checkMajor(bin: string, major: number): Promise<void> {
  const version = await runOrThrow({ file: path.join(bin, 'postgres'), args: ['--version'] }, 'postgres --version');
  const installed = Number(/(\d+)/.exec(version)?.[1]);
  if (installed === major) return;
  throw new StartProblem(
    `The data were made by PostgreSQL ${major}, but PostgreSQL ${installed} is installed.`,
    `Install PostgreSQL ${major} beside it (Debian: apt install postgresql-${major}) and start again; docs/running.md says how to move the data to ${installed}.`,
  );
}

function writeOwned({ layout, accounts }: PostgresGround, name: string, content: string): void {
  const file = path.join(layout.postgresDir, name);
  if (existsSync(file) && readFileSync(file, 'utf8') === content) return;
  writeFileSync(file, content, { mode: 0o600 });
  if (accounts !== null) chownSync(file, accounts.postgres.uid, accounts.postgres.gid);
}

/** pg_ctl appends to the log as the server's user, who may not make files in logs/. */
function touchLog({ layout, accounts }: PostgresGround): void {
  mkdirSync(path.dirname(layout.postgresLog), { recursive: true });
  if (statSync(layout.postgresLog, { throwIfNoEntry: false }) === undefined) writeFileSync(layout.postgresLog, '', { mode: 0o600 });
  if (accounts !== null) chownSync(layout.postgresLog, accounts.postgres.uid, accounts.postgres.gid);
}

const pidFile = (layout: Layout): string => path.join(layout.postgresDir, 'postmaster.pid');

function notedPid(layout: Layout): number | null {
  try {
    const pid = Number(readFileSync(pidFile(layout), 'utf8').split('\n')[0]);
    return Number.isInteger(pid) && pid > 1 ? pid : null;
  } catch {
    return null;
  }
}

/** After a reboot the noted number may belong to another program, which PostgreSQL would take for a running server. */
function forgetStalePid(layout: Layout): void {
  const pid = notedPid(layout);
  if (pid !== null && identify(pid) !== null && !isOurs(layout, pid)) rmSync(pidFile(layout), { force: true });
}

function isOurs(layout: Layout, pid: number): boolean {
  if (process.platform !== 'linux') return identify(pid) !== null;
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return (argv[0] ?? '').endsWith('postgres') && argv.includes(layout.postgresDir);
  } catch {
    return false;
  }
}
