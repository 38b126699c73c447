// What tests are made of: a context on a database of its own, and rows that bring their parents along.

import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { loadConfig } from '../domain/config.ts';
import type { Context, Events } from '../domain/context.ts';
import { asJson, openDatabase, type Database } from '../domain/database.ts';
import { newId, newPassword, newToken } from '../domain/ids.ts';
import { openMailer } from '../domain/mail-smtp.ts';
import { makeSealer } from '../domain/sealing.ts';
import { sealedPlace, type SealedColumn } from '../domain/specs.ts';
import type { ProjectDescription, Room } from '../platforms/project.ts';
import type { Instance, PanelRoom, User } from '../prisma/client/client.ts';

type EventName = keyof Events;
export type RecordedEvent = { readonly [Name in EventName]: { readonly name: Name; readonly values: Parameters<Events[Name]> } }[EventName];
export type LogLine = { readonly level: 'info' | 'warn' | 'error'; readonly message: string; readonly fields: Readonly<Record<string, unknown>> };

/** A context with everything that went through its ports, in order. */
export type TestContext = Context & {
  readonly queued: string[];
  readonly recorded: RecordedEvent[];
  readonly logged: LogLine[];
  /** Waits until an event (past ones count) fits. The test's own time limit ends it. */
  waitForEvent<Name extends EventName>(name: Name, fits?: (...values: Parameters<Events[Name]>) => boolean): Promise<Parameters<Events[Name]>>;
  /** Closes the database, drops it, removes DATA_DIR. */
  close(): Promise<void>;
};

/**
 * A context on a fresh, migrated database; `afterAll(() => ctx.close())` drops it.
 * @param env settings over the defaults, for example `{ PUBLIC_URL: 'https://lab.example.org' }`
 */
