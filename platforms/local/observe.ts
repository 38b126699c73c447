// What the platform sees of its instances: supervisord's word, an answer from each, memory, restarts, disk share.

import { readFile, stat } from 'node:fs/promises';
import { replaceFile } from '../owned-files.ts';
import type { Observation } from '../platform.ts';
import { diagnoseLauncher, lastWords } from '../diagnose.ts';
import { measureTree } from '../measure-tree.ts';
import type { InstanceRecord } from '../instance-records.ts';
import { pathsOf, readRecord } from './files.ts';
import type { Ground } from './ground.ts';
import { readHistory, readTail, type RunHistory } from './log-file.ts';
import { answersLogin } from '../otree-client.ts';
import { processesOf, type RunningProcess, scanProcesses } from './processes.ts';
import { listProcesses, type ProcessInfo, programFile } from './supervisor.ts';

const PROBE_MS = 1500;
/** A start that takes longer is no start any more. */
const STARTING_MS = 60_000;
const HISTORY_BYTES = 64 * 1024;
const DISK_CHECK_MS = 30_000;

const NOTHING = { detail: null, exitCode: null, restarts: 0, memoryBytes: null, webProcesses: 0, startedAt: null } as const;

/** Looks at instances; remembers only when it measured their disk share. */
export class Observer {
  readonly #ground: Ground;
  /** Ends an instance that uses more disk than it may. */
  readonly #end: (instanceId: string, osUserId: number | null) => Promise<void>;
  readonly #measured = new Map<string, { at: number; bytes: number | null }>();

  constructor(ground: Ground, end: (instanceId: string, osUserId: number | null) => Promise<void>) {
    this.#ground = ground;
    this.#end = end;
  }

  /** @see Platform.observe */
  async observe(instanceIds: readonly string[]): Promise<Map<string, Observation>> {
    const [kept, all] = await Promise.all([listProcesses(this.#ground).catch(() => null), scanProcesses()]);
    const seen = await Promise.all(instanceIds.map(async (id) => [id, await this.#observeOne(id, kept, all).catch(unreadable)] as const));
    return new Map(seen.map(([id, one]) => [id, { ...one, diskBytes: this.#measured.get(id)?.bytes ?? null }]));
  }

  async #observeOne(instanceId: string, kept: ReadonlyMap<string, ProcessInfo> | null, all: readonly RunningProcess[]): Promise<Seen> {
    const record = await readRecord(this.#ground, instanceId);
    if (record === null) return { ...NOTHING, state: 'absent' };
    const paths = pathsOf(this.#ground, instanceId);
    const stopReason = await readFile(paths.stopReason, 'utf8').catch(() => null);
    if (stopReason !== null) return { ...NOTHING, state: 'crashed', detail: stopReason };
    const info = kept?.get(instanceId);
    if (kept !== null && (info === undefined || info.state === 'STOPPED')) return { ...NOTHING, state: 'stopped' };
    const full = await this.#checkDisk(instanceId, record);
    if (full !== null) return { ...NOTHING, state: 'crashed', detail: full };
    const doesAnswer = await answersLogin({ socketPath: paths.socket }, PROBE_MS);
    if (info === undefined) return this.#withoutKeeper(doesAnswer);
    const history = await this.#history(instanceId);
    const own = processesOf(all, { userId: this.#ground.separatesUsers ? record.osUserId : null, keeperPid: info.pid });
    const memoryBytes = own.reduce((sum, one) => sum + one.memoryBytes, 0);
    const cpuSeconds = own.reduce((sum, one) => sum + one.cpuSeconds, 0);
    return { ...joinObservation({ info, doesAnswer, history, memoryBytes, now: new Date() }), cpuSeconds };
  }

  /** supervisord is away: what answers runs all the same. */
  #withoutKeeper(doesAnswer: boolean): Seen {
    return {
      ...NOTHING,
      state: doesAnswer ? 'running' : 'unhealthy',
      webProcesses: doesAnswer ? 1 : 0,
      detail: 'supervisord, which keeps the experiments running, does not answer.',
    };
  }

  /** Since the last deliberate start, which wrote the program file. */
  async #history(instanceId: string): Promise<RunHistory> {
    const since = (await stat(programFile(this.#ground, instanceId)).catch(() => null))?.mtime ?? new Date();
    return readHistory(await readTail(pathsOf(this.#ground, instanceId).log, HISTORY_BYTES), since);
  }

  async #checkDisk(instanceId: string, { osUserId, limits }: InstanceRecord): Promise<string | null> {
    const now = Date.now();
    if (now - (this.#measured.get(instanceId)?.at ?? 0) < DISK_CHECK_MS) return null;
    const paths = pathsOf(this.#ground, instanceId);
    const sizes = await Promise.all([paths.home, paths.socketDir].map(measureTree));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    this.#measured.set(instanceId, { at: now, bytes: Number.isFinite(bytes) ? bytes : null });
    const usedMib = bytes / 1024 / 1024;
    if (usedMib <= limits.diskMib) return null;
    const detail = `disk share full: its files need ${Number.isFinite(usedMib) ? `${Math.ceil(usedMib)} MiB` : 'more than can be counted'}, it may use ${limits.diskMib} MiB.`;
    this.#measured.delete(instanceId);
    this.#end(instanceId, osUserId)
      .then(() => replaceFile(paths.stopReason, detail, { mode: 0o644 }))
      .catch((error: unknown) => this.#ground.log(`instance ${instanceId}, ${detail} It could not be stopped: ${String(error)}`));
    return detail;
  }
}

const unreadable = (error: unknown): Seen => ({ ...NOTHING, state: 'unhealthy', detail: error instanceof Error ? error.message : String(error) });

type Seen = Omit<Observation, 'diskBytes'>;
type Facts = { readonly info: ProcessInfo; readonly doesAnswer: boolean; readonly history: RunHistory; readonly memoryBytes: number; readonly now: Date };

/** Joins what each source says into one state. Pure. */
export function joinObservation({ info, doesAnswer, history, memoryBytes, now }: Facts): Seen {
  const restarts = Math.max(0, history.starts - 1);
  const isUp = info.state === 'RUNNING' || info.state === 'STARTING';
  const running = { exitCode: null, restarts, memoryBytes: isUp ? memoryBytes : null, startedAt: isUp ? info.startedAt : null };
  if (isUp && doesAnswer) return { ...running, state: 'running', detail: restarts === 0 ? null : detailOfEnd(history), webProcesses: 1 };
  if (info.state === 'STOPPING') return { ...running, state: 'stopped', detail: 'it is being stopped', webProcesses: 0 };
  const isLooping = info.state === 'STARTING' && restarts > 0;
  if (!isUp || isLooping) return { ...running, state: 'crashed', detail: detailOfEnd(history), exitCode: history.exitCode, webProcesses: 0 };
  const isYoung = now.getTime() - info.startedAt.getTime() < STARTING_MS;
  return { ...running, state: isYoung ? 'starting' : 'unhealthy', detail: isYoung ? null : 'it runs but does not answer', webProcesses: 0 };
}

function detailOfEnd({ exitCode, isOutOfMemory, lastRun }: RunHistory): string {
  if (isOutOfMemory) return 'out of memory: it used more than it may.';
  const failure = { exitCode, output: lastRun };
  return diagnoseLauncher(failure)?.message ?? lastWords(failure);
}
