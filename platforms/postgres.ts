// Databases and roles of instances: one role and one database each, and scratch databases that never stay.

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';
import { AppError } from '../contracts/errors.ts';
import { Secret } from './secret.ts';

/** A server on which databases of instances are made. */
export type PostgresServer = {
  /** Role with CREATEDB and CREATEROLE, for example `postgresql://user:pw@localhost/db?host=/run/dir`. */
  readonly adminUrl: Secret;
  /** How instances reach the server: directory of its Unix socket, host name, or `host:port`. */
  readonly instanceHost: string;
};

/** The server that instances share, and the programs for dumps. */
export type PostgresOptions = PostgresServer & {
  /** Where `pg_dump` and `pg_restore` lie; null: on the usual path. */
  readonly binDir: string | null;
};

/** Where and as whom one connects; everything but the password may stand in argv. */
export type DatabaseAddress = { readonly host: string; readonly port: number; readonly database: string; readonly user: string; readonly password: Secret };

const CONNECTIONS_PER_ROLE = 15;
const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOENT', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', '57P03', '57P01', '08006', '08001']);

/**
 * What an instance owns in PostgreSQL. The panel's role only makes and drops; whatever touches *contents* connects as the
 * instance's own role, because a database may hold functions of its owner that run as whoever reads it.
 */
export class InstanceDatabases {
  readonly #options: PostgresOptions;
  readonly #ownServerOf: (instanceId: string) => PostgresServer | null;

  /** @param ownServerOf the server that an instance has for itself; null: it is on the shared one */
  constructor(options: PostgresOptions, ownServerOf: (instanceId: string) => PostgresServer | null = () => null) {
    this.#options = options;
    this.#ownServerOf = ownServerOf;
  }

  get binDir(): string | null {
    return this.#options.binDir;
  }

