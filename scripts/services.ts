// The panel's own processes: Redis, server, worker; what each is started with.

import http from 'node:http';
import path from 'node:path';
import { settings } from '../domain/settings.ts';
import type { ServiceCode } from './code-for-services.ts';
import { pidDirOf, tempDirOf } from './directories.ts';
import { inheritedEnvironment, serviceEnvironment } from './environment.ts';
import { putRedisDataAside, redisAccess, writeRedisConfig } from './ground-redis.ts';
import { leanEnvironment, leanFlags } from './lean-node.ts';
import type { Prepared } from './prepare.ts';
import type { Service } from './processes.ts';
import { serviceFile } from './service-build.ts';

export const serviceNames = ['redis', 'server', 'worker'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** The file that names a running service, for a start after a kill -9 and for stop-all. */
export const pidFileOf = ({ config }: Pick<Prepared, 'config'>, name: ServiceName): string => path.join(pidDirOf(config.layout), `${name}.json`);

const common = (prepared: Prepared, name: ServiceName) => ({
  name,
  account: prepared.accounts?.panel ?? null,
  logFile: path.join(prepared.config.layout.logsDir, `${name}.log`),
  pidFile: pidFileOf(prepared, name),
});

/** The panel's own Redis; null when REDIS_URL is set. */
export function redisService(prepared: Prepared): Service | null {
  const { config, programs, key, accounts } = prepared;
  if (config.REDIS_URL) return null;
  const file = writeRedisConfig(config.layout, key, accounts?.panel ?? null);
  return {
    ...common(prepared, 'redis'),
    file: programs.redisServer,
    args: [file],
    env: serviceEnvironment(),
    cwd: config.layout.redisDir,
    stopGraceMs: 10_000,
    // It dies at once, again and again: most likely over its own file, which it can do without.
    beforeRestart: (quickDeaths) => quickDeaths === 3 && putRedisDataAside(config.layout),
  };
}

/** A Node process of ours. The worker keeps root's rights: it starts processes under the instances' own ids. */
export function nodeService(prepared: Prepared, name: 'server' | 'worker', { code, databaseUrl }: { code: ServiceCode; databaseUrl: string }): Service {
  const base = common(prepared, name);
  return {
    ...base,
    account: name === 'worker' ? null : base.account,
    file: code.node,
    args: [...leanFlags(code.node, name), serviceFile(code.root, name)],
    env: { ...leanEnvironment, ...environmentFor(prepared, databaseUrl), TMPDIR: tempDirOf(prepared.config.layout, name) },
    cwd: code.root,
    // Jobs and pushes in hand may finish.
    stopGraceMs: 30_000,
  };
}

/** The settings as they were given, and where the things are that we have started. */
function environmentFor({ config, programs, key }: Prepared, databaseUrl: string): Record<string, string> {
  const inherited = inheritedEnvironment();
  const given = Object.fromEntries(Object.keys(settings).flatMap((name) => (inherited[name] ? [[name, inherited[name]]] : [])));
  const { socket, password } = redisAccess(config.layout, key);
  const path_ = [
    ...new Set([path.dirname(programs.git), ...(inherited['PATH'] ?? '').split(':'), '/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin']),
  ].filter((folder) => folder !== '');
  return {
    ...serviceEnvironment(),
    ...given,
    PATH: path_.join(':'),
    NODE_ENV: 'production',
    DATA_DIR: config.layout.dataDir,
    RUN_DIR: path.dirname(config.layout.runDir),
    DATABASE_URL: databaseUrl,
    POSTGRES_BIN: programs.postgresBin,
    PYTHON: programs.python,
    NGINX: programs.nginx,
    ...(config.REDIS_URL ? {} : { REDIS_SOCKET: socket, REDIS_PASSWORD: password }),
  };
}

/** What the server says of itself on its socket: every part and whether it is well; null while it does not answer. */
export function askReady(socketPath: string): Promise<{ readonly isReady: boolean; readonly body: string } | null> {
  return new Promise((resolve) => {
    const request = http.get({ socketPath, path: '/readyz', timeout: 5000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ isReady: response.statusCode === 200, body }));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(null));
  });
}
