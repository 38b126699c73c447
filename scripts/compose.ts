// What the containers of docker-compose.yml run, each by one word: the panel's folders, its tables, its two processes, and what people ask for.

import { chownSync, chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseEnv } from 'node:util';
import v8 from 'node:v8';
import { pathToFileURL } from 'node:url';
import { ConfigProblem, loadConfig, type Config } from '../domain/config.ts';
import { readKey } from '../domain/sealing.ts';
import { ensureAccounts, type Accounts } from './accounts.ts';
import { findPostgres } from './binaries.ts';
import { prepareDirectories, tempDirOf } from './directories.ts';
import { ensureCluster, ownDatabaseUrl } from './ground-postgres.ts';
import { redisAccess, writeRedisConfig } from './ground-redis.ts';
import { migratePanel } from './panel-database.ts';
import { preparePanelDatabase } from './postgres-roles.ts';
import { StartProblem } from './problem.ts';
import { makeProgress } from './progress.ts';
import { projectRoot } from './project-root.ts';
import { rotateLogs } from './rotate-logs.ts';
import { announce } from './run-services.ts';
import { ensureSecretKey } from './secret-key.ts';
import { serverTools } from './system-packages.ts';
import { serviceFile } from './service-build.ts';
import { envFile } from './service-keepers.ts';
import { deriveSecret } from './service-secrets.ts';
import { askReady } from './services.ts';

type Command = (config: Config) => Promise<void>;

/** Certificate authorities that the image was built with beyond Debian's, and Debian's file of all. */
const OWN_AUTHORITIES = '/usr/local/share/ca-certificates';
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';
const ROTATE_EVERY_MS = 60_000;
const V8_FLAGS = { server: ['--max-semi-space-size=16', '--liftoff-only'], worker: ['--liftoff-only', '--optimize-for-size'] } as const;

const commands: Readonly<Record<string, Command>> = {
  prepare,
  migrate,
  server: (config) => become(config, 'server'),
  worker: (config) => become(config, 'worker'),
  link,
};

const authoritiesOf = ({ layout }: Pick<Config, 'layout'>): string => path.join(layout.toolsDir, 'ca-certificates.crt');
const keyOf = ({ layout, ARBORETUM_SECRET_KEY: given }: Config): Buffer => readKey(given?.open() ?? readFileSync(layout.secretKeyFile, 'utf8'));

function postgresBin(): string {
  const bin = findPostgres(null, serverTools);
  if (bin === null) throw new StartProblem('There is no PostgreSQL in this image.', 'Build it from the Dockerfile of this project.');
  return bin;
}

/** Everything that the others find on disk: folders, key, an empty cluster, Redis' settings, uv. As root; connects to nothing. */
async function prepare(config: Config): Promise<void> {
  const { layout } = config;
  const accounts = await requireAccounts();
  prepareDirectories(layout, accounts);
  const key = ensureSecretKey(layout, config.ARBORETUM_SECRET_KEY, accounts.panel);
  await ensureCluster({ layout, accounts, bin: postgresBin() });
  writeRedisConfig(layout, key, accounts.panel);
  // On the host, because containers that build get it from there.
  place(path.join(projectRoot, 'tools', 'bin', 'uv'), path.join(layout.toolsDir, 'bin', 'uv'), 0o755);
  if (existsSync(OWN_AUTHORITIES) && readdirSync(OWN_AUTHORITIES).length > 0) place(AUTHORITIES, authoritiesOf(config), 0o644);
  else rmSync(authoritiesOf(config), { force: true });
  if (existsSync(envFile(config))) {
    // The server reads it without root's rights; nobody else does.
    chownSync(envFile(config), 0, accounts.panel.gid);
    chmodSync(envFile(config), 0o640);
  }
}

/** A whole file or none: a build may be using the one before. */
function place(from: string, to: string, mode: number): void {
  mkdirSync(path.dirname(to), { recursive: true });
  copyFileSync(from, `${to}.new`);
  chmodSync(`${to}.new`, mode);
  renameSync(`${to}.new`, to);
}

/** The panel's role and tables; what was there is dumped before they change. As root, which may be `postgres` for PostgreSQL. */
async function migrate(config: Config): Promise<void> {
  const { layout } = config;
  const [accounts, key, bin] = [await requireAccounts(), keyOf(config), postgresBin()];
  const password = deriveSecret(key, 'postgres role arboretum');
  await preparePanelDatabase({ bin, socketDir: layout.postgresSocketDir, account: accounts.postgres, password });
  const applied = await migratePanel({ url: ownDatabaseUrl(layout, key), bin, layout, owner: accounts.panel, root: projectRoot });
  process.stdout.write(applied.length === 0 ? 'The tables are as they should be.\n' : `Applied: ${applied.join(', ')}\n`);
}

async function requireAccounts(): Promise<NonNullable<Accounts>> {
  const accounts = await ensureAccounts();
  if (accounts === null) throw new StartProblem('This needs the rights of root in its container.', 'Start it as docker-compose.yml does.');
  return accounts;
}

/** Turns this process into the server or the worker. What they must not show in `docker inspect` comes from the panel's key. */
async function become(config: Config, name: 'server' | 'worker'): Promise<void> {
  const key = keyOf(config);
  const { socket, password } = redisAccess(config.layout, key);
  Object.assign(process.env, {
    NODE_ENV: 'production',
    DATABASE_URL: ownDatabaseUrl(config.layout, key),
    REDIS_SOCKET: socket,
    REDIS_PASSWORD: password,
    POSTGRES_BIN: postgresBin(),
    TMPDIR: tempDirOf(config.layout, name),
    ...(config.PIP_CERT === undefined && existsSync(authoritiesOf(config)) ? { PIP_CERT: authoritiesOf(config) } : {}),
  });
  for (const flag of V8_FLAGS[name]) v8.setFlagsFromString(flag);
  if (name === 'worker') setInterval(() => rotateLogs(config.layout.logsDir), ROTATE_EVERY_MS).unref();
  await import(pathToFileURL(serviceFile(projectRoot, name)).href);
}

/** Prints where the panel is, and the one-time link while there is no manager. */
async function link(config: Config): Promise<void> {
  for (let tries = 0; tries < 300 && (await askReady(config.layout.serverSocket))?.isReady !== true; tries += 1) await delay(300);
  announce(
    config,
    makeProgress((line) => void process.stdout.write(line)),
  );
}

/** The settings of `service/settings.env` below those of the environment, as for a panel that is installed as a service. */
function readSettings(): Config {
  const config = loadConfig();
  if (!existsSync(envFile(config))) return config;
  const given = Object.entries(parseEnv(readFileSync(envFile(config), 'utf8'))).filter(([name]) => !process.env[name]);
  Object.assign(process.env, Object.fromEntries(given));
  return loadConfig();
}

function explain(error: unknown): number {
  const isForeseen = error instanceof StartProblem;
  const text = isForeseen
    ? `${error.message}\n  → ${error.hint}`
    : error instanceof ConfigProblem
      ? error.message
      : error instanceof Error
        ? error.stack
        : String(error);
  process.stderr.write(`${text}\n`);
  return isForeseen ? error.exitCode : error instanceof ConfigProblem ? 78 : 70;
}

process.umask(0o022);
const command = commands[process.argv[2] ?? ''];
if (command === undefined) {
  process.stderr.write(`There are: ${Object.keys(commands).join(', ')}.\n`);
  process.exitCode = 2;
} else {
  try {
    await command(readSettings());
  } catch (error) {
    process.exitCode = explain(error);
  }
}
