// The local platform: instances as processes of this machine, under supervisord, each with a user id of its own.

import { constants } from 'node:fs';
import { access, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { AppError } from '../../contracts/errors.ts';
import { endControlGroup, placeLauncher } from '../confined.ts';
import type { BotsRun, Capabilities, InstanceAccess, InstanceSpec, LogPiece, Observation, Usage } from '../platform.ts';
import type { BuildRequest, BuiltRelease, Trial } from '../release.ts';
import type { EditedRoom } from '../project.ts';
import type { Movable } from '../moving.ts';
import { OnThisMachine } from '../on-this-machine.ts';
import { InstanceDatabases } from '../postgres.ts';
import { foreignPlaces } from '../uv.ts';
import { playBots } from './bots.ts';
import { buildRelease } from './build.ts';
import { pruneEnvironments } from './environment.ts';
import { createFolders, pathsOf, pruneReleases, readRecord, selectedRelease, selectRelease, writeEnvironment, writeRecord, writeRooms } from './files.ts';
import type { Ground, LocalOptions } from './ground.ts';
import { openLog, readLogFrom } from './log-follow.ts';
import { readLog } from './log-file.ts';
import { measureInstances } from './measure.ts';
import { Observer } from './observe.ts';
import {
  endInstance,
  isProgramUp,
  liveEnvironment,
  resetDatabase,
  restoreSocketDirectories,
  type RunIo,
  startInstance,
  stopInstance,
  tryRelease,
} from './run.ts';
import { listProcesses } from './supervisor.ts';

export type { LocalOptions } from './ground.ts';

type Named = Pick<InstanceSpec, 'instanceId' | 'osUserId'>;

export class LocalPlatform extends OnThisMachine<Ground> implements Movable {
  readonly kind = 'local';
  readonly hosts = null;
  readonly #observer: Observer;

  constructor(options: LocalOptions) {
    super({ ...options, databases: new InstanceDatabases(options.postgres) });
    this.#observer = new Observer(this.ground, (instanceId, osUserId) => stopInstance(this.ground, instanceId, osUserId));
  }

  async capabilities(): Promise<Capabilities> {
    const { separatesUsers } = this.ground;
    const places = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/cgroup.subtree_control'];
    const isWritable = await Promise.all(places.map(canWrite));
    return {
      diskLimit: true,
      memoryLimit: separatesUsers && isWritable.includes(true),
      separatesUsers,
      playsBots: true,
      measures: ['core', 'memory'],
      isolationNote: separatesUsers
        ? 'Every instance runs under a user id of its own and cannot read the others’ files, settings or data; they share this machine’s network and temporary folder.'
        : 'All instances run under one user id and can read each other’s files: for trusted users only.',
    };
  }

  async create(spec: InstanceSpec, signal: AbortSignal): Promise<void> {
    await this.prepare();
    signal.throwIfAborted();
    await createFolders(this.ground, spec);
    await this.ground.databases.create(spec.instanceId, spec.databasePassword);
    await this.configure(spec);
  }

  async configure(spec: InstanceSpec): Promise<void> {
    await this.prepare();
    if (this.ground.separatesUsers && spec.osUserId === null) throw new Error('this platform needs a user id for each instance');
    await writeRecord(this.ground, spec);
    const release = await selectedRelease(this.ground, spec.instanceId);
    if (release !== null) await writeEnvironment(this.ground, spec, liveEnvironment(this.ground, spec, release));
  }

  async setRooms(spec: InstanceAccess, rooms: readonly EditedRoom[]): Promise<void> {
    await this.prepare();
    await writeRooms(this.ground, spec, rooms);
  }

  async build(spec: InstanceSpec, request: BuildRequest): Promise<BuiltRelease> {
    await this.prepare();
    request.signal.throwIfAborted();
    try {
      return await buildRelease(this.ground, spec, request);
    } finally {
      for (const purpose of ['build', 'source', 'try']) await endControlGroup(`${purpose}-${spec.instanceId}`);
    }
  }

  async tryRelease(spec: InstanceSpec, releaseNumber: number, io: RunIo): Promise<Trial> {
    await this.prepare();
    await this.#requireRelease(spec, releaseNumber);
    return await tryRelease(this.ground, spec, { release: releaseNumber, signal: io.signal, onOutput: io.onOutput });
  }

  async selectRelease(spec: InstanceSpec, releaseNumber: number): Promise<void> {
    await this.#requireRelease(spec, releaseNumber);
    await selectRelease(this.ground, spec.instanceId, releaseNumber);
  }

  async start(spec: InstanceSpec, signal: AbortSignal): Promise<void> {
    await this.prepare();
    await startInstance(this.ground, spec, signal);
  }

  async stop(instance: Named, signal: AbortSignal): Promise<void> {
    await this.prepare();
    signal.throwIfAborted();
    await stopInstance(this.ground, instance.instanceId, instance.osUserId);
  }

  async observe(instanceIds: readonly string[]): Promise<ReadonlyMap<string, Observation>> {
    return await this.#observer.observe(instanceIds);
  }

  async measure(instanceIds: readonly string[]): Promise<ReadonlyMap<string, Usage>> {
    return await measureInstances(this.ground, instanceIds);
  }

  async playBots(spec: InstanceSpec, run: BotsRun): Promise<void> {
    await this.prepare();
    await this.#requireRelease(spec, run.releaseNumber);
    await playBots(this.ground, spec, run);
  }

  async resetDatabase(spec: InstanceSpec, io: RunIo): Promise<void> {
    await this.prepare();
    await resetDatabase(this.ground, spec, io);
  }

  async readLog(instanceId: string, maxBytes: number): Promise<string> {
    return await readLog(pathsOf(this.ground, instanceId).log, maxBytes);
  }

  async readLogFrom(instanceId: string, from: { readonly position: string | null; readonly maxBytes: number }): Promise<LogPiece> {
    return await readLogFrom(pathsOf(this.ground, instanceId).log, from);
  }

  openLog(instanceId: string): Readable {
    return openLog(pathsOf(this.ground, instanceId).log);
  }

  async pruneReleases(spec: InstanceSpec, keep: readonly number[]): Promise<void> {
    await pruneReleases(this.ground, spec.instanceId, keep);
    await pruneEnvironments(this.ground, new Date());
  }

  override async destroy(instance: Named, signal: AbortSignal): Promise<void> {
    await this.stop(instance, signal);
    await super.destroy(instance, signal);
  }

  async findTie(): Promise<null> {
    return null;
  }

  async findProblem(): Promise<string | null> {
    return await listProcesses(this.ground).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  }

  /** Not by the user id: on another platform the instance may run under it just now. */
  async vacate({ instanceId }: Named, signal: AbortSignal): Promise<void> {
    await this.prepare();
    signal.throwIfAborted();
    await endInstance(this.ground, instanceId, null);
    for (const purpose of ['build', 'source']) await endControlGroup(`${purpose}-${instanceId}`);
    await this.participantReader.forget(instanceId);
    const { trialSocketDir, root } = pathsOf(this.ground, instanceId);
    for (const place of [trialSocketDir, foreignPlaces(this.ground, instanceId).installCache, root]) await rm(place, { recursive: true, force: true });
  }

  async #requireRelease(spec: InstanceSpec, releaseNumber: number): Promise<void> {
    const file = path.join(pathsOf(this.ground, spec.instanceId).release(releaseNumber), 'release.json');
    await access(file).catch(() => {
      throw new AppError('platform_failed', { reason: `version ${releaseNumber} was not built, or has been removed.` });
    });
  }

  protected get home(): string {
    return this.ground.layout.instancesDir;
  }

  protected placesOf(instanceId: string): ReturnType<typeof pathsOf> {
    return pathsOf(this.ground, instanceId);
  }

  protected async isUp(instanceId: string): Promise<boolean> {
    return await isProgramUp(this.ground, instanceId);
  }

  protected async prepareOnce(): Promise<void> {
    const ground = this.ground;
    await placeLauncher(ground);
    await restoreSocketDirectories(ground, async (instanceId) => {
      const record = await readRecord(ground, instanceId).catch(() => null);
      return record === null ? undefined : record.osUserId;
    });
  }
}

const canWrite = (place: string): Promise<boolean> =>
  access(place, constants.W_OK).then(
    () => true,
    () => false,
  );