  /** Makes role and empty database, or sets the role's password anew; existing data stay. @throws database_unreachable, platform_failed */
  async create(instanceId: string, password: Secret): Promise<void> {
    const name = databaseName(instanceId);
    await this.#asAdmin(instanceId, async (admin) => {
      await this.#keepPublicOut(admin);
      const verb = (await isRole(admin, name)) ? 'ALTER' : 'CREATE';
      await admin.query(`${verb} ROLE ${name} LOGIN CONNECTION LIMIT ${CONNECTIONS_PER_ROLE} PASSWORD '${scramVerifier(password)}'`);
      // PostgreSQL 16 gives the maker of a role ADMIN only; owning on its behalf needs membership in every version.
      await admin.query(`GRANT ${name} TO CURRENT_USER`);
      await dropScratch(admin, instanceId);
      if (!(await isDatabase(admin, name))) await createDatabase(admin, name, name);
      await admin.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
    });
  }

  /** An empty database of the instance's role for a trial or a check; what an earlier crash left is dropped first. Returns its name. */
  async createScratch(instanceId: string, purpose: 'try' | 'verify' | 'restore'): Promise<string> {
    const name = `${purpose}_${checkedId(instanceId)}${purpose === 'verify' ? `_${randomBytes(4).toString('hex')}` : ''}`;
    await this.#asAdmin(instanceId, async (admin) => {
      await dropScratch(admin, instanceId);
      await createDatabase(admin, name, databaseName(instanceId));
      await admin.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
    });
    return name;
  }

  /**
   * Puts the scratch database of a restore in the place of the live one, in one transaction: there is always exactly one
   * live database. The old one is dropped afterwards, at once or with the next scratch database.
   */
  async swapRestored(instanceId: string): Promise<void> {
    const name = databaseName(instanceId);
    await this.#asAdmin(instanceId, async (admin) => {
      // A database can only be renamed while nobody is connected.
      await endConnections(admin, name);
      await endConnections(admin, `restore_${instanceId}`);
      await admin.query('BEGIN');
      await admin.query(`ALTER DATABASE ${name} RENAME TO old_${instanceId}`);
      await admin.query(`ALTER DATABASE restore_${instanceId} RENAME TO ${name}`);
      await admin.query('COMMIT');
      // From here on the restore is done, whether or not the old one could be dropped just now.
      await dropScratch(admin, instanceId).catch(() => undefined);
    });
  }

  async dropScratch(instanceId: string): Promise<void> {
    await this.#asAdmin(instanceId, (admin) => dropScratch(admin, instanceId));
  }

  /** Drops databases and role, ending whoever is connected. Absent already: returns. */
  async drop(instanceId: string): Promise<void> {
    const name = databaseName(instanceId);
    await this.#asAdmin(instanceId, async (admin) => {
      await dropScratch(admin, instanceId);
      await dropDatabase(admin, name);
      await admin.query(`DROP ROLE IF EXISTS ${name}`);
    });
  }

  /** Whether the server that instances share has a database of this one, wherever its data are now. @throws database_unreachable */
  async isOnShared(instanceId: string): Promise<boolean> {
    return await asAdminOf(this.#options, (admin) => isDatabaseOf(admin, instanceId));
  }

  /** Folder of the Unix socket by which an instance reaches its server; null: by a network. */
  socketDirOf(instanceId: string): string | null {
    return socketDirOf(this.#serverOf(instanceId));
  }

  /** Ends every connection to the instance's database, so that nobody's idle transaction blocks a reset. */
  async endConnections(instanceId: string): Promise<void> {
    await this.#asAdmin(instanceId, async (admin) => {
      await endConnections(admin, databaseName(instanceId));
    });
  }

  /** Size and row counts of the live database. @throws database_unreachable */
  async facts(instanceId: string, password: Secret): Promise<{ sizeBytes: number; rowCounts: Record<string, number> }> {
    return await withClient(this.addressOf(instanceId, password), async (client) => {
      await client.query("SET statement_timeout = '2s'; BEGIN READ ONLY");
      const size = await client.query<{ size: string }>('SELECT pg_database_size(current_database()) AS size');
      return { sizeBytes: Number(size.rows[0]?.size ?? 0), rowCounts: await countRows(client) };
    });
  }

  /** Address of the live database, or of a scratch one by its name. */
  addressOf(instanceId: string, password: Secret, database = databaseName(instanceId)): DatabaseAddress {
    const server = this.#serverOf(instanceId);
    const { host, port } = splitHost(server.instanceHost, new pg.Client({ connectionString: server.adminUrl.open() }).port);
    return { host, port, database, user: databaseName(instanceId), password };
  }

  /** The same `DATABASE_URL` for somewhere else, where the server stands behind `hostAndPort`. */
  urlBehind(instanceId: string, password: Secret, hostAndPort: string): Secret {
    const name = databaseName(instanceId);
    return new Secret(`postgresql://${name}:${encodeURIComponent(password.open())}@${hostAndPort}/${name}`);
  }

  /** `DATABASE_URL` for oTree (SQLAlchemy 1.3.22 passes the query's `host` to the driver, so a Unix socket works). */
  urlOf(instanceId: string, password: Secret, database?: string): Secret {
    const address = this.addressOf(instanceId, password, database);
    const login = `${address.user}:${encodeURIComponent(password.open())}`;
    const isSocket = address.host.startsWith('/');
    const place = isSocket ? `localhost:${address.port}` : `${address.host}:${address.port}`;
    return new Secret(`postgresql://${login}@${place}/${address.database}${isSocket ? `?host=${encodeURIComponent(address.host)}` : ''}`);
  }

  /** By default everybody may connect to the panel's own database; only its owner can change that. */
  async #keepPublicOut(admin: pg.Client): Promise<void> {
    const found = await admin.query<{ name: string }>(
      'SELECT quote_ident(current_database()) AS name FROM pg_database WHERE datname = current_database() AND pg_has_role(datdba, $1)',
      ['USAGE'],
    );
    const name = found.rows[0]?.name;
    if (name === undefined) return;
    // Every instance that is made changes this one row: two at once, and PostgreSQL ends one with "tuple concurrently updated".
    await admin.query('BEGIN');
    await admin.query("SELECT pg_advisory_xact_lock(hashtext('arboretum public'))");
    await admin.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
    await admin.query('COMMIT');
  }

  #serverOf(instanceId: string): PostgresServer {
    return this.#ownServerOf(instanceId) ?? this.#options;
  }

  async #asAdmin<T>(instanceId: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
    return await asAdminOf(this.#serverOf(instanceId), work);
  }
}

/** Folder of a server's Unix socket; null: it is reached by a network. */
export const socketDirOf = ({ instanceHost }: Pick<PostgresServer, 'instanceHost'>): string | null => (instanceHost.startsWith('/') ? instanceHost : null);

/** Runs `work` as the role that makes and drops databases on a server. @throws database_unreachable, platform_failed */
export async function asAdminOf<T>({ adminUrl }: PostgresServer, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  return await inConnection(new pg.Client({ connectionString: adminUrl.open(), connectionTimeoutMillis: 5000 }), work);
}

/** Runs `work` on one connection and always closes it. @throws database_unreachable, platform_failed */
export async function withClient<T>(address: DatabaseAddress, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { host, port, database, user, password } = address;
  return await inConnection(new pg.Client({ host, port, database, user, password: password.open(), connectionTimeoutMillis: 5000 }), work);
}

