// What the engine sees of instances: its word about tasks and containers, an answer from each, memory, restarts, disk.

import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { diagnoseLauncher, lastWords } from '../diagnose.ts';
import { measureTree } from '../measure-tree.ts';
import { answersLogin } from '../otree-client.ts';
import { replaceFile } from '../owned-files.ts';
import type { Observation } from '../platform.ts';
import { keepLog } from '../timed-log.ts';
import { ownServerOf } from './database-server.ts';
import { asking } from './engine.ts';
import type { InstanceRecord } from '../instance-records.ts';
import { pathsOf, readRecord } from './files.ts';
import type { Ground } from './ground.ts';
import { listNodes, type Run, runsFrom } from './elsewhere.ts';
import { lookAtEnd, lookAtRun } from './inspection.ts';
import { linesOf, logOf } from './logs.ts';
import { LABEL, ownedBy, serviceName } from './names.ts';
import { type Listed, listTasks, type Task } from './services.ts';

const PROBE_MS = 1200;
/** An engine that is slower is taken for away, so that one call stays within 2 s. */
const PATIENCE_MS = 1500;
/** A start that takes longer is no start any more. */
const STARTING_MS = 60_000;
const LAST_LINES = 200;
const DISK_CHECK_MS = 30_000;
/** From here on it is said that it ends again and again. */
const LOOP = 3;
const SERVICE_ID = 'com.docker.swarm.service.id';

type Seen = Omit<Observation, 'diskBytes' | 'hasOwnDatabaseServer'>;
const NOTHING = { detail: null, exitCode: null, restarts: 0, memoryBytes: null, webProcesses: 0, startedAt: null } as const;

/** One look at the engine, for all instances. */
type Look = {
  readonly services: ReadonlyMap<string, { id: string; at: number }>;
  readonly tasks: readonly Task[];
  readonly runs: readonly (Listed | Run)[];
  readonly hasSeveralHosts: boolean;
};

/** The container that runs, the one that ended last, and what the scheduler knows. */
type Serving = { readonly current: Listed | Run; readonly before: Listed | Run | undefined; readonly restarts: number; readonly tasks: readonly Task[] };

/** Looks at instances; remembers how often each service was started, for the engine forgets all but the last few. */
export class Observer {
  readonly #ground: Ground;
  /** Ends an instance that uses more disk than it may. */
  readonly #end: (instanceId: string) => Promise<void>;
  readonly #measured = new Map<string, { at: number; bytes: number | null }>();
  readonly #starts = new Map<string, Set<string>>();
  #awaySince: Date | null = null;

  constructor(ground: Ground, end: (instanceId: string) => Promise<void>) {
    this.#ground = ground;
    this.#end = end;
  }

