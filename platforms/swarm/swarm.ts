// The Swarm platform: instances in containers of a Docker Engine in Swarm mode, on the panel's own machine.

import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { AppError } from '../../contracts/errors.ts';
import { endControlGroup, placeLauncher } from '../confined.ts';
import { makeSocketDirectory } from '../instance-records.ts';
import type { Movable } from '../moving.ts';
import { OnThisMachine } from '../on-this-machine.ts';
import type { BotsRun, Capabilities, Dump, InstanceAccess, InstanceSpec, LogPiece, Observation, Usage } from '../platform.ts';
import type { BuildRequest, BuiltRelease, Trial } from '../release.ts';
import type { EditedRoom } from '../project.ts';
import { InstanceDatabases, socketDirOf } from '../postgres.ts';
import { openLog, readLog, readLogFrom } from '../timed-log.ts';
import { playBots } from './bots.ts';
import { buildRelease } from './build.ts';
import { chooseServer, type Ensuring, ensureDatabaseServer, keepDatabaseServer, ownServerOf, removeDatabaseServer } from './database-server.ts';
import { Engine } from './engine.ts';
import { createFolders, forgetReleases, listInstances, pathsOf, readRecord, requireRelease, selectRelease, writeRecord, writeRooms } from './files.ts';
import type { Ground, SwarmOptions } from './ground.ts';
import { SwarmHosts } from './hosts.ts';
import { pruneImages } from './images.ts';
import { logOf } from './logs.ts';
import { measureInstances, measuresOf } from './measure.ts';
import { panelIdOf } from './names.ts';
import { Observer } from './observe.ts';
import { resetDatabase, type RunIo, startInstance, stopInstance } from './running.ts';
import { endService, findService, removeNetwork, removeSecrets } from './services.ts';
import { ensureManager, nodeOf, requireVersion } from './swarm-node.ts';
import { tryRelease } from './trials.ts';

export type { SwarmOptions } from './ground.ts';

type Named = Pick<InstanceSpec, 'instanceId' | 'osUserId'>;

export class SwarmPlatform extends OnThisMachine<Ground> implements Movable {
  readonly kind = 'swarm';
  readonly hosts: SwarmHosts;
  readonly #observer: Observer;

  constructor(options: SwarmOptions) {
    super({
      ...options,
      engine: new Engine(options.engineSocket),
      databases: new InstanceDatabases(options.postgres, (instanceId) => ownServerOf(options, instanceId)),
      panelId: panelIdOf(options.layout.dataDir),
      builds: { running: 0 },
    });
    this.hosts = new SwarmHosts(this.ground);
    this.#observer = new Observer(this.ground, async (instanceId) => await stopInstance(this.ground, instanceId));
  }

  /** Version of the engine. @throws platform_failed when it does not answer, is too old, or manages no Swarm */
  async requireManager(): Promise<string> {
    await this.prepare();
    await nodeOf(this.ground);
    return await requireVersion(this.ground);
  }

  async capabilities(): Promise<Capabilities> {
    return {
      memoryLimit: true,
      diskLimit: true,
      separatesUsers: true,
      playsBots: true,
      measures: measuresOf(this.ground),
      isolationNote: this.ground.hasOutbound
        ? 'Every instance runs in a container of its own, without rights, with a read-only system and a network of its own; it can open connections to the outside, and to what this machine offers to its networks.'
        : 'Every instance runs in a container of its own, without rights, with a read-only system and a network that leads nowhere: it reaches its own database and the front door, nothing else.',
    };
  }

  async create(spec: InstanceSpec, signal: AbortSignal): Promise<void> {
    await this.prepare();
    signal.throwIfAborted();
    await chooseServer(this.ground, spec, signal);
    await createFolders(this.ground, spec);
    await ensureDatabaseServer(this.ground, spec, { mayReplace: false, mayBeEmpty: true, signal });
    await this.ground.databases.create(spec.instanceId, spec.databasePassword);
  }

  /** What a container is told is made at its start, from what is handed over there. */
  async configure(spec: InstanceSpec): Promise<void> {
    await this.prepare();
    await writeRecord(this.ground, spec);
  }

  async setRooms(spec: InstanceAccess, rooms: readonly EditedRoom[]): Promise<void> {
    await this.prepare();
    await writeRooms(this.ground, spec, rooms);
  }

  async build(spec: InstanceSpec, request: BuildRequest): Promise<BuiltRelease> {
    await this.prepare();
    request.signal.throwIfAborted();
    return await buildRelease(this.ground, { spec, request });
  }

  async tryRelease(spec: InstanceSpec, releaseNumber: number, io: RunIo): Promise<Trial> {
    await this.prepare();
    await this.#ensureDatabase(spec, { signal: io.signal, mayBeEmpty: false });
    const { images } = await requireRelease(this.ground, spec.instanceId, releaseNumber);
    return await tryRelease(this.ground, spec, { image: images.image, signal: io.signal, onOutput: io.onOutput });
  }

  async selectRelease(spec: InstanceSpec, releaseNumber: number): Promise<void> {
    await selectRelease(this.ground, spec.instanceId, releaseNumber);
  }

  async start(spec: InstanceSpec, signal: AbortSignal): Promise<void> {
    await this.prepare();
    await startInstance(this.ground, spec, signal);
  }