/** Table → rows of every table that is not PostgreSQL's own; tables outside `public` carry their schema's name. */
export async function countRows(client: pg.Client): Promise<Record<string, number>> {
  const tables = await client.query<{ name: string; quoted: string }>(
    `SELECT CASE WHEN n.nspname = 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS name, c.oid::regclass::text AS quoted
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1`,
  );
  if (tables.rows.length === 0) return {};
  const counts = await client.query<{ at: number; rows: string }>(
    tables.rows.map(({ quoted }, at) => `SELECT ${at} AS at, count(*) AS rows FROM ONLY ${quoted}`).join(' UNION ALL '),
  );
  const byPlace = new Map(counts.rows.map(({ at, rows }) => [at, Number(rows)]));
  return Object.fromEntries(tables.rows.map(({ name }, at) => [name, byPlace.get(at) ?? 0]));
}

async function inConnection<T>(client: pg.Client, work: (client: pg.Client) => Promise<T>): Promise<T> {
  client.on('error', () => {}); // a server that goes away ends the query with an error of its own
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw explainDatabaseError(error);
  } finally {
    await client.end().catch(() => {});
  }
}

/** The error of the table that a failure of PostgreSQL means; what is no such failure comes back as it is. */
export function explainDatabaseError(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (UNREACHABLE.has(code) || /timeout expired|Connection terminated/.test(error.message)) return new AppError('database_unreachable', {}, { cause: error });
  return error instanceof pg.DatabaseError ? new AppError('platform_failed', { reason: `PostgreSQL says “${error.message}”.` }, { cause: error }) : error;
}

const checkedId = (instanceId: string): string => {
  if (!/^[a-z0-9]{1,40}$/.test(instanceId)) throw new Error(`not an instance id: ${instanceId}`);
  return instanceId;
};

const databaseName = (instanceId: string): string => `i_${checkedId(instanceId)}`;

const isRole = async (admin: pg.Client, name: string): Promise<boolean> =>
  (await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name])).rows.length > 0;

const isDatabase = async (admin: pg.Client, name: string): Promise<boolean> =>
  (await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])).rows.length > 0;

/** Whether a server has the live database of an instance. */
export const isDatabaseOf = async (admin: pg.Client, instanceId: string): Promise<boolean> => await isDatabase(admin, databaseName(instanceId));

const createDatabase = async (admin: pg.Client, name: string, owner: string): Promise<void> => {
  await admin.query(`CREATE DATABASE ${name} OWNER ${owner} TEMPLATE template0 ENCODING 'UTF8'`);
};

async function dropScratch(admin: pg.Client, instanceId: string): Promise<void> {
  const id = checkedId(instanceId);
  // `old_` is what a restore has replaced: it exists only when the live one is in its place.
  const found = await admin.query<{ datname: string }>('SELECT datname FROM pg_database WHERE datname = ANY($1) OR datname ~ $2', [
    [`try_${id}`, `restore_${id}`, `old_${id}`],
    `^verify_${id}_[0-9a-f]+$`,
  ]);
  for (const { datname } of found.rows) await dropDatabase(admin, datname);
}

/** Drops a database whoever is connected. */
async function dropDatabase(admin: pg.Client, name: string): Promise<void> {
  try {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== '42501') throw error;
    // FORCE is refused while autovacuum is in there, whose worker only a plain DROP may end (PostgreSQL 15 procarray.c).
    await endConnections(admin, name);
    await admin.query(`DROP DATABASE IF EXISTS ${name}`);
  }
}

/** Ends the connections of roles that are ours to end: instances' own and the panel's. */
const endConnections = async (admin: pg.Client, database: string): Promise<void> => {
  await admin.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = $1 AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND pg_has_role(usesysid, 'USAGE')`,
    [database],
  );
};

function splitHost(instanceHost: string, adminPort: number): { host: string; port: number } {
  const named = /^([^/].*):(\d+)$/.exec(instanceHost);
  return named === null ? { host: instanceHost, port: adminPort } : { host: named[1] ?? '', port: Number(named[2]) };
}

/** What PostgreSQL stores instead of the password (RFC 5803), made here so that no server log can ever hold the password itself. */
export function scramVerifier(password: Secret): string {
  const [iterations, salt] = [4096, randomBytes(16)];
  const salted = pbkdf2Sync(password.open().normalize('NFKC'), salt, iterations, 32, 'sha256');
  const sign = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(sign('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${sign('Server Key').toString('base64')}`;
}
