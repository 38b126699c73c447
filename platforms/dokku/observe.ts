// What the host sees of instances: Docker's word about the container, an answer through nginx, and what was known when the host is away.

import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../contracts/errors.ts';
import { enter, logs, psInspect, psReport } from '../dokku-commands.ts';
import { explainFailure } from '../dokku-failures.ts';
import { type DokkuContainer, readLogLines, readPsInspect, readPsReport } from '../dokku-reports.ts';
import { diagnoseLauncher, lastWords } from '../diagnose.ts';
import { answersLogin } from '../otree-client.ts';
import type { Observation, Usage } from '../platform.ts';
import { ask, failure, tryToAsk } from './asking.ts';
import { launcherWords } from './dockerfile.ts';
import { DoubledContainers } from './doubled.ts';
import { placeOf } from './front.ts';
import { type Host, liveApp } from './host.ts';
import { OnceAMinute } from './once-a-minute.ts';

/** One look at all; a host that is slower is answered for from memory. */
const PATIENCE_MS = 1900;
/** Where nothing is remembered, or what is remembered was overtaken by a start or a stop. */
const FIRST_PATIENCE_MS = 15_000;
const PROBE_MS = 1500;
/** A start that takes longer is no start any more. */
const STARTING_MS = 60_000;
const LOG_LINES = 200;

const NOTHING = { detail: null, exitCode: null, restarts: 0, memoryBytes: null, diskBytes: null, webProcesses: 0, startedAt: null } as const;

