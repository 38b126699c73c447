// postgres:* of the replay host: what the plugin prints is recorded, its databases and psql, pg_dump, pg_restore are real.
//
// A real service is a server of its own; here each one is a role and a database in the PostgreSQL of the tests.

import { spawn } from 'node:child_process';
import { type AddressInfo, connect as connectSocket, createServer, type Server } from 'node:net';
import path from 'node:path';
import pg from 'pg';
import { argumentsOf, type Call, passOn, Refused, say, Unrecorded } from './replay-call.ts';
import { rewriteConfig, settingLines } from './replay-config.ts';
import { recorded } from './replay-recordings.ts';
import { type App, hex, type Service, type State } from './replay-state.ts';

/** The PostgreSQL of the tests as containers see it: over TCP on the loopback, whatever it listens on itself. */
export type PostgresDoor = { readonly host: string; readonly port: number; ask: (sql: string) => Promise<readonly string[]>; close: () => Promise<void> };

/** Opens a loopback port before the PostgreSQL of the tests, since an app's `DATABASE_URL` names a host and a port. */
export async function openPostgresDoor(adminUrl: string): Promise<PostgresDoor> {
  const url = new URL(adminUrl);
  const socketDir = url.searchParams.get('host');
  const target = socketDir === null ? { host: url.hostname, port: Number(url.port || '5432') } : { path: `${socketDir}/.s.PGSQL.${url.port || '5432'}` };
  const server = createServer({ noDelay: true }, (inner) => {
    const outer = connectSocket({ ...target, noDelay: true });
    outer.on('error', () => inner.destroy());
    inner.on('error', () => outer.destroy());
    inner.pipe(outer).pipe(inner);
    inner.on('close', () => outer.destroy());
    outer.on('close', () => inner.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const pool = new pg.Pool({ connectionString: adminUrl, max: 2 });
  pool.on('error', () => {});
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    // The first column of every row.
    ask: async (sql) => (await pool.query<[string]>({ text: sql, rowMode: 'array' })).rows.map(([first]) => first),
    close: async () => {
      await pool.end();
      await closeServer(server);
    },
  };
}

/** Stops listening; connections that are still open do not hold it up. */
export async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}

/** Services that are just being made. */
const making = new Set<string>();

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

async function makeService(door: PostgresDoor, name: string): Promise<Service> {
  const database = name.replaceAll(/[.-]/g, '_');
  const [role, password] = [quoted(database), hex(32)];
  await door.ask(`CREATE ROLE ${role} LOGIN CREATEDB CREATEROLE PASSWORD '${password}'`);
  // A real service's role is its superuser, but only there: this one may do what a superuser does to its own clients.
  await door.ask(`GRANT pg_signal_backend TO ${role}`);
  await door.ask(`GRANT ${role} TO current_user`);
  await door.ask(`CREATE DATABASE ${role} OWNER ${role} TEMPLATE template0 ENCODING 'utf8'`);
  const url = `postgres://${database}:${password}@${door.host}:${door.port}/${database}`;
  return { name, database, password, url, id: hex(64), links: new Set() };
}

/** Removes the role with every database that it owns, and the roles that it made: a real service takes all of it with it. */
export async function dropService(door: PostgresDoor, { database }: Service): Promise<void> {
  const owned = await door.ask(`SELECT datname FROM pg_database WHERE pg_get_userbyid(datdba) = '${database}'`);
  for (const name of owned) await dropDatabase(door, name);
  const members = await door.ask(
    `SELECT m.member::regrole::text FROM pg_auth_members m WHERE m.roleid = '${database}'::regrole AND m.member::regrole::text <> current_user`,
  );
  for (const member of members) await door.ask(`DROP ROLE ${member}`);
  await door.ask(`DROP ROLE ${quoted(database)}`);
}

/** FORCE is refused while autovacuum is in there; a plain DROP ends that. */
async function dropDatabase(door: PostgresDoor, name: string): Promise<void> {
  try {
    await door.ask(`DROP DATABASE ${quoted(name)} WITH (FORCE)`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== '42501') throw error;
    await door.ask(`ALTER DATABASE ${quoted(name)} ALLOW_CONNECTIONS false`);
    await door.ask(
      `SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE datname = '${name}' AND backend_type = 'client backend' AND pg_has_role(usesysid, 'USAGE')`,
    );
    await door.ask(`DROP DATABASE ${quoted(name)}`);
  }
}

export const postgresCommands = (state: State, door: PostgresDoor): Record<string, (call: Call) => Promise<number>> => ({
  'postgres:create': async (call) => {
    const { place, flags } = argumentsOf(call, { '--image-version': true });
    const name = place(0);
    if (call.words[0]?.startsWith('-') === true) throw new Unrecorded('flags of postgres:create before the name');
    if (state.services.has(name) || making.has(name)) throw new Refused('postgres-create-again', { 'lab-db': name });
    if (!/^[A-Za-z0-9_-]+$/.test(name)) throw new Refused('postgres-create-bad');
    // The plugin makes the service's folder first, so the name is taken long before it can be used.
    making.add(name);
    const service = await makeService(door, name).finally(() => making.delete(name));
    state.services.set(name, service);
    const version = flags.get('--image-version');
    call.stdout.write(describe('postgres-create', service, version));
    return 0;
  },
  'postgres:destroy': async (call) => {
    const service = state.service(argumentsOf(call).place(0));
    if (!call.isForced) throw new Unrecorded('postgres:destroy without --force');
    if (service.links.size > 0) throw new Refused('postgres-destroy-linked');
    state.services.delete(service.name);
    await dropService(door, service);
    return say(call, 'postgres-destroy', { 'lab-db': service.name });
  },
  'postgres:exists': async (call) => say(call, 'postgres-exists', { 'lab-db': state.service(argumentsOf(call).place(0)).name }),
  'postgres:list': async (call) => {
    if (state.services.size === 0) return say(call, 'postgres-list-empty');
    const [heading = ''] = recorded('postgres-list').stdout.split('\n');
    call.stdout.write([heading, ...[...state.services.keys()].toSorted(), ''].join('\n'));
    return 0;
  },
  'postgres:link': async (call) => {
    const { place, flags } = argumentsOf(call, { '--no-restart': false });
    const [service, app] = findBoth(state, place);
    if (Object.values(app.config).includes(service.url)) throw new Refused('postgres-link-again');
    if (app.config['DATABASE_URL'] !== undefined) throw new Unrecorded('postgres:link of a second service');
    if (!flags.has('--no-restart') && app.image !== null) throw new Unrecorded('postgres:link that restarts the app');
    service.links.add(app.name);
    await rewriteConfig(app, (before) => ({ ...before, DATABASE_URL: service.url }));
    call.stdout.write(settingLines({ DATABASE_URL: service.url }));
    if (flags.has('--no-restart')) call.stdout.write(`${recorded('postgres-link-no-restart').stdout.trimEnd().split('\n').at(-1)}\n`);
    return 0;
  },
  'postgres:unlink': async (call) => {
    const { place, flags } = argumentsOf(call, { '--no-restart': false });
    const [service, app] = findBoth(state, place);
    const key = Object.keys(app.config).find((key) => app.config[key] === service.url);
    if (key === undefined) throw new Refused('postgres-unlink-again', { 'lab-trust-game': app.name });
    if (!flags.has('--no-restart')) throw new Unrecorded('postgres:unlink that restarts the app');
    service.links.delete(app.name);
    await rewriteConfig(app, (before) => Object.fromEntries(Object.entries(before).filter(([name]) => name !== key)));
    return say(call, 'postgres-unlink', { DATABASE_URL: key });
  },
  'postgres:links': async (call) => {
    const service = state.service(argumentsOf(call).place(0));
    for (const name of [...service.links].toSorted()) call.stdout.write(`${name}\n`);
    return 0;
  },
  'postgres:app-links': async (call) => {
    const app = state.app(argumentsOf(call).place(0));
    for (const service of state.services.values()) if (service.links.has(app.name)) call.stdout.write(`${service.name}\n`);
    return 0;
  },
  'postgres:connect': async (call) => await runProgram(call, door, { service: serviceOf(state, call), command: ['psql', '-X', '-v', 'ON_ERROR_STOP=1'] }),
  'postgres:export': async (call) =>
    await runProgram(call, door, { service: serviceOf(state, call), command: ['pg_dump', '-Fc', '--no-acl', '--no-owner', '-w'] }),
  'postgres:import': async (call) => {
    const service = serviceOf(state, call);
    return await runProgram(call, door, { service, command: ['pg_restore', '-cO', '--if-exists', '-w', '-d', service.database] });
  },
});

const serviceOf = (state: State, call: Call): Service => state.service(argumentsOf(call).place(0));

/** postgres:link and unlink look at the service first. @see records postgres-link-missing-app, postgres-link-missing-service */
function findBoth(state: State, place: (index: number) => string): [Service, App] {
  return [state.service(place(0)), state.app(place(1))];
}

function describe(record: string, service: Service, version: string | undefined): string {
  const text = recorded(record)
    .stdout.replaceAll(/(Dsn: +)\S+/g, `$1${service.url}`)
    .replaceAll(/(Id: +)\S+/g, `$1${service.id}`)
    .replaceAll('lab-db', service.name);
  return version === undefined ? text : text.replace(/postgres:[\d.]+(?= )/, `postgres:${version}`);
}

type Program = { readonly service: Service; readonly command: readonly string[] };

/** The plugin runs these inside the service's container: they go on when the client has gone. @see dokku-postgres 1.48 functions */
async function runProgram(call: Call, door: PostgresDoor, { service, command }: Program): Promise<number> {
  const [program = '', ...args] = command;
  const folder = process.env['ARBORETUM_TEST_POSTGRES_BIN'];
  const access = { PGHOST: door.host, PGPORT: String(door.port), PGUSER: service.database, PGDATABASE: service.database, PGPASSWORD: service.password };
  const child = spawn(folder === undefined ? program : path.join(folder, program), args, {
    env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', HOME: '/nonexistent', ...access },
  });
  child.stdin.on('error', () => {});
  call.stdin.pipe(child.stdin);
  return await passOn(child, call);
}
