// The one throw-away ground of a test run: PostgreSQL, Redis, the tools, an environment with oTree, the built pages.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { layoutOf, type Layout } from '../platforms/layout.ts';
import { ensureAccounts, type Accounts } from '../scripts/accounts.ts';
import { prepareDirectories } from '../scripts/directories.ts';
import { findPostmaster, startPostgres, stopPostgres, type PostgresGround } from '../scripts/ground-postgres.ts';
import { doesRedisAnswer, redisAccess, writeRedisConfig } from '../scripts/ground-redis.ts';
import { migrate } from '../scripts/migrate.ts';
import { endNoted, endProcess, identify, notePid, readPid } from '../scripts/process-identity.ts';
import { makeProgress } from '../scripts/progress.ts';
import { runOrThrow } from '../scripts/run.ts';
import { ensurePrograms } from '../scripts/system-packages.ts';
import { ensureTools } from '../scripts/tools.ts';
import { buildWeb } from '../scripts/web-build.ts';
import { ensurePebble } from './pebble-install.ts';
import { cacheDir, lockMachine } from './programs.ts';

const root = path.join(import.meta.dirname, '..');
const groundPrefix = 'arb-ground-';

/** Vitest calls this once before all files; what it returns is called after the last one. */
export default async function setUp(): Promise<() => Promise<void>> {
  const progress = makeProgress((line) => void process.stderr.write(line));
  // What only root can try (user ids, limits, whose files are whose) is left out elsewhere; in CI it must not be.
  if (process.env['CI'] && process.getuid?.() !== 0) throw new Error('CI must run the tests as root: those of user ids and limits would be left out.');
  mkdirSync(cacheDir, { recursive: true, mode: 0o755 });
  const programs = await ensurePrograms({ postgresMajor: null, ownPostgres: true, ownRedis: true, forTests: true }, progress);
  if (programs.postgresBin === null || programs.redisServer === null || programs.python === null) throw new Error('The system packages are not complete.');
  await progress.step('Prisma client and pages', async () => {
    await runOrThrow({ file: process.execPath, args: [path.join(root, 'scripts', 'generate-client.mjs')], cwd: root }, 'generate-client');
    await buildWeb(root, progress.log);
  });
  const tools = path.join(cacheDir, 'tools');
  await progress.step('uv and supervisor', () => underLock(() => ensureTools(tools, programs.python ?? '', progress.log)));
  const venv = await progress.step('an environment with oTree', () => underLock(() => ensureOtree(tools, programs.python ?? '')));
  const pebble = await progress.step('pebble, an ACME authority', () => underLock(() => ensureAuthority(programs.python ?? '')));
  const accounts = await ensureAccounts();
  await clearOldGrounds(programs.postgresBin, accounts);
  const ground = await progress.step('PostgreSQL and Redis', () =>
    startGround({ bin: programs.postgresBin ?? '', redisServer: programs.redisServer ?? '', accounts }),
  );
  Object.assign(process.env, ground.env, {
    ARBORETUM_TEST_TOOLS: tools,
    ARBORETUM_TEST_VENV: venv,
    ARBORETUM_TEST_PEBBLE: pebble,
    ARBORETUM_TEST_CHROMIUM: programs.chromium ?? '',
    ARBORETUM_TEST_POSTGRES_BIN: programs.postgresBin,
  });
  return ground.stop;
}

type Start = { readonly bin: string; readonly redisServer: string; readonly accounts: Accounts };

async function startGround({ bin, redisServer, accounts }: Start): Promise<{ env: Record<string, string>; stop: () => Promise<void> }> {
  const layout = groundLayout(`${groundPrefix}${process.pid}`);
  const key = randomBytes(32);
  prepareDirectories(layout, accounts);
  notePid(ownerFile(layout), process.pid);
  const postgres = { layout, accounts, bin };
  const databaseUrl = await startPostgres(postgres, key);
  const redis = await startRedis(layout, key, { redisServer, accounts });
  const { socket, password } = redisAccess(layout, key);
  await makeTemplate(databaseUrl);
  return {
    env: {
      ARBORETUM_TEST_DATABASE_URL: databaseUrl,
      // A database with all migrations, to be copied: CREATE DATABASE x TEMPLATE arboretum_template.
      ARBORETUM_TEST_TEMPLATE: 'arboretum_template',
      ARBORETUM_TEST_REDIS: `${socket}#${password}`,
      ARBORETUM_TEST_REDIS_SOCKET: socket,
      ARBORETUM_TEST_REDIS_PASSWORD: password,
    },
    stop: async () => {
      const [exited, identity] = [once(redis, 'exit'), identify(redis.pid ?? 0)];
      if (identity !== null) await Promise.all([exited, endProcess(identity, 5000)]);
      await removeGround(postgres);
    },
  };
}

