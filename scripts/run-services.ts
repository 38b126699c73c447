// Redis, server and worker: started in order, waited for, announced, kept, and stopped in reverse.

import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../domain/config.ts';
import type { ServiceCode } from './code-for-services.ts';
import { inheritedEnvironment } from './environment.ts';
import { groundLockOf, keepGround } from './ground.ts';
import { doesRedisAnswer, redisAccess } from './ground-redis.ts';
import type { Prepared } from './prepare.ts';
import { readPid } from './process-identity.ts';
import { StartProblem } from './problem.ts';
import { KeptProcess } from './processes.ts';
import type { Progress } from './progress.ts';
import { askReady, nodeService, redisService } from './services.ts';

const readyWithinMs = 90_000;

export type Running = { readonly databaseUrl: string; readonly code: ServiceCode; readonly progress: Progress; readonly signal: AbortSignal };

/** Until the signal. @throws StartProblem when they do not come up, or die too often */
export async function runServices(prepared: Prepared, { databaseUrl, code, progress, signal }: Running): Promise<void> {
  const { config, key } = prepared;
  const surrender = new AbortController();
  const surrendered = aborted(surrender.signal).then(() => Promise.reject(surrender.signal.reason as StartProblem));
  surrendered.catch(() => undefined);
  const watcher = { onEvent: progress.say, onGiveUp: (line: string) => surrender.abort(new StartProblem(line, 'The last lines of that log say why.')) };
  const redisSettings = redisService(prepared);
  const redis = redisSettings === null ? null : new KeptProcess(redisSettings, watcher);
  const nodes = (['server', 'worker'] as const).map((name) => new KeptProcess(nodeService(prepared, name, { code, databaseUrl }), watcher));
  const orEarlier = <T>(work: Promise<T>): Promise<T> => Promise.race([surrendered, work]);
  const keeping = new AbortController();
  let ground: Promise<void> = Promise.resolve();
  try {
    redis?.start();
    if (redis !== null) await orEarlier(progress.step('Redis', () => until('Redis', signal, () => doesRedisAnswer(redisAccess(config.layout, key)))));
    for (const node of nodes) node.start();
    ground = keepUnlessKept(prepared, progress, keeping.signal);
    await orEarlier(progress.step('server and worker', () => untilReady(config, signal)));
    announce(config, progress);
    progress.show('Ctrl-C stops the panel; experiments go on.');
    await orEarlier(aborted(signal));
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    keeping.abort();
    await ground;
    progress.say('Stopping server and worker (what is in hand may finish, 30 s at most) …');
    await Promise.all(nodes.map((node) => node.stop()));
    // They need Redis for what is in hand: it goes last.
    await redis?.stop();
    progress.say('The panel has stopped; experiments and their front door go on. “npm run stop-all” stops those, too.');
  }
}

async function keepUnlessKept(prepared: Prepared, progress: Progress, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && readPid(groundLockOf(prepared)) !== null) await delay(2000, undefined, { signal }).catch(() => undefined);
  await keepGround(prepared, progress, signal);
}

/** Tells people where it is and how they get in. */
export function announce(config: Config, progress: Progress): void {
  const { firstRunLinkFile } = config.layout;
  const link = existsSync(firstRunLinkFile) ? readFileSync(firstRunLinkFile, 'utf8').trim() : null;
  progress.say('');
  progress.say(`Arboretum is ready: ${config.publicUrl.href}`);
  // Whoever has the link becomes the first manager: it does not belong into a log, systemd's journal included.
  const shown = inheritedEnvironment()['JOURNAL_STREAM'] ? `in ${firstRunLinkFile}` : link;
  progress.show(link === null ? 'Sign in with your user name or e-mail address and password.' : `Make the first account here (the link works once): ${shown}`);
  progress.say(`Git: ssh://git@${config.publicUrl.hostname}:${config.GIT_SSH_PORT}/NAME.git`);
}

/** Waits until server, worker, Redis and database answer. @throws StartProblem after 90 s */
export async function untilReady(config: Config, signal: AbortSignal): Promise<void> {
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

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));