  /** @see Platform.observe */
  async observe(instanceIds: readonly string[]): Promise<Map<string, Observation>> {
    const late = new AbortController();
    const look = await Promise.race([this.#look().catch(() => null), pause(PATIENCE_MS, null, { signal: late.signal }).catch(() => null)]);
    late.abort();
    if (look !== null) this.#awaySince = null;
    else this.#awaySince ??= new Date();
    if (look !== null) this.#forgetEnded(look);
    const seen = await Promise.all(instanceIds.map(async (id) => [id, await this.#observeOne(id, look).catch(unreadable)] as const));
    return new Map(seen.map(([id, one]) => [id, { ...one, ...this.#keptOf(id) }]));
  }

  /** What the folder of an instance says, whether or not the engine answers. */
  #keptOf(instanceId: string): Pick<Observation, 'diskBytes' | 'hasOwnDatabaseServer'> {
    return { diskBytes: this.#measured.get(instanceId)?.bytes ?? null, hasOwnDatabaseServer: ownServerOf(this.#ground, instanceId) !== null };
  }

  async #look(): Promise<Look> {
    const { panelId, registry, engine } = this.#ground;
    const filters = ownedBy({ panelId, part: 'serve' });
    const [services, tasks, containers, nodes] = await Promise.all([
      asking(engine.quick.listServices({ filters })),
      listTasks(this.#ground),
      registry === null ? asking(engine.quick.listContainers({ all: true, filters })) : [],
      registry === null ? [] : listNodes(this.#ground),
    ]);
    const runs = registry === null ? containers.toSorted((a, b) => a.Created - b.Created) : runsFrom(tasks, nodes, panelId);
    const named = services.map(({ ID, Spec, CreatedAt }): [string, { id: string; at: number }] => [
      Spec?.Name ?? '',
      { id: ID, at: Date.parse(CreatedAt ?? '') },
    ]);
    return { services: new Map(named), tasks, runs, hasSeveralHosts: nodes.length > 1 };
  }

  async #observeOne(instanceId: string, look: Look | null): Promise<Seen> {
    const record = await readRecord(this.#ground, instanceId);
    if (record === null) return { ...NOTHING, state: 'absent' };
    const paths = pathsOf(this.#ground, instanceId);
    const stopReason = await readFile(paths.stopReason, 'utf8').catch(() => null);
    if (stopReason !== null) return { ...NOTHING, state: 'crashed', detail: stopReason };
    if (look === null) return this.#withoutEngine(await answersLogin({ socketPath: paths.socket }, PROBE_MS));
    const service = look.services.get(serviceName(instanceId));
    if (service === undefined) return { ...NOTHING, state: 'stopped' };
    const full = await this.#checkDisk(instanceId, record);
    if (full !== null) return { ...NOTHING, state: 'crashed', detail: full };
    const own = look.runs.filter(({ Labels }) => Labels[LABEL.instance] === instanceId && Labels[SERVICE_ID] === service.id);
    const tasks = look.tasks.filter(({ ServiceID }) => ServiceID === service.id);
    const restarts = Math.max(0, this.#countStarts(instanceId, service.id, own) - 1);
    const current = own.findLast(({ State }) => State === 'running');
    const before = own.findLast(({ State }) => State === 'exited' || State === 'dead');
    if (current !== undefined) {
      const host = look.hasSeveralHosts && 'host' in current ? current.host?.Description.Hostname : undefined;
      return { ...(await this.#lookAtRunning(instanceId, { current, before, restarts, tasks })), ...(host === undefined ? {} : { host }) };
    }
    if (restarts > 0 || before !== undefined) return { ...NOTHING, state: 'crashed', restarts, ...(await this.#endOf(before, tasks, restarts)) };
    return this.#lookAtWaiting(tasks, service.at);
  }

  /** The engine is away: what answers runs all the same. */
  #withoutEngine(doesAnswer: boolean): Seen {
    const since = (this.#awaySince ?? new Date()).toISOString().slice(11, 16);
    const detail = `The Docker Engine does not answer since ${since} UTC.`;
    return { ...NOTHING, state: doesAnswer ? 'running' : 'unknown', webProcesses: doesAnswer ? 1 : 0, detail };
  }

  async #lookAtRunning(instanceId: string, { current, before, restarts, tasks }: Serving): Promise<Seen> {
    const [doesAnswer, { isOutOfMemory, startedAt, memoryBytes }] = await Promise.all([
      answersLogin({ socketPath: pathsOf(this.#ground, instanceId).socket }, PROBE_MS),
      lookAtRun(this.#ground, current),
    ]);
    const seen = { ...NOTHING, restarts, startedAt, memoryBytes };
    if (doesAnswer) {
      const detail = isOutOfMemory ? OUT_OF_MEMORY : restarts === 0 ? null : (await this.#endOf(before, tasks, restarts)).detail;
      return { ...seen, state: 'running', webProcesses: 1, detail };
    }
    const isYoung = Date.now() - startedAt.getTime() < STARTING_MS;
    if (isYoung && restarts > 0) return { ...seen, state: 'crashed', ...(await this.#endOf(before, tasks, restarts)) };
    return { ...seen, state: isYoung ? 'starting' : 'unhealthy', detail: isYoung ? null : 'it runs but does not answer' };
  }

  /** No container was made yet. */
  #lookAtWaiting(tasks: readonly Task[], madeAt: number): Seen {
    const detail = tasks.at(-1)?.Status.Err ?? null;
    const isYoung = Date.now() - madeAt < STARTING_MS && detail === null;
    return { ...NOTHING, state: isYoung ? 'starting' : 'unhealthy', detail: isYoung ? null : (detail ?? 'The Docker Engine does not start its container.') };
  }

  /** How and why it ended the last time, in plain words. */
  async #endOf(ended: Listed | Run | undefined, tasks: readonly Task[], restarts: number): Promise<{ exitCode: number | null; detail: string }> {
    const repeated = restarts >= LOOP ? `It ends again and again (started ${restarts + 1} times). The last time: ` : '';
    const end = ended === undefined ? null : await lookAtEnd(this.#ground, ended);
    if (ended === undefined || end === null) {
      // The engine has cleared the container away; its scheduler remembers a few more.
      const last = tasks.findLast(({ Status }) => Status.Err !== undefined)?.Status;
      return { exitCode: last?.ContainerStatus?.ExitCode ?? null, detail: `${repeated}${last?.Err ?? 'its container is gone.'}` };
    }
    const { exitCode, isOutOfMemory, words, isMove } = end;
    if (words !== null && isMove) return { exitCode, detail: words };
    if (isOutOfMemory) return { exitCode, detail: `${repeated}${OUT_OF_MEMORY}` };
    if (words !== null) return { exitCode, detail: `${repeated}${words}` };
    const killed = exitCode === null ? undefined : KILLED.get(exitCode);
    if (killed !== undefined) return { exitCode, detail: `${repeated}${killed}` };
    const output = (await linesOf(this.#ground, ended, LAST_LINES).catch(() => [])).map(({ text }) => `${text}\n`).join('');
    const failure = { exitCode, output };
    return { exitCode, detail: `${repeated}${diagnoseLauncher(failure)?.message ?? lastWords(failure)}` };
  }

  /** The engine keeps the last few containers of a service; those seen before count, too. At a new one, what its predecessors wrote is kept. */
  #countStarts(instanceId: string, serviceId: string, own: readonly (Listed | Run)[]): number {
    const known = this.#starts.get(serviceId) ?? new Set<string>();
    this.#starts.set(serviceId, known);
    const before = known.size;
    for (const { Id, State } of own) if (State !== 'created') known.add(Id);
    if (before > 0 && known.size > before) {
      keepLog(logOf(this.#ground, instanceId)).catch((error: unknown) => this.#ground.log(`the log of ${instanceId} could not be kept: ${String(error)}`));
    }
    return known.size;
  }

  #forgetEnded(look: Look): void {
    const there = new Set([...look.services.values()].map(({ id }) => id));
    for (const id of this.#starts.keys()) if (!there.has(id)) this.#starts.delete(id);
  }

  /** Only the folder of its socket is on this machine's disk: its other files lie in memory, and are limited there. */
  async #checkDisk(instanceId: string, { limits }: InstanceRecord): Promise<string | null> {
    const now = Date.now();
    if (now - (this.#measured.get(instanceId)?.at ?? 0) < DISK_CHECK_MS) return null;
    const paths = pathsOf(this.#ground, instanceId);
    const bytes = await measureTree(paths.socketDir);
    this.#measured.set(instanceId, { at: now, bytes: Number.isFinite(bytes) ? bytes : null });
    const usedMib = bytes / 1024 / 1024;
    if (usedMib <= limits.diskMib) return null;
    const detail = `disk share full: its files need ${Number.isFinite(usedMib) ? `${Math.ceil(usedMib)} MiB` : 'more than can be counted'}, it may use ${limits.diskMib} MiB.`;
    this.#measured.delete(instanceId);
    this.#end(instanceId)
      .then(() => replaceFile(paths.stopReason, detail, { mode: 0o644 }))
      .catch((error: unknown) => this.#ground.log(`instance ${instanceId}, ${detail} It could not be stopped: ${String(error)}`));
    return detail;
  }
}

/** Exit codes 128 + signal: its own last words say nothing about that. */
const KILLED: ReadonlyMap<number, string> = new Map([
  [137, 'it was killed from outside (SIGKILL), or did not end when it was asked to.'],
  [143, 'it was ended from outside (SIGTERM).'],
]);
const OUT_OF_MEMORY = 'out of memory: it used more than it may.';

const unreadable = (error: unknown): Seen => ({ ...NOTHING, state: 'unhealthy', detail: error instanceof Error ? error.message : String(error) });