async function startRedis(layout: Layout, key: Buffer, { redisServer, accounts }: Omit<Start, 'bin'>): Promise<ChildProcess> {
  const config = writeRedisConfig(layout, key, accounts?.panel ?? null);
  const log = openSync(path.join(layout.logsDir, 'redis.log'), 'a');
  const child = spawn(redisServer, [config], {
    stdio: ['ignore', log, log],
    detached: true,
    ...(accounts === null ? {} : { uid: accounts.panel.uid, gid: accounts.panel.gid }),
  });
  closeSync(log);
  notePid(redisFile(layout), child.pid ?? 0);
  const deadline = Date.now() + 15_000;
  while (!(await doesRedisAnswer(redisAccess(layout, key)))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`Redis did not start; see ${layout.logsDir}/redis.log`);
    await delay(50);
  }
  return child;
}

async function makeTemplate(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('CREATE DATABASE arboretum_template TEMPLATE template0');
  await client.end();
  const url = new URL(databaseUrl);
  url.pathname = '/arboretum_template';
  await migrate({ databaseUrl: url.href, migrationsDir: path.join(root, 'prisma', 'migrations'), backUp: null });
}

/** Built beside its place and renamed into it, with `requests` for oTree's own bots. */
async function ensureOtree(tools: string, python: string): Promise<string> {
  const venv = path.join(cacheDir, 'otree-6.0.15');
  if (existsSync(venv)) return venv;
  const draft = `${venv}.${process.pid}`;
  const uv = path.join(tools, 'bin', 'uv');
  // Environments name their own place in their scripts, so those must not be used after the renaming; python itself may.
  await runOrThrow({ file: uv, args: ['venv', '--python', python, draft], timeoutMs: 120_000 }, 'uv venv');
  await runOrThrow(
    {
      file: uv,
      args: ['pip', 'install', '--python', path.join(draft, 'bin', 'python'), 'otree==6.0.15', 'psycopg2-binary', 'requests'],
      timeoutMs: 10 * 60_000,
    },
    'installing oTree',
  );
  renameSync(draft, venv);
  return venv;
}

/** Without it the tests of certificates are left out, and say so; in CI they must not be. */
async function ensureAuthority(python: string): Promise<string> {
  try {
    return await ensurePebble(cacheDir, python);
  } catch (error) {
    if (process.env['CI']) throw error;
    process.stderr.write(`  Tests of certificates by ACME are left out: ${error instanceof Error ? error.message : String(error)}\n`);
    return '';
  }
}

/** Two test runs on one machine share the cache: one installs, the other waits. */
async function underLock<T>(work: () => Promise<T>): Promise<T> {
  const unlock = await lockMachine('setup');
  try {
    return await work();
  } finally {
    unlock();
  }
}

const groundLayout = (name: string): Layout => layoutOf(path.join('/tmp', name, 'data'), path.join('/tmp', name, 'run'));
const ownerFile = (layout: Layout): string => path.join(layout.runDir, 'owner');
const redisFile = (layout: Layout): string => path.join(layout.runDir, 'redis.pid');

/** A run that was killed leaves its ground behind: the next one ends and removes it. */
async function clearOldGrounds(bin: string, accounts: Accounts): Promise<void> {
  for (const name of readdirSync('/tmp').filter((entry) => entry.startsWith(groundPrefix))) {
    const layout = groundLayout(name);
    if (readPid(ownerFile(layout)) !== null) continue;
    await endNoted(redisFile(layout));
    await removeGround({ layout, accounts, bin });
  }
}

async function removeGround(postgres: PostgresGround): Promise<void> {
  if (findPostmaster(postgres.layout) !== null) await stopPostgres(postgres);
  rmSync(path.dirname(postgres.layout.dataDir), { recursive: true, force: true });
}