export async function testContext(env: Readonly<Record<string, string>> = {}): Promise<TestContext> {
  const { url, drop } = await createDatabase();
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'arboretum-test-'));
  const config = loadConfig({ DATA_DIR: dataDir, RUN_DIR: path.join(dataDir, 'run'), DATABASE_URL: url, ...env });
  const db = openDatabase(url);
  const queued: string[] = [];
  const logged: LogLine[] = [];
  const write =
    (level: LogLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
      void logged.push({ level, message, fields });
  return {
    config,
    db,
    sealer: makeSealer(randomBytes(32)),
    queue: { add: (jobId) => Promise.resolve(void queued.push(jobId)) },
    log: { info: write('info'), warn: write('warn'), error: write('error') },
    mailer: openMailer(config),
    queued,
    logged,
    ...recordEvents(),
    async close() {
      await db.$disconnect();
      await drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function recordEvents(): Pick<TestContext, 'events' | 'recorded' | 'waitForEvent'> {
  const recorded: RecordedEvent[] = [];
  const emitter = new EventEmitter().setMaxListeners(0);
  const port =
    <Name extends EventName>(name: Name) =>
    (...values: Parameters<Events[Name]>): void => {
      recorded.push({ name, values } as RecordedEvent);
      emitter.emit('recorded');
    };
  const waitForEvent: TestContext['waitForEvent'] = async (name, fits = () => true) => {
    for (let seen = 0; ;) {
      for (; seen < recorded.length; seen += 1) {
        const event = recorded[seen];
        const values = event?.values as Parameters<Events[typeof name]>;
        if (event?.name === name && fits(...values)) return values;
      }
      await once(emitter, 'recorded');
    }
  };
  const events: Events = {
    instance: port('instance'),
    instanceGone: port('instanceGone'),
    job: port('job'),
    jobLog: port('jobLog'),
    seats: port('seats'),
    people: port('people'),
    instanceLost: port('instanceLost'),
  };
  return { recorded, waitForEvent, events };
}

/**
 * Makes an empty database with every migration applied, next to the one that ARBORETUM_TEST_DATABASE_URL names
 * (its role needs CREATEDB).
 */
export async function createDatabase(): Promise<{ readonly url: string; readonly drop: () => Promise<void> }> {
  const given = process.env['ARBORETUM_TEST_DATABASE_URL'];
  if (!given) throw new Error('ARBORETUM_TEST_DATABASE_URL is not set: run the tests with npm test.');
  const name = `test_${newId()}`;
  await runSql(given, `CREATE DATABASE "${name}"`);
  const url = new URL(given);
  url.pathname = `/${name}`;
  await runSql(url.href, readMigrations());
  return { url: url.href, drop: () => dropDatabase(given, name) };
}

const migrationsDir = path.join(import.meta.dirname, '..', 'prisma', 'migrations');

const readMigrations = (): string =>
  readdirSync(migrationsDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted()
    .map((name) => readFileSync(path.join(migrationsDir, name, 'migration.sql'), 'utf8'))
    .join('\n');

/** FORCE is refused while autovacuum is in there, whose worker only a plain DROP may end (PostgreSQL 15 procarray.c). */
async function dropDatabase(given: string, name: string): Promise<void> {
  await runSql(given, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`).catch(() => runSql(given, `DROP DATABASE IF EXISTS "${name}"`));
}

async function runSql(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** A person; an experimenter unless said. The password hash fits no password. */
export async function aUser(ctx: { readonly db: Database }, fields: Partial<Omit<User, 'id'>> = {}): Promise<User> {
  const id = newId();
  return ctx.db.user.create({
    data: { id, name: `Person ${id}`, userName: id, email: `${id}@lab.example.org`, passwordHash: 'none', role: 'experimenter', ...fields },
  });
}

type InstanceFields = Partial<Omit<Instance, 'id' | 'project' | 'facts' | 'lastTraceback' | Secrets>> & {
  readonly project?: ProjectDescription;
  readonly facts?: unknown;
};
/** As those find it who need its rooms. */
export type AnInstance = Instance & { panelRooms: PanelRoom[] };
type Secrets = 'adminPassword' | 'secretKey' | 'roomSecret' | 'restKey' | 'databasePassword';

/** An instance with sealed secrets; its owner is a new person unless `ownerId` is given. `waiting`, without a project, unless said. */
export async function anInstance(ctx: Pick<Context, 'db' | 'sealer'>, fields: InstanceFields = {}): Promise<AnInstance> {
  const { project, facts, ...columns } = fields;
  const id = newId();
  const seal = (column: SealedColumn, plain: string): string => ctx.sealer.seal(plain, sealedPlace(id, column));
  return ctx.db.instance.create({
    include: { panelRooms: true },
    data: {
      id,
      name: `study-${id}`,
      ownerId: columns.ownerId ?? (await aUser(ctx)).id,
      platform: 'local',
      state: 'waiting',
      adminPassword: seal('admin_password', newPassword()),
      secretKey: seal('secret_key', newToken()),
      roomSecret: seal('room_secret', newToken()),
      restKey: seal('rest_key', newToken()),
      databasePassword: seal('database_password', newPassword()),
      ...columns,
      ...(project ? { project: asJson(project) } : {}),
      ...(facts === undefined ? {} : { facts: asJson(facts) }),
    },
  });
}

/** A room that takes any label, unless said. */
export const aRoom = (fields: Partial<Room> = {}): Room => ({
  name: 'lab',
  displayName: 'The lab',
  labels: null,
  usesSecureUrls: false,
  hasWelcomePage: false,
  problem: null,
  ...fields,
});

/** What settings.py of a project with these rooms says. */
export const aProject = (fields: Partial<ProjectDescription> = {}): ProjectDescription => ({
  otreeVersion: '6.0.15',
  pythonVersion: '3.11.2',
  adminUsername: 'admin',
  sessionConfigs: [{ name: 'survey', displayName: 'Survey', appSequence: ['survey'], numDemoParticipants: 2 }],
  rooms: [],
  ...fields,
});