  async stop({ instanceId }: Named, signal: AbortSignal): Promise<void> {
    await this.prepare();
    signal.throwIfAborted();
    await stopInstance(this.ground, instanceId);
  }

  async observe(instanceIds: readonly string[]): Promise<ReadonlyMap<string, Observation>> {
    return await this.#observer.observe(instanceIds);
  }

  async measure(instanceIds: readonly string[]): Promise<ReadonlyMap<string, Usage>> {
    return await measureInstances(this.ground, instanceIds);
  }

  async playBots(spec: InstanceSpec, run: BotsRun): Promise<void> {
    await this.prepare();
    await playBots(this.ground, spec, run);
  }

  async resetDatabase(spec: InstanceSpec, io: RunIo): Promise<void> {
    await this.prepare();
    await this.#ensureDatabase(spec, io);
    await resetDatabase(this.ground, spec, io);
  }

  override async dumpDatabase(spec: InstanceAccess, file: string, signal: AbortSignal): Promise<Dump> {
    await this.#ensureDatabase(spec, { signal });
    return await super.dumpDatabase(spec, file, signal);
  }

  override async restoreDatabase(spec: InstanceSpec, dump: Pick<Dump, 'rowCounts'> & { readonly file: string }, signal: AbortSignal): Promise<void> {
    await this.#ensureDatabase(spec, { signal });
    await super.restoreDatabase(spec, dump, signal);
  }

  async readLog(instanceId: string, maxBytes: number): Promise<string> {
    return await readLog(logOf(this.ground, instanceId), maxBytes);
  }

  async readLogFrom(instanceId: string, from: { readonly position: string | null; readonly maxBytes: number }): Promise<LogPiece> {
    return await readLogFrom(logOf(this.ground, instanceId), from);
  }

  openLog(instanceId: string): Readable {
    return openLog(logOf(this.ground, instanceId));
  }

  async pruneReleases({ instanceId }: InstanceSpec, keep: readonly number[]): Promise<void> {
    await forgetReleases(this.ground, instanceId, keep);
    await pruneImages(this.ground);
  }

  async findProblem(): Promise<string | null> {
    if (socketDirOf(this.ground.postgres) === null && !this.ground.hasOutbound)
      return 'containers cannot reach the database’s server: SWARM_OUTBOUND=internet is needed.';
    try {
      // First of all whether anybody is there: this is asked every half minute on machines without an engine, too.
      await requireVersion(this.ground);
      await this.requireManager();
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async findTie(instanceId: string): Promise<string | null> {
    return ownServerOf(this.ground, instanceId) === null ? null : 'its data are on a database server of its own, in a container.';
  }

  override async destroy(instance: Named, signal: AbortSignal): Promise<void> {
    await this.prepare();
    signal.throwIfAborted();
    // What runs may need its database to the last.
    await endService(this.ground, instance.instanceId);
    await removeDatabaseServer(this.ground, instance.instanceId);
    await super.destroy(instance, signal);
  }

  async vacate({ instanceId }: Named, signal: AbortSignal): Promise<void> {
    await this.prepare();
    signal.throwIfAborted();
    // Everything of it would go, its data included.
    const tie = await this.findTie(instanceId);
    if (tie !== null) throw new AppError('platform_failed', { reason: `it cannot be cleared away: ${tie}` });
    await endService(this.ground, instanceId);
    for (const purpose of ['build', 'source']) await endControlGroup(`${purpose}-${instanceId}`);
    await removeNetwork(this.ground, instanceId);
    await removeSecrets(this.ground, instanceId, null);
    await this.participantReader.forget(instanceId);
    await rm(pathsOf(this.ground, instanceId).root, { recursive: true, force: true });
    await pruneImages(this.ground);
  }

  protected get home(): string {
    return this.ground.layout.containersDir;
  }

  protected placesOf(instanceId: string): ReturnType<typeof pathsOf> {
    return pathsOf(this.ground, instanceId);
  }

  protected async isUp(instanceId: string): Promise<boolean> {
    return (await findService(this.ground, instanceId)) !== null;
  }

  protected async prepareOnce(): Promise<void> {
    const ground = this.ground;
    await placeLauncher(ground);
    for (const instanceId of await listInstances(ground)) {
      const record = await readRecord(ground, instanceId);
      // Gone with a reboot; the engine tries again until they are there.
      if (record !== null) await makeSocketDirectory(ground, pathsOf(ground, instanceId).socketDir, record.osUserId);
    }
    await ensureManager(ground);
    await this.#keepDatabaseServers();
  }

  /** Where an instance has a database server of its own, that server is there. @param mayBeEmpty see `Ensuring` */
  async #ensureDatabase(spec: InstanceAccess, { signal, mayBeEmpty = true }: Partial<Ensuring> & Pick<Ensuring, 'signal'>): Promise<void> {
    const record = await readRecord(this.ground, spec.instanceId);
    if (record !== null) await ensureDatabaseServer(this.ground, { ...spec, osUserId: record.osUserId }, { mayReplace: false, mayBeEmpty, signal });
  }

  async #keepDatabaseServers(): Promise<void> {
    for (const instanceId of await listInstances(this.ground)) {
      const record = await readRecord(this.ground, instanceId);
      if (record === null) continue;
      await keepDatabaseServer(this.ground, { instanceId, osUserId: record.osUserId }).catch((error: unknown) =>
        this.ground.log(`the database server of ${instanceId} could not be looked after: ${String(error)}`),
      );
    }
  }
}
