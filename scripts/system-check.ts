// `npm run system-check`: the same check as on the panel's page, for a terminal; works also when the panel is not running.

import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import pg from 'pg';
import { engineReportSchema } from '../contracts/engine.ts';
import { hostReportSchema } from '../contracts/system.ts';
import { groundViewSchema } from '../contracts/system-check.ts';
import { loadConfig, type Config } from '../domain/config.ts';
import { settlePlatform } from '../domain/chosen-platform.ts';
import { readKey } from '../domain/sealing.ts';
import { runSystemCheck } from '../domain/system-check.ts';
import { askDns, findOwnAddresses, type Surroundings } from '../domain/system-check-surroundings.ts';
import { Secret } from '../platforms/secret.ts';
import { askWorker } from '../server/ask-worker.ts';
import { readRedisInfo } from '../server/redis-info.ts';
import { findPostgres } from './binaries.ts';
import { inheritedEnvironment } from './environment.ts';
import { dataMajor, ownDatabaseUrl } from './ground-postgres.ts';
import { redisAccess } from './ground-redis.ts';
import { StartProblem } from './problem.ts';
import { readPid } from './process-identity.ts';
import type { Progress } from './progress.ts';
import { envFile } from './service-keepers.ts';
import { askReady } from './services.ts';
import { describeSystemCheck } from './system-check-text.ts';

/** Prints everything. @throws StartProblem when something is bad (exit code 1) */
export async function systemCheck(given: Config, progress: Progress): Promise<void> {
  const { config, source } = withServiceSettings(given);
  const key = readOwnKey(config);
  const isPanelRunning = readPid(config.layout.startLock) !== null || (await askReady(config.layout.serverSocket)) !== null;
  const { query, end } = await openDatabase(config, key);
  try {
    if (query !== null) await settlePlatform(config, query);
    const result = await runSystemCheck(look(config, { key, query, isPanelRunning }));
    progress.show(describeSystemCheck(result, { publicUrl: config.publicUrl.origin, source, isPanelRunning }));
    const bad = result.checks.filter((check) => check.result === 'bad');
    if (bad.length === 0) return;
    throw new StartProblem(
      `${bad.length} of ${result.checks.length} checks are bad: ${bad.map(({ title }) => title).join(', ')}.`,
      'Above stands what to do about each.',
    );
  } finally {
    await end();
  }
}

/** A service has its settings in a file; what the environment says comes first. @throws ConfigProblem when the two do not go together */
function withServiceSettings(config: Config): { config: Config; source: string | null } {
  const file = envFile(config);
  if (!isReadable(file)) return { config, source: null };
  const said = Object.entries(inheritedEnvironment()).filter(([, value]) => value !== '');
  return { config: loadConfig({ ...parseEnv(readFileSync(file, 'utf8')), ...Object.fromEntries(said) }), source: file };
}

const isReadable = (file: string, mode = constants.R_OK): boolean => {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
};

/** The panel's key where we may read it; never made here. */
function readOwnKey({ layout, ARBORETUM_SECRET_KEY: given }: Config): Buffer | null {
  if (!given && !isReadable(layout.secretKeyFile)) return null;
  return readKey(given?.open() ?? readFileSync(layout.secretKeyFile, 'utf8'));
}

type Parts = { readonly key: Buffer | null; readonly query: Surroundings['query']; readonly isPanelRunning: boolean };

function look(config: Config, { key, query, isPanelRunning }: Parts): Surroundings {
  const postgresBin = config.POSTGRES_BIN ?? findPostgres(dataMajor(config.layout), ['pg_dump']);
  const redis = config.REDIS_URL ? { url: config.REDIS_URL.open() } : key === null ? null : ownRedis(config, key);
  const { workerSocket } = config.layout;
  const mayAsk =
    !isPanelRunning || (!existsSync(workerSocket) ? isReadable(path.dirname(workerSocket), constants.X_OK) : isReadable(workerSocket, constants.W_OK));
  return {
    config: { ...config, POSTGRES_BIN: postgresBin ?? undefined },
    names: askDns(),
    ownAddresses: findOwnAddresses(),
    query,
    redisInfo: redis === null ? null : () => readRedisInfo(redis),
    askHost: mayAsk ? () => askWorker({ config }, { kind: 'look-at-host' }, hostReportSchema) : null,
    askGround: mayAsk ? () => askWorker({ config }, { kind: 'look-at-ground' }, groundViewSchema) : null,
    askEngine: mayAsk ? () => askWorker({ config }, { kind: 'look-at-engine' }, engineReportSchema) : null,
    isPanelRunning,
    procDir: '/proc',
  };
}

function ownRedis({ layout }: Config, key: Buffer): { path: string; password: string } {
  const { socket, password } = redisAccess(layout, key);
  return { path: socket, password };
}

/** A pool where the panel's database lets us in and has its tables; otherwise no query. */
async function openDatabase(config: Config, key: Buffer | null): Promise<{ query: Surroundings['query']; end: () => Promise<void> }> {
  const url = config.DATABASE_URL ?? (key === null ? null : new Secret(ownDatabaseUrl(config.layout, key)));
  if (url === null) return { query: null, end: () => Promise.resolve() };
  const pool = new pg.Pool({ connectionString: url.open(), max: 3, connectionTimeoutMillis: 3000 });
  pool.on('error', () => undefined);
  const end = (): Promise<void> => pool.end();
  try {
    await pool.query('SELECT id FROM instance LIMIT 1');
    return { query: async <Row>(sql: string) => (await pool.query(sql)).rows as Row[], end };
  } catch {
    return { query: null, end };
  }
}
