// The server process: read the settings, build the parts, listen; stop in reverse, finishing what is in hand.

import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Emitter } from '@socket.io/redis-emitter';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { ServerEvents } from '../contracts/events.ts';
import { assemble, liveKey, makeEvents, queueName, redisOptions } from '../domain/assemble.ts';
import { loadConfig, type Config } from '../domain/config.ts';
import type { Context, Events } from '../domain/context.ts';
import { adoptHeads } from '../domain/deployments.ts';
import { makeGitAccess } from '../domain/git-access.ts';
import { prepareFirstManager } from '../domain/people.ts';
import { settlePlatform } from '../domain/chosen-platform.ts';
import { clearUploads } from '../domain/uploads.ts';
import { buildApp } from './app.ts';
import { guardedByFacts } from './fresh-facts.ts';
import { loadHostKey } from './git-host-key.ts';
import { startGitSsh } from './git-ssh.ts';
import { startLive } from './live.ts';
import { loginSessions } from './login-session.ts';

const stopGraceMs = 20_000;
const partingMs = 2000;

function openRedis(config: Config, extra: { maxRetriesPerRequest: null | number; enableOfflineQueue: boolean }): Redis {
  const options = redisOptions(config);
  const redis = 'url' in options ? new Redis(options.url, extra) : new Redis({ ...options, ...extra });
  // Without a listener a lost connection would end the process; ioredis reconnects by itself.
  return redis.on('error', () => undefined);
}

const eventsThrough = (emitter: Emitter<ServerEvents>): Events =>
  makeEvents(
    (to, event, payload) => void emitter.to([...to]).emit(event, ...([payload] as Parameters<ServerEvents[typeof event]>)),
    (of, from) => emitter.in(of).socketsLeave(from),
  );

async function main(): Promise<void> {
  const config = loadConfig();
  const { layout } = config;
  // Fails fast when Redis is away: the row is written, the sweeper queues it.
  const redis = openRedis(config, { maxRetriesPerRequest: 1, enableOfflineQueue: false });
  const liveRedis = openRedis(config, { maxRetriesPerRequest: null, enableOfflineQueue: true });
  const queue = new Queue(queueName, { connection: redis });
  queue.on('error', () => undefined);
  // What cannot be published now is read again by the page; it must not end the process.
  const emitter = new Emitter<ServerEvents>(
    { publish: (channel: string, message: Buffer) => redis.publish(channel, message).catch(() => undefined) },
    { key: liveKey },
  );
  const ctx = assemble(config, 'server', {
    events: eventsThrough(emitter),
    queue: { add: async (jobId) => void (await queue.add('job', { jobId }, { jobId, removeOnComplete: true, removeOnFail: true })) },
  });
  await settlePlatform(config, (sql) => ctx.db.$queryRawUnsafe(sql));
  const pool = new pg.Pool({ connectionString: config.DATABASE_URL?.open(), max: 5 });
  pool.on('error', () => undefined);

  const sessions = loginSessions(ctx, pool, ctx.key.toString('base64'));
  const server = http.createServer(buildApp({ ctx, loginSessions: sessions, pingRedis: () => redis.ping() }));
  server.headersTimeout = 30_000;
  server.requestTimeout = 300_000;
  const live = startLive(server, { ctx, loginSessions: sessions, redis: liveRedis });
  const git = await startGitSsh({
    access: guardedByFacts(ctx, makeGitAccess(ctx)),
    hostKey: await loadHostKey(path.join(layout.repositoriesDir, 'ssh_host_ed25519_key')),
    port: config.GIT_SSH_PORT,
    host: '::',
    hookSocketPath: layout.hookSocket,
    hooksDir: layout.hooksDir,
    log: ctx.log,
  });
  await Promise.all([clearUploads(layout), offerFirstRun(ctx)]);
  rmSync(layout.serverSocket, { force: true });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(layout.serverSocket, resolve));
  chmodSync(layout.serverSocket, 0o660);
  ctx.log.info('listening', { socket: layout.serverSocket, gitSshPort: git.port });
  await adoptHeads(ctx);

  const stop = async (): Promise<void> => {
    ctx.log.info('stopping');
    server.close();
    await Promise.all([live.close(), git.close(stopGraceMs)]);
    server.closeAllConnections();
    // With Redis away its client would wait for it; nothing is lost by going without.
    await Promise.race([Promise.allSettled([queue.close(), pool.end(), ctx.db.$disconnect()]), wait(partingMs)]);
    redis.disconnect();
    liveRedis.disconnect();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());
}

/** Leaves the one-time link where `npm start` finds it, as long as there is no manager. */
async function offerFirstRun(ctx: Context): Promise<void> {
  const file = ctx.config.layout.firstRunLinkFile;
  const printed = existsSync(file) ? new URL(readFileSync(file, 'utf8').trim()).searchParams.get('token') : null;
  const token = await prepareFirstManager(ctx, printed);
  if (token === null) rmSync(file, { force: true });
  else writeFileSync(file, `${new URL(`/first-run?token=${token}`, ctx.config.publicUrl).href}\n`, { mode: 0o600 });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
