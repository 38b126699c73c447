// `npm start`: ground, database, pages, Redis, server, worker; waits until they answer, prints the address, keeps them.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../domain/config.ts';
import { NginxProcess } from '../platforms/nginx-process.ts';
import { codeForServices } from './code-for-services.ts';
import { groundLockOf, keepGround, startDatabase, startRest } from './ground.ts';
import { checkForeignRedis, doesRedisAnswer, redisAccess } from './ground-redis.ts';
import { checkForeignDatabase, migratePanel } from './panel-database.ts';
import { checkDisk, checkPort } from './preflight.ts';
import { prepare, type Prepared } from './prepare.ts';
import { endNoted, readPid } from './process-identity.ts';
import { StartProblem } from './problem.ts';
import { KeptProcess } from './processes.ts';
import type { Progress } from './progress.ts';
import { runOrThrow } from './run.ts';
import { askReady, nodeService, pidFileOf, redisService, serviceNames } from './services.ts';
import { buildWeb } from './web-build.ts';

const readyWithinMs = 90_000;
const root = path.join(import.meta.dirname, '..');

/** Starts and keeps the panel until the signal. @throws StartProblem when it cannot start, or dies too often */
export async function startPanel(config: Config, progress: Progress, signal: AbortSignal): Promise<void> {
  checkDisk(config.layout.dataDir);
  const prepared = await prepare(config, progress);
  progress.logTo(path.join(config.layout.logsDir, 'start.log'));
  await takeOver(prepared, progress);
  await checkPorts(prepared);
  const databaseUrl = await bringUpGround(prepared, progress);
  signal.throwIfAborted();
  const code = await buildParts(prepared, progress);
  const applied = await progress.step('migrations', () => migratePanel({ url: databaseUrl, bin: prepared.programs.postgresBin, layout: config.layout, owner: prepared.accounts?.panel ?? null, root }));
  if (applied.length > 0) progress.log(`applied: ${applied.join(', ')}\n`);
  signal.throwIfAborted();
  await runServices(prepared, { databaseUrl, code, progress, signal });
}

/** What a killed start left running is ended: it has no keeper any more. */
async function takeOver(prepared: Prepared, progress: Progress): Promise<void> {
  for (const name of serviceNames.toReversed()) {
    if (await endNoted(pidFileOf(prepared, name), 30_000)) progress.say(`  ended the ${name} of an earlier start`);
  }
}

async function checkPorts({ config, programs }: Prepared): Promise<void> {
  // The front door outlives the panel: when it is ours, the port is taken as it should be.
  if ((await new NginxProcess(config.layout, programs.nginx).masterPid()) === null) await checkPort('PORT', config.PORT);
  await checkPort('GIT_SSH_PORT', config.GIT_SSH_PORT);
}

/** Where the `ground` service runs, it brings everything up; its database only has to be found. */
async function bringUpGround(prepared: Prepared, progress: Progress): Promise<string> {
  const { config, programs } = prepared;
  if (config.DATABASE_URL) await checkForeignDatabase(config.DATABASE_URL.open(), programs.postgresBin);
  if (config.REDIS_URL) await checkForeignRedis(config.REDIS_URL.open());
  const databaseUrl = await startDatabase(prepared, progress);
  await startRest(prepared, progress);
  return databaseUrl;
}

async function buildParts({ config, accounts }: Prepared, progress: Progress) {
  await progress.step('pages', async () => {
    await runOrThrow({ file: process.execPath, args: [path.join(root, 'scripts', 'generate-client.mjs')], cwd: root, timeoutMs: 120_000, onOutput: progress.log }, 'generating the Prisma client');
    await buildWeb(root, progress.log);
  });
  return await codeForServices(root, config.layout.dataDir, accounts?.panel ?? null);
}

type Running = { readonly databaseUrl: string; readonly code: { root: string; node: string }; readonly progress: Progress; readonly signal: AbortSignal };

async function runServices(prepared: Prepared, { databaseUrl, code, progress, signal }: Running): Promise<void> {
  const { config, key } = prepared;
  let giveUp: (problem: StartProblem) => void = () => undefined;
  const givenUp = new Promise<never>((_resolve, reject) => {
    giveUp = reject;
  });
  givenUp.catch(() => undefined);
  const watcher = { onEvent: progress.say, onGiveUp: (line: string) => giveUp(new StartProblem(line, 'The last lines of that log say why.')) };
  const redis = redisService(prepared);
  const kept: KeptProcess[] = [];
  const run = (service: Parameters<typeof nodeService>[1] | 'redis'): void => {
    const process_ = new KeptProcess(service === 'redis' && redis !== null ? redis : nodeService(prepared, service as 'server', { code, databaseUrl }), watcher);
    kept.push(process_);
    process_.start();
  };
  const keeping = new AbortController();
  let ground: Promise<void> = Promise.resolve();
  try {
    if (redis !== null) {
      run('redis');
      await Promise.race([givenUp, progress.step('Redis', () => until('Redis', signal, () => doesRedisAnswer(redisAccess(config.layout, key))))]);
    }
    for (const name of ['server', 'worker'] as const) run(name);
    ground = keepUnlessKept(prepared, progress, keeping.signal);
    await Promise.race([givenUp, progress.step('server and worker', () => untilReady(config, signal))]);
    announce(config, progress);
    await Promise.race([givenUp, aborted(signal)]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    keeping.abort();
    await ground;
    await stopInOrder(kept, redis !== null, progress);
  }
}

/** Server and worker first, side by side, finishing what is in hand; Redis, which they need for that, last. */
async function stopInOrder(kept: readonly KeptProcess[], hasRedis: boolean, progress: Progress): Promise<void> {
  progress.say('Stopping server and worker (what is in hand may finish, 30 s at most) …');
  await Promise.all(kept.slice(hasRedis ? 1 : 0).map((process_) => process_.stop()));
  if (hasRedis) await kept[0]?.stop();
  progress.say('The panel has stopped; experiments and their front door go on. “npm run stop-all” stops those, too.');
}

async function keepUnlessKept(prepared: Prepared, progress: Progress, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && readPid(groundLockOf(prepared)) !== null) await delay(2000, undefined, { signal }).catch(() => undefined);
  await keepGround(prepared, progress, signal);
}

function announce(config: Config, progress: Progress): void {
  const { firstRunLinkFile } = config.layout;
  const link = existsSync(firstRunLinkFile) ? readFileSync(firstRunLinkFile, 'utf8').trim() : null;
  progress.say('');
  progress.say(`Arboretum is ready: ${config.publicUrl.href}`);
  progress.say(link === null ? 'Sign in with your user name or e-mail address and password.' : `Make the first account here (the link works once): ${link}`);
  progress.say(`Git: ssh://git@${config.publicUrl.hostname}:${config.GIT_SSH_PORT}/NAME.git     Ctrl-C stops the panel, experiments go on.`);
}

async function untilReady(config: Config, signal: AbortSignal): Promise<void> {
  let last = 'the server does not answer';
  await until('server and worker', signal, async () => {
    const answer = await askReady(config.layout.serverSocket);
    last = answer?.body ?? last;
    return answer?.isReady ?? false;
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new StartProblem(`Server and worker were not ready within ${readyWithinMs / 1000} s: ${last}`, `Their logs are in ${config.layout.logsDir}.`);
  });
}

async function until(what: string, signal: AbortSignal, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new StartProblem(`${what} did not come up within ${readyWithinMs / 1000} s.`, 'Its log says why.');
    await delay(100, undefined, { signal });
  }
}

const aborted = (signal: AbortSignal): Promise<void> => new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));
