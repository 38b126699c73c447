// What the platforms share whose instances run beside the panel: sockets in its folders, databases on its PostgreSQL server.

import { rm } from 'node:fs/promises';
import { AppError } from '../contracts/errors.ts';
import { listRecorded, parseRecord } from './instance-records.ts';
import { askOtree, openOtree } from './otree-client.ts';
import { ParticipantReader } from './otree-tables.ts';
import type { Dump, InstanceAccess, InstanceSpec, OpenedAnswer, OtreeRequest, ParticipantRow } from './platform.ts';
import type { InstanceDatabases } from './postgres.ts';
import { dumpDatabase, restoreDatabase, verifyDump } from './postgres-dump.ts';
import { foreignPlaces } from './uv.ts';

type Shared = Parameters<typeof foreignPlaces>[0] & { readonly databases: InstanceDatabases };
type Places = { readonly record: string; readonly socket: string; readonly socketDir: string };
type Named = Pick<InstanceSpec, 'instanceId' | 'osUserId'>;

/** Base of the adapters `local` and `swarm`; what it implements of `Platform` is described there. */
export abstract class OnThisMachine<G extends Shared> {
  readonly adoption = null;
  readonly moving = null;
  protected readonly ground: G;
  protected readonly participantReader = new ParticipantReader();
  #ready: Promise<void> | null = null;

  constructor(ground: G) {
    this.ground = ground;
  }

  /** Folder with a folder for each instance. */
  protected abstract readonly home: string;
  protected abstract placesOf(instanceId: string): Places;
  /** What a start of the machine needs before anything else. Safe to repeat. */
  protected abstract prepareOnce(): Promise<void>;
  /** Whether something of the instance runs that may write into its database. */
  protected abstract isUp(instanceId: string): Promise<boolean>;
  abstract vacate(instance: Named, signal: AbortSignal): Promise<void>;

  /** Puts the launcher where instances can read it, and back what a reboot took. Every method does it first, once; call it at start so that instances come back early. */
  async prepare(): Promise<void> {
    this.#ready ??= this.prepareOnce();
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = null;
      throw error;
    }
  }

  retire(): void {
    // Connections to databases of instances are closed ten seconds after the last question anyway.
  }

  async lookAtHost(): Promise<null> {
    return null;
  }

  async keepFront(): Promise<null> {
    return null;
  }

  upstreamSocket(instanceId: string): string {
    return this.placesOf(instanceId).socket;
  }

  async askOtree(spec: InstanceAccess, request: OtreeRequest): Promise<{ status: number; body: string }> {
    return await askOtree({ socketPath: this.upstreamSocket(spec.instanceId) }, spec.restKey, request);
  }

  async openOtree(spec: InstanceAccess, request: Pick<OtreeRequest, 'path' | 'timeoutMs'>): Promise<OpenedAnswer> {
    return await openOtree({ socketPath: this.upstreamSocket(spec.instanceId) }, spec.restKey, request);
  }

  async databaseFacts(spec: InstanceAccess): Promise<{ sizeBytes: number; rowCounts: Record<string, number> }> {
    return await this.ground.databases.facts(spec.instanceId, spec.databasePassword);
  }

  async participants(spec: InstanceAccess): Promise<readonly ParticipantRow[]> {
    return await this.participantReader.read(this.ground.databases.addressOf(spec.instanceId, spec.databasePassword));
  }

  async dumpDatabase(spec: InstanceAccess, file: string, signal: AbortSignal): Promise<Dump> {
    return await dumpDatabase({ ...this.#databaseOf(spec), file, signal });
  }

  async verifyDump(spec: InstanceAccess, file: string, signal: AbortSignal): Promise<Record<string, number>> {
    return await verifyDump({ ...this.#databaseOf(spec), file, signal });
  }

  async restoreDatabase(spec: InstanceSpec, dump: Pick<Dump, 'rowCounts'> & { readonly file: string }, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (await this.isUp(spec.instanceId)) throw new AppError('restore_failed', { reason: 'the experiment must be stopped before its database is replaced.' });
    await restoreDatabase({ ...this.#databaseOf(spec), file: dump.file, signal }, dump.rowCounts);
  }

  async destroy(instance: Named, signal: AbortSignal): Promise<void> {
    const { instanceId } = instance;
    await this.vacate(instance, signal);
    await this.ground.databases.drop(instanceId);
    for (const place of [this.placesOf(instanceId).socketDir, foreignPlaces(this.ground, instanceId).dir]) await rm(place, { recursive: true, force: true });
  }

  async holds(instanceId: string): Promise<boolean> {
    return (await parseRecord(this.placesOf(instanceId).record)) !== null;
  }

  async held(): Promise<readonly string[]> {
    return await listRecorded(this.home, (name) => parseRecord(this.placesOf(name).record));
  }

  #databaseOf({ instanceId, databasePassword: password }: InstanceAccess) {
    return { databases: this.ground.databases, instanceId, password };
  }
}
