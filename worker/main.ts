// The worker process: takes jobs from the queue, observes instances, keeps the front door.

import { Emitter } from '@socket.io/redis-emitter';
import { DelayedError, Queue, Worker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import type { ServerEvents } from '../contracts/events.ts';
import { assemble, liveKey, makeEvents, queueName, redisOptions } from '../domain/assemble.ts';
import { loadConfig, type Config } from '../domain/config.ts';
import type { WorkerContext } from '../domain/context.ts';
import { recoverJobs, sweepJobs } from '../domain/jobs.ts';
import { throwAwayOld } from '../domain/keeping.ts';
import { FactsWatch } from '../domain/facts-watch.ts';
import { MetricsWatch } from '../domain/metrics-watch.ts';
import { observeInstances, reconcileInstances } from '../domain/observe.ts';
import { observeActivity, type ActivityMarks } from '../domain/observe-activity.ts';
import { observeTracebacks, type LogPositions } from '../domain/tracebacks.ts';
import { CertificateKeeper } from '../domain/certificate-keeper.ts';
import { certificatesOf, doorCertificatesOf } from '../domain/certificates.ts';
import { rememberCapabilities } from '../domain/capabilities.ts';
import { installCertificates } from '../domain/install-certificates.ts';
import { makeRoomsKeeper } from '../domain/rooms-keeper.ts';
import { settlePlatform } from '../domain/chosen-platform.ts';
import { keepPlatformFronts } from '../domain/platform-fronts.ts';
import { refreshAllRoutes } from '../domain/routes.ts';
import { startAnswering } from './answer.ts';
import type { RoundWork } from './questions.ts';
import { openFrontDoor, openPlatform } from './adapters.ts';
import { goRound, type Round } from './loop.ts';
import { recoverInstances } from './recover-instances.ts';
import { runJob } from './run-job.ts';
import { noteOwnVersions } from './versions.ts';

const concurrency = 4;
const retryMs = 300;
const stopGraceMs = 25_000;

function openRedis(config: Config): Redis {
  const options = redisOptions(config);
  const extra = { maxRetriesPerRequest: null };
  const redis = 'url' in options ? new Redis(options.url, extra) : new Redis({ ...options, ...extra });
  return redis.on('error', () => undefined);
}

type Work = RoundWork & { readonly redis: Redis };

const roundsOf = (ctx: WorkerContext, { facts, rooms, redis }: Work): Round[] => {
  const logPositions: LogPositions = new Map();
  const activityMarks: ActivityMarks = new Map();
  const certificates = new CertificateKeeper();
  const metrics = new MetricsWatch();
  const signal = (): AbortSignal => AbortSignal.timeout(60_000);
  return [
    { name: 'observe', everyMs: 2000, work: () => observeInstances(ctx) },
    // Not waited for: one experiment that does not answer must not hold up the others.
    {
      name: 'facts',
      everyMs: 250,
      work: async () => void facts.round(ctx).catch((error: unknown) => ctx.log.warn('facts could not be read', { error: String(error) })),
    },
    { name: 'rooms', everyMs: 5000, work: () => rooms.round(ctx) },
    { name: 'errors', everyMs: 3000, work: () => observeTracebacks(ctx, logPositions) },
    // An engine may come to this machine, or leave it, while the panel runs.
    { name: 'platforms', everyMs: 30_000, work: () => rememberCapabilities(ctx, ctx.platform) },
    { name: 'activity', everyMs: 10_000, work: () => observeActivity(ctx, activityMarks) },
    { name: 'metrics', everyMs: 60_000, work: () => metrics.round(ctx) },
    { name: 'sweep', everyMs: 5000, work: () => sweepJobs(ctx) },
    { name: 'versions', everyMs: 3_600_000, work: () => noteOwnVersions(ctx, redis) },
    { name: 'keeping', everyMs: 3_600_000, work: () => throwAwayOld(ctx) },
    { name: 'certificates', everyMs: 60_000, work: () => certificates.round(ctx) },
    { name: 'reconcile', everyMs: 30_000, work: () => reconcileInstances(ctx) },
    // Certificates of the panel's own come in here; without one, what the host has by itself stays.
    { name: 'platform fronts', everyMs: 60_000, work: () => keepPlatformFronts(ctx, () => certificatesOf(ctx)) },
    { name: 'front door', everyMs: 2000, work: async () => (await ctx.frontDoor.check()).state !== 'ok' && ctx.frontDoor.repair(signal()) },
  ];
};

async function main(): Promise<void> {
  const config = loadConfig();
  const redis = openRedis(config);
  const queue = new Queue(queueName, { connection: redis });
  queue.on('error', () => undefined);
  const emitter = new Emitter<ServerEvents>(
    { publish: (channel: string, message: Buffer) => (redis.status === 'ready' ? redis.publish(channel, message).catch(() => undefined) : undefined) },
    { key: liveKey },
  );
  const events = makeEvents(
    (to, event, payload) => void emitter.to([...to]).emit(event, ...([payload] as Parameters<ServerEvents[typeof event]>)),
    (of, from) => emitter.in(of).socketsLeave(from),
  );
  const base = assemble(config, 'worker', {
    events,
    queue: { add: async (jobId) => void (await queue.add('job', { jobId }, { jobId, removeOnComplete: true, removeOnFail: true })) },
  });
  await settlePlatform(config, (sql) => base.db.$queryRawUnsafe(sql));
  const ctx: WorkerContext = { ...base, platform: await openPlatform(base), frontDoor: openFrontDoor(base) };

  await rememberCapabilities(ctx, ctx.platform);
  await (config.HTTPS_PORT === undefined ? refreshAllRoutes : installCertificates)(ctx, await doorCertificatesOf(ctx), AbortSignal.timeout(60_000));
  await recoverInstances(ctx, await recoverJobs(ctx));
  await observeInstances(ctx);

  const stopping = new AbortController();
  const running = new AbortController();
  const worker = new Worker(queueName, takeJob(ctx, running.signal), {
    connection: redis.duplicate(),
    concurrency,
    lockDuration: 5000,
    stalledInterval: 2000,
    maxStalledCount: 3,
  });
  worker.on('error', () => undefined);
  const work: Work = { facts: new FactsWatch(), rooms: makeRoomsKeeper(), redis };
  const answering = await startAnswering(ctx, work);
  const rounds = roundsOf(ctx, work).map((round) => goRound(round, ctx.log, stopping.signal));
  ctx.log.info('ready', { concurrency, platform: ctx.platform.kind });

  const stop = async (): Promise<void> => {
    ctx.log.info('stopping');
    stopping.abort();
    answering.close();
    // Jobs in hand may finish; what takes longer is interrupted and says so.
    const timer = setTimeout(() => running.abort(), stopGraceMs);
    await worker.close();
    clearTimeout(timer);
    await Promise.allSettled([...rounds, queue.close(), ctx.db.$disconnect()]);
    redis.disconnect();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());
}

const takeJob =
  (ctx: WorkerContext, signal: AbortSignal) =>
  async (entry: Job<{ jobId: string }>, token?: string): Promise<void> => {
    const result = await runJob(ctx, entry.data.jobId, signal);
    if (result !== 'later') return;
    await entry.moveToDelayed(Date.now() + retryMs, token);
    throw new DelayedError();
  };

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