/** Two looks at a time, and after each a rest as long as it took: a look costs the host real work, and the panel wants one every 2 s. */
class Looks {
  #free = 2;
  readonly #waiting: (() => void)[] = [];

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const began = Date.now();
    try {
      return await work();
    } finally {
      setTimeout(() => this.#next(), Date.now() - began).unref();
    }
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** What is asked less often. */
type More = { readonly doubled: DoubledContainers; readonly memory: OnceAMinute<number> };

/** Looks at instances and remembers what it saw, for the time when the host does not answer. */
export class Observer {
  readonly #host: Host;
  readonly #known = new Map<string, Observation>();
  readonly #looking = new Map<string, Promise<Observation>>();
  readonly #looks = new Looks();
  readonly #more: More;

  constructor(host: Host) {
    this.#host = host;
    this.#more = { doubled: new DoubledContainers(host), memory: new OnceAMinute() };
  }

  /** @see Platform.observe */
  async observe(instanceIds: readonly string[]): Promise<Map<string, Observation>> {
    return new Map(await Promise.all(instanceIds.map(async (id) => [id, await this.#observeOne(id)] as const)));
  }

  /** What was seen last of those that run: their memory is asked for once a minute already, and no report of Dokku's tells more. */
  usageOf(instanceIds: readonly string[]): Map<string, Usage> {
    if (!this.#host.connection.state().isUp) return new Map();
    const seen = instanceIds.map((id) => [id, this.#known.get(id)] as const);
    return new Map(
      seen.flatMap(([id, one]) => {
        if (one === undefined || one.memoryBytes === null) return [];
        return [[id, { run: one.startedAt?.toISOString() ?? '', memoryBytes: one.memoryBytes, cpuSeconds: null, network: null }] as const];
      }),
    );
  }

  /** What was seen of an instance before is no longer true. */
  forget(instanceId: string): void {
    this.#known.delete(instanceId);
    this.#looking.delete(instanceId);
  }

  async #observeOne(instanceId: string): Promise<Observation> {
    const known = this.#known.get(instanceId);
    const looking = this.#looking.get(instanceId) ?? this.#look(instanceId);
    const late = new AbortController();
    const patience = pause(known === undefined ? FIRST_PATIENCE_MS : PATIENCE_MS, null, { signal: late.signal }).catch(() => null);
    const seen = await Promise.race([looking, patience]);
    late.abort();
    return seen ?? this.#remembered(instanceId);
  }

  #look(instanceId: string): Promise<Observation> {
    const looking: Promise<Observation> = this.#looks
      .take(async () => await look(this.#host, instanceId, this.#more))
      .then((seen) => {
        if (this.#looking.get(instanceId) === looking) this.#known.set(instanceId, seen);
        return seen;
      })
      .catch((error: unknown) => this.#remembered(instanceId, error))
      .finally(() => {
        if (this.#looking.get(instanceId) === looking) this.#looking.delete(instanceId);
      });
    this.#looking.set(instanceId, looking);
    return looking;
  }

  /** What was seen last; nobody knows how it is while the host is away. */
  #remembered(instanceId: string, error?: unknown): Observation {
    const seen = this.#known.get(instanceId) ?? { ...NOTHING, state: 'unhealthy' as const };
    const { isUp, downSince } = this.#host.connection.state();
    if (!isUp && downSince !== null) return { ...seen, state: 'unknown', detail: this.#saysAway(downSince, error) };
    if (error instanceof Error) return { ...seen, detail: error.message };
    return this.#known.get(instanceId) ?? { ...seen, detail: 'The Dokku host is slow to answer.' };
  }

  /** Minutes go into the sentence, so that it does not change with each look. */
  #saysAway(since: Date, error: unknown): string {
    if (error instanceof AppError && (error.code === 'host_key_changed' || error.code === 'host_refuses_key')) return `${error.message} ${error.hint}`;
    const { reason } = this.#host.connection.state();
    return `The Dokku host cannot be reached since ${since.toISOString().slice(11, 16)} UTC: ${reason ?? 'it does not answer'}.`;
  }
}

async function look(host: Host, instanceId: string, more: More): Promise<Observation> {
  const app = liveApp(instanceId);
  const command = psInspect(app);
  const result = await tryToAsk(host, command);
  if (result.exitCode !== 0) {
    const { kind } = explainFailure(command, result);
    if (kind === 'app_missing') return { ...NOTHING, state: 'absent' };
    if (kind === 'not_deployed') return { ...NOTHING, state: 'stopped' };
    throw failure(command, result);
  }
  const web = readPsInspect(result.stdout).find(({ process }) => process === 'web.1');
  if (web === undefined) return { ...NOTHING, state: 'stopped' };
  if (web.isRunning && !web.isRestarting) {
    const seen = await lookAtRunning(host, instanceId, web);
    if (seen.state !== 'running') return seen;
    const memoryBytes = await more.memory.get({ instanceId, containerId: web.id }, async () => await readMemory(host, app));
    return { ...seen, memoryBytes, detail: (await more.doubled.look(instanceId, web)) ?? seen.detail };
  }
  const { isMeantToRun } = readPsReport((await ask(host, psReport(app))).stdout);
  if (!isMeantToRun) return { ...NOTHING, state: 'stopped' };
  return { ...NOTHING, state: 'crashed', exitCode: web.exitCode, restarts: web.restarts, detail: await detailOfEnd(host, app, web) };
}

/** Asked inside the container: no report of Dokku's tells it. The host's disk is told beside it, by images of this panel's launcher. */
async function readMemory(host: Host, app: string): Promise<number | null> {
  const { exitCode, stdout } = await tryToAsk(host, enter(app, 'web', launcherWords('memory')));
  const [bytes, freeBytes] = stdout.trim().split(' ').map(Number);
  const isNumber = (value: number | undefined): value is number => exitCode === 0 && Number.isSafeInteger(value) && (value ?? -1) >= 0;
  if (isNumber(freeBytes)) host.told.disk = { freeBytes, at: Date.now() };
  return isNumber(bytes) && bytes > 0 ? bytes : null;
}

async function lookAtRunning(host: Host, instanceId: string, web: DokkuContainer): Promise<Observation> {
  const seen = { ...NOTHING, restarts: web.restarts, startedAt: web.startedAt };
  if (await answersLogin(await placeOf(host, instanceId), PROBE_MS)) {
    const detail = web.restarts === 0 ? null : await detailOfEnd(host, liveApp(instanceId), web);
    return { ...seen, state: 'running', webProcesses: 1, detail };
  }
  // Its name may have been changed on the host.
  host.fronts.delete(liveApp(instanceId));
  const isYoung = web.startedAt !== null && Date.now() - web.startedAt.getTime() < STARTING_MS;
  if (isYoung && web.restarts > 0) return { ...seen, state: 'crashed', exitCode: web.exitCode, detail: await detailOfEnd(host, liveApp(instanceId), web) };
  return { ...seen, state: isYoung ? 'starting' : 'unhealthy', detail: isYoung ? null : 'it runs but does not answer' };
}

/** Why it ended, in plain words, from the end of its log. */
async function detailOfEnd(host: Host, app: string, { exitCode, isOutOfMemory }: DokkuContainer): Promise<string> {
  if (isOutOfMemory) return 'out of memory: it used more than it may.';
  const result = await tryToAsk(host, logs(app, { lines: LOG_LINES }));
  const output = result.exitCode === 0 ? readLogLines(result.stdout).map(({ text }) => text) : [];
  const failed = { exitCode, output: output.join('\n') };
  return diagnoseLauncher(failed)?.message ?? lastWords(failed);
}
