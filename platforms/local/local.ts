// The local platform: instances as processes of this machine, under supervisord, each with a user id of its own.

import { constants } from 'node:fs';
import { access, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { AppError } from '../../contracts/errors.ts';
import { endControlGroup, placeLauncher } from '../confined.ts';
import type {
  BotsRun,
  BuildRequest,
  BuiltRelease,
  Capabilities,
  Dump,
  EditedRoom,
  InstanceAccess,
  InstanceSpec,
  LogPiece,
  Observation,
  OpenedAnswer,
  OtreeRequest,
  ParticipantRow,
  Platform,
  Trial,
} from '../platform.ts';
import { ParticipantReader } from '../otree-tables.ts';
import { InstanceDatabases } from '../postgres.ts';
import { dumpDatabase, restoreDatabase, verifyDump } from '../postgres-dump.ts';
import { foreignPlaces } from '../uv.ts';
import { playBots } from './bots.ts';
import { buildRelease } from './build.ts';
import { pruneEnvironments } from './environment.ts';
import { createFolders, pathsOf, pruneReleases, readRecord, selectedRelease, selectRelease, writeEnvironment, writeRecord, writeRooms } from './files.ts';
import type { Ground, LocalOptions } from './ground.ts';
import { openLog, readLogFrom } from './log-follow.ts';
import { readLog } from './log-file.ts';
import { Observer } from './observe.ts';
import { askOtree, openOtree } from '../otree-client.ts';
import { isProgramUp, liveEnvironment, resetDatabase, restoreSocketDirectories, type RunIo, startInstance, stopInstance, tryRelease } from './run.ts';

export type { LocalOptions } from './ground.ts';

type Named = Pick<InstanceSpec, 'instanceId' | 'osUserId'>;

export class LocalPlatform implements Platform {
  readonly kind = 'local';
  readonly adoption = null;
  readonly hosts = null;
  readonly #ground: Ground;
  readonly #observer: Observer;
  readonly #participants = new ParticipantReader();
  #ready: Promise<void> | null = null;

  constructor(options: LocalOptions) {
    this.#ground = { ...options, databases: new InstanceDatabases(options.postgres) };
    this.#observer = new Observer(this.#ground, (instanceId, osUserId) => stopInstance(this.#ground, instanceId, osUserId));
  }

  /** Puts the launcher where instances can read it, and back what a reboot took. Every method does it first, once; call it at start so that instances come back early. */
  async prepare(): Promise<void> {
    this.#ready ??= this.#prepare();
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = null;
      throw error;
    }
  }

  async lookAtHost(): Promise<null> {
    return null;
  }

  async capabilities(): Promise<Capabilities> {
    const { separatesUsers } = this.#ground;
    const places = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/cgroup.subtree_control'];
    const isWritable = await Promise.all(
      places.map((place) =>
        access(place, constants.W_OK).then(
          () => true,
          () => false,
        ),
      ),
    );
    return {
      diskLimit: true,
      memoryLimit: separatesUsers && isWritable.includes(true),
      separatesUsers,
      playsBots: true,
      isolationNote: separatesUsers
        ? 'Every instance runs under a user id of its own and cannot read the others’ files, settings or data; they share this machine’s network and temporary folder.'
        : 'All instances run under one user id and can read each other’s files: for trusted users only.',
    };
  }

  async create(spec: InstanceSpec, signal: AbortSignal): Promise<void> {
    await this.prepare();
    signal.throwIfAborted();
    await createFolders(this.#ground, spec);
    await this.#ground.databases.create(spec.instanceId, spec.databasePassword);
    await this.configure(spec);
  }

  async configure(spec: InstanceSpec): Promise<void> {
    await this.prepare();
    if (this.#ground.separatesUsers && spec.osUserId === null) throw new Error('this platform needs a user id for each instance');
    await writeRecord(this.#ground, spec);
    const release = await selectedRelease(this.#ground, spec.instanceId);
    if (release !== null) await writeEnvironment(this.#ground, spec, liveEnvironment(this.#ground, spec, release));
  }

  async setRooms(spec: InstanceAccess, rooms: readonly EditedRoom[]): Promise<void> {
    await this.prepare();
    await writeRooms(this.#ground, spec, rooms);
  }

  async build(spec: InstanceSpec, request: BuildRequest): Promise<BuiltRelease> {
    await this.prepare();
    request.signal.throwIfAborted();
    try {
      return await buildRelease(this.#ground, spec, request);
    } finally {
      for (const purpose of ['build', 'source', 'try']) await endControlGroup(`${purpose}-${spec.instanceId}`);
    }
  }

  async tryRelease(spec: InstanceSpec, releaseNumber: number, io: RunIo): Promise<Trial> {
    await this.prepare();
    await this.#requireRelease(spec, releaseNumber);
    return await tryRelease(this.#ground, spec, { release: releaseNumber, signal: io.signal, onOutput: io.onOutput });
  }

  async selectRelease(spec: InstanceSpec, releaseNumber: number): Promise<void> {
    await this.#requireRelease(spec, releaseNumber);
    await selectRelease(this.#ground, spec.instanceId, releaseNumber);
  }

  async start(spec: InstanceSpec, signal: AbortSignal): Promise<void> {
    await this.prepare();
    await startInstance(this.#ground, spec, signal);
  }

  async stop(instance: Named, signal: AbortSignal): Promise<void> {
    await this.prepare();
    signal.throwIfAborted();
    await stopInstance(this.#ground, instance.instanceId, instance.osUserId);
  }

  async observe(instanceIds: readonly string[]): Promise<ReadonlyMap<string, Observation>> {
    return await this.#observer.observe(instanceIds);
  }

  async keepFront(): Promise<null> {
    return null;
  }

  upstreamSocket(instanceId: string): string {
    return pathsOf(this.#ground, instanceId).socket;
  }

  async askOtree(spec: InstanceAccess, request: OtreeRequest): Promise<{ status: number; body: string }> {
    return await askOtree({ socketPath: this.upstreamSocket(spec.instanceId) }, spec.restKey, request);
  }

  async openOtree(spec: InstanceAccess, request: Pick<OtreeRequest, 'path' | 'timeoutMs'>): Promise<OpenedAnswer> {
    return await openOtree({ socketPath: this.upstreamSocket(spec.instanceId) }, spec.restKey, request);
  }

  async playBots(spec: InstanceSpec, run: BotsRun): Promise<void> {
    await this.prepare();
    await this.#requireRelease(spec, run.releaseNumber);
    await playBots(this.#ground, spec, run);
  }

  async databaseFacts(spec: InstanceAccess): Promise<{ sizeBytes: number; rowCounts: Record<string, number> }> {
    return await this.#ground.databases.facts(spec.instanceId, spec.databasePassword);
  }

  async participants(spec: InstanceAccess): Promise<readonly ParticipantRow[]> {
    return await this.#participants.read(this.#ground.databases.addressOf(spec.instanceId, spec.databasePassword));
  }

  async dumpDatabase(spec: InstanceAccess, file: string, signal: AbortSignal): Promise<Dump> {
    return await dumpDatabase({ databases: this.#ground.databases, instanceId: spec.instanceId, password: spec.databasePassword, file, signal });
  }

  async verifyDump(spec: InstanceAccess, file: string, signal: AbortSignal): Promise<Record<string, number>> {
    return await verifyDump({ databases: this.#ground.databases, instanceId: spec.instanceId, password: spec.databasePassword, file, signal });
  }

  async restoreDatabase(spec: InstanceSpec, dump: Pick<Dump, 'rowCounts'> & { readonly file: string }, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (await isProgramUp(this.#ground, spec.instanceId))
      throw new AppError('restore_failed', { reason: 'the experiment must be stopped before its database is replaced.' });
    const { instanceId, databasePassword: password } = spec;
    await restoreDatabase({ databases: this.#ground.databases, instanceId, password, file: dump.file, signal }, dump.rowCounts);
  }

  async resetDatabase(spec: InstanceSpec, io: RunIo): Promise<void> {
    await this.prepare();
    await resetDatabase(this.#ground, spec, io);
  }

  async readLog(instanceId: string, maxBytes: number): Promise<string> {
    return await readLog(pathsOf(this.#ground, instanceId).log, maxBytes);
  }

  async readLogFrom(instanceId: string, from: { readonly position: string | null; readonly maxBytes: number }): Promise<LogPiece> {
    return await readLogFrom(pathsOf(this.#ground, instanceId).log, from);
  }

  openLog(instanceId: string): Readable {
    return openLog(pathsOf(this.#ground, instanceId).log);
  }

  async pruneReleases(spec: InstanceSpec, keep: readonly number[]): Promise<void> {
    await pruneReleases(this.#ground, spec.instanceId, keep);
    await pruneEnvironments(this.#ground, new Date());
  }

  async destroy(instance: Named, signal: AbortSignal): Promise<void> {
    const { instanceId } = instance;
    await this.stop(instance, signal);
    const paths = pathsOf(this.#ground, instanceId);
    for (const purpose of ['build', 'source']) await endControlGroup(`${purpose}-${instanceId}`);
    await this.#participants.forget(instanceId);
    await this.#ground.databases.drop(instanceId);
    const foreign = foreignPlaces(this.#ground, instanceId);
    const places = [paths.socketDir, paths.trialSocketDir, foreign.dir, foreign.installCache, paths.root];
    for (const place of places) await rm(place, { recursive: true, force: true });
  }

  async #requireRelease(spec: InstanceSpec, releaseNumber: number): Promise<void> {
    const file = path.join(pathsOf(this.#ground, spec.instanceId).release(releaseNumber), 'release.json');
    await access(file).catch(() => {
      throw new AppError('platform_failed', { reason: `version ${releaseNumber} was not built, or has been removed.` });
    });
  }

  async #prepare(): Promise<void> {
    const ground = this.#ground;
    await placeLauncher(ground);
    await restoreSocketDirectories(ground, async (instanceId) => {
      const record = await readRecord(ground, instanceId).catch(() => null);
      return record === null ? undefined : record.osUserId;
    });
  }
}
