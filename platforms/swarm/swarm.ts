// The Swarm platform: instances in containers of a Docker Engine in Swarm mode, on the panel's own machine.

import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { AppError } from '../../contracts/errors.ts';
import { endControlGroup, placeLauncher } from '../confined.ts';
import { askOtree, openOtree } from '../otree-client.ts';
import type { Movable } from '../moving.ts';
import { ParticipantReader } from '../otree-tables.ts';
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
  Trial,
  Usage,
} from '../platform.ts';
import { InstanceDatabases } from '../postgres.ts';
import { dumpDatabase, restoreDatabase, verifyDump } from '../postgres-dump.ts';
import { openLog, readLog, readLogFrom } from '../timed-log.ts';
import { foreignPlaces } from '../uv.ts';
import { playBots } from './bots.ts';
import { buildRelease } from './build.ts';
import { Engine } from './engine.ts';
import {
  createFolders,
  forgetReleases,
  listInstances,
  makeSocketDirectory,
  pathsOf,
  readRecord,
  requireRelease,
  selectRelease,
  writeRecord,
  writeRooms,
} from './files.ts';
import { databaseSocketDir, type Ground, type SwarmOptions } from './ground.ts';
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

export class SwarmPlatform implements Movable {
  readonly kind = 'swarm';
  readonly adoption = null;
  readonly moving = null;
  readonly hosts: SwarmHosts;
  readonly #ground: Ground;
  readonly #observer: Observer;
  readonly #participants = new ParticipantReader();
  #ready: Promise<void> | null = null;

  constructor(options: SwarmOptions) {
    this.#ground = {
      ...options,
      engine: new Engine(options.engineSocket),
      databases: new InstanceDatabases(options.postgres),
      panelId: panelIdOf(options.layout.dataDir),
      builds: { running: 0 },
    };
    this.hosts = new SwarmHosts(this.#ground);
    this.#observer = new Observer(this.#ground, async (instanceId) => await stopInstance(this.#ground, instanceId));
  }

