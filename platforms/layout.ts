// Where everything lies on disk: pure path arithmetic, shared by the scripts, both processes and the local platform.

import { createHash } from 'node:crypto';
import path from 'node:path';

/** Paths under `DATA_DIR` (what must survive) and under the run directory (sockets, gone after a reboot). */
export type Layout = ReturnType<typeof layoutOf>;

/**
 * All paths of one panel.
 *
 * A Unix socket's path may have 107 bytes at most, so sockets do not live under `DATA_DIR`
 * but in a run directory named by eight hex digits of its hash.
 * @param dataDir absolute path of `DATA_DIR`
 * @param runBase `/run/arboretum` as root, otherwise `$XDG_RUNTIME_DIR/arboretum` or `/tmp/arboretum-UID`
 */
export function layoutOf(dataDir: string, runBase: string) {
  const runDir = path.join(runBase, createHash('sha256').update(dataDir).digest('hex').slice(0, 8));
  const data = (...parts: string[]): string => path.join(dataDir, ...parts);
  const run = (...parts: string[]): string => path.join(runDir, ...parts);
  return {
    dataDir,
    runDir,
    secretKeyFile: data('secret.key'),
    postgresDir: data('postgres'),
    postgresLog: data('logs', 'postgres.log'),
    /** Directory that holds PostgreSQL's `.s.PGSQL.5432`; given as `host` in a connection string. */
    postgresSocketDir: run('postgres'),
    redisDir: data('redis'),
    redisSocket: run('redis', 'redis.sock'),
    nginxDir: data('nginx'),
    nginxConfig: data('nginx', 'nginx.conf'),
    nginxSites: data('nginx', 'instances'),
    /** Locations of the instances that are reached by a path. */
    nginxPaths: data('nginx', 'paths'),
    /** Private keys lie here, 0600. */
    nginxCertificates: data('nginx', 'certificates'),
    /** Answers to an authority's questions (HTTP-01), a file each, readable by everybody: nginx shows them on every name. */
    acmeChallenges: data('nginx', 'acme-challenges'),
    nginxPid: run('nginx.pid'),
    /** nginx tells its generation there. */
    nginxControlSocket: run('nginx.sock'),
    /** Where the keeper of an nginx in a container of its own answers; root's alone. */
    nginxKeeper: run('nginx-keeper.sock'),
    supervisorDir: data('supervisor'),
    supervisorConfig: data('supervisor', 'supervisord.conf'),
    supervisorPrograms: data('supervisor', 'programs'),
    supervisorSocket: run('supervisor.sock'),
    supervisorPid: run('supervisord.pid'),
    toolsDir: data('tools'),
    cacheDir: data('cache'),
    logsDir: data('logs'),
    repositoriesDir: data('repositories'),
    repositoryDir: (instanceId: string): string => data('repositories', `${instanceId}.git`),
    instancesDir: data('instances'),
    instanceDir: (instanceId: string): string => data('instances', instanceId),
    /** As `instancesDir`, of those that run in containers: both may be there for a moment, while an instance is moved. */
    containersDir: data('containers'),
    containerDir: (instanceId: string): string => data('containers', instanceId),
    backupsDir: data('backups'),
    /** What bots did, by instance and job. */
    botsDir: (instanceId: string): string => data('bots', instanceId),
    /** The server listens here; nginx stands in front. */
    serverSocket: run('panel', 'server.sock'),
    /** Git hooks ask here; reachable by the panel's user only. */
    hookSocket: run('panel', 'hook.sock'),
    /** The worker answers the server's short questions here (runtime log, a new oTree session). */
    workerSocket: run('panel', 'worker.sock'),
    /** The first-run link, readable by the panel's user, while there is no manager. */
    firstRunLinkFile: run('panel', 'first-run-link'),
    hooksDir: data('hooks'),
    /** One directory per instance, setgid to nginx's group, so that only nginx may connect to the socket in it. */
    instanceSocketDir: (instanceId: string): string => run('i', instanceId),
    instanceSocket: (instanceId: string): string => run('i', instanceId, 'otree.sock'),
    /** Where the database server of an instance has its socket, when it has a server of its own. */
    databaseSocketDir: (instanceId: string): string => run('d', instanceId),
    /** Held (flock-like, by pid and start time) by a running `npm start`. */
    startLock: run('start.lock'),
  };
}