  /** Puts the launcher where containers find it, and back what a reboot took. Every method does it first, once; call it at start so that instances come back early. */
  async prepare(): Promise<void> {
    this.#ready ??= this.#prepare();
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = null;
      throw error;
    }
  }

  /** Version of the engine. @throws platform_failed when it does not answer, is too old, or manages no Swarm */
  async requireManager(): Promise<string> {
    await this.prepare();
    await nodeOf(this.#ground);
    return await requireVersion(this.#ground);
  }

  async lookAtHost(): Promise<null> {
    return null;
  }

  async capabilities(): Promise<Capabilities> {
    return {
      memoryLimit: true,
      diskLimit: true,
      separatesUsers: true,
      playsBots: true,
      measures: measuresOf(this.#ground),
      isolationNote: this.#ground.hasOutbound
        ? 'Every instance runs in a container of its own, without rights, with a read-only system and a network of its own; it can open connections to the outside, and to what this machine offers to its networks.'
        : 'Every instance runs in a container of its own, without rights, with a read-only system and a network that leads nowhere: it reaches its own database and the front door, nothing else.',
    };
  }

  async create(spec: InstanceSpec, signal: AbortSignal): Promise<void> {
    await this.prepare();
    signal.throwIfAborted();
    await createFolders(this.#ground, spec);
    await this.#ground.databases.create(spec.instanceId, spec.databasePassword);
  }

  /** What a container is told is made at its start, from what is handed over there. */
  async configure(spec: InstanceSpec): Promise<void> {
    await this.prepare();
    await writeRecord(this.#ground, spec);
  }

  async setRooms(spec: InstanceAccess, rooms: readonly EditedRoom[]): Promise<void> {
    await this.prepare();
    await writeRooms(this.#ground, spec, rooms);
  }

  async build(spec: InstanceSpec, request: BuildRequest): Promise<BuiltRelease> {
    await this.prepare();
    request.signal.throwIfAborted();
    return await buildRelease(this.#ground, { spec, request });
  }

  async tryRelease(spec: InstanceSpec, releaseNumber: number, io: RunIo): Promise<Trial> {
    await this.prepare();
    const { images } = await requireRelease(this.#ground, spec.instanceId, releaseNumber);
    return await tryRelease(this.#ground, spec, { image: images.image, signal: io.signal, onOutput: io.onOutput });
  }

  async selectRelease(spec: InstanceSpec, releaseNumber: number): Promise<void> {
    await selectRelease(this.#ground, spec.instanceId, releaseNumber);
  }

  async start(spec: InstanceSpec, signal: AbortSignal): Promise<void> {
    await this.prepare();
    await startInstance(this.#ground, spec, signal);
  }

  async stop({ instanceId }: Named, signal: AbortSignal): Promise<void> {
    await this.prepare();
    signal.throwIfAborted();
    await stopInstance(this.#ground, instanceId);
  }

  async observe(instanceIds: readonly string[]): Promise<ReadonlyMap<string, Observation>> {
    return await this.#observer.observe(instanceIds);
  }

  async measure(instanceIds: readonly string[]): Promise<ReadonlyMap<string, Usage>> {
    return await measureInstances(this.#ground, instanceIds);
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
    const { instanceId, databasePassword: password } = spec;
    if ((await findService(this.#ground, instanceId)) !== null)
      throw new AppError('restore_failed', { reason: 'the experiment must be stopped before its database is replaced.' });
    await restoreDatabase({ databases: this.#ground.databases, instanceId, password, file: dump.file, signal }, dump.rowCounts);
  }

  async resetDatabase(spec: InstanceSpec, io: RunIo): Promise<void> {
    await this.prepare();
    await resetDatabase(this.#ground, spec, io);
  }

  async readLog(instanceId: string, maxBytes: number): Promise<string> {
    return await readLog(logOf(this.#ground, instanceId), maxBytes);
  }

  async readLogFrom(instanceId: string, from: { readonly position: string | null; readonly maxBytes: number }): Promise<LogPiece> {
    return await readLogFrom(logOf(this.#ground, instanceId), from);
  }

  openLog(instanceId: string): Readable {
    return openLog(logOf(this.#ground, instanceId));
  }

  async pruneReleases({ instanceId }: InstanceSpec, keep: readonly number[]): Promise<void> {
    await forgetReleases(this.#ground, instanceId, keep);
    await pruneImages(this.#ground);
  }

  async destroy(instance: Named, signal: AbortSignal): Promise<void> {
    const { instanceId } = instance;
    await this.vacate(instance, signal);
    await this.#ground.databases.drop(instanceId);
    for (const place of [pathsOf(this.#ground, instanceId).socketDir, foreignPlaces(this.#ground, instanceId).dir])
      await rm(place, { recursive: true, force: true });
  }

  async findProblem(): Promise<string | null> {
    if (databaseSocketDir(this.#ground) === null && !this.#ground.hasOutbound)
      return 'containers cannot reach the database’s server: SWARM_OUTBOUND=internet is needed.';
    try {
      // First of all whether anybody is there: this is asked every half minute on machines without an engine, too.
      await requireVersion(this.#ground);
      await this.requireManager();
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async holds(instanceId: string): Promise<boolean> {
    return (await readRecord(this.#ground, instanceId)) !== null;
  }

  async held(): Promise<readonly string[]> {
    return await listInstances(this.#ground);
  }

  async vacate({ instanceId }: Named, signal: AbortSignal): Promise<void> {
    await this.prepare();
    signal.throwIfAborted();
    await endService(this.#ground, instanceId);
    for (const purpose of ['build', 'source']) await endControlGroup(`${purpose}-${instanceId}`);
    await removeNetwork(this.#ground, instanceId);
    await removeSecrets(this.#ground, instanceId, null);
    await this.#participants.forget(instanceId);
    await rm(pathsOf(this.#ground, instanceId).root, { recursive: true, force: true });
    await pruneImages(this.#ground);
  }

  async #prepare(): Promise<void> {
    const ground = this.#ground;
    await placeLauncher(ground);
    for (const instanceId of await listInstances(ground)) {
      const record = await readRecord(ground, instanceId);
      // Gone with a reboot; the engine tries again until they are there.
      if (record !== null) await makeSocketDirectory(ground, pathsOf(ground, instanceId).socketDir, record.osUserId);
    }
    await ensureManager(ground);
  }
}
