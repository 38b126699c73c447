// The Dokku platform: instances as apps of a Dokku host that the panel reaches over ssh.

import type { Readable } from 'node:stream';
import type { FrontView, FrontWish } from '../own-front.ts';
import type { HostReport } from '../hosts.ts';
import type {
  BotsRun,
  Capabilities,
  Dump,
  InstanceAccess,
  InstanceSpec,
  LogPiece,
  Observation,
  OpenedAnswer,
  OtreeRequest,
  ParticipantRow,
  Platform,
  Usage,
} from '../platform.ts';
import type { BuildRequest, BuiltRelease, Trial } from '../release.ts';
import type { EditedRoom } from '../project.ts';
import { openLog, readLog, readLogFrom } from '../timed-log.ts';
import { DokkuAdoption } from './adoption.ts';
import { createApps, destroyApps } from './apps.ts';
import { settle } from './asking.ts';
import { playBots } from './bots.ts';
import { buildRelease, type Workshop } from './build.ts';
import { ensureLink, liveService } from './databases.ts';
import { dumpDatabase, restoreDatabase, verifyDump } from './dumps.ts';
import { askOtree, keepFront, openOtree } from './front.ts';
import { type Host, liveApp, newMemory, trialApp } from './host.ts';
import { logOf } from './logs.ts';
import { Observer } from './observe.ts';
import { pruneReleases, requireRelease, selectRelease } from './releases.ts';
import { type Entrance, reportOn } from './report.ts';
import { setRooms } from './rooms.ts';
import { resetDatabase, type RunIo, startInstance, stopInstance } from './running.ts';
import { writeSettings } from './settings.ts';
import { databaseFacts, readParticipants } from './sql.ts';
import { tryRelease } from './trials.ts';

export type DokkuOptions = Pick<Host, 'connection' | 'dataDir' | 'http' | 'maxBodyMib' | 'letsencryptEmail'> & {
  readonly workshop: Workshop;
  readonly entrance: Entrance;
};

type Named = Pick<InstanceSpec, 'instanceId' | 'osUserId'>;

/** Every method that writes takes its turn: what writes to one app of the host goes one after the other. */
export class DokkuPlatform implements Platform {
  readonly kind = 'dokku';
  readonly adoption: DokkuAdoption;
  readonly moving = null;
  readonly hosts = null;
  readonly #host: Host;
  readonly #workshop: Workshop;
  readonly #observer: Observer;
  readonly #entrance: Entrance;

  constructor({ workshop, entrance, ...options }: DokkuOptions) {
    this.#host = { ...options, ...newMemory() };
    this.adoption = new DokkuAdoption(this.#host);
    this.#workshop = workshop;
    this.#entrance = entrance;
    this.#observer = new Observer(this.#host);
  }

  async lookAtHost(): Promise<HostReport> {
    return await reportOn(this.#host, this.#entrance);
  }

  async capabilities(): Promise<Capabilities> {
    return {
      memoryLimit: true,
      diskLimit: false,
      separatesUsers: true,
      playsBots: true,
      measures: ['memory'],
      isolationNote:
        'Every instance runs in a container of its own on the Dokku host, with a database server of its own; they share that host’s network and processor.',
    };
  }

  async create(spec: InstanceSpec, signal: AbortSignal): Promise<void> {
    const { instanceId } = spec;
    await this.#write(instanceId, ['live', 'trial', 'data'], async () => {
      await createApps(this.#host, spec, signal);
      await writeSettings(this.#host, liveApp(instanceId), { spec });
    });
  }

  async configure(spec: InstanceSpec): Promise<void> {
    const app = liveApp(spec.instanceId);
    await this.#write(spec.instanceId, ['live'], async () => {
      await settle(this.#host, app);
      await ensureLink(this.#host, spec.instanceId);
      await writeSettings(this.#host, app, { spec });
    });
  }

  async setRooms({ instanceId }: InstanceAccess, rooms: readonly EditedRoom[]): Promise<void> {
    await this.#write(instanceId, ['live'], async () => await setRooms(this.#host, instanceId, rooms));
  }

  async build(spec: InstanceSpec, request: BuildRequest): Promise<BuiltRelease> {
    return await this.#write(spec.instanceId, ['trial'], async () => await buildRelease(this.#host, this.#workshop, { spec, request }));
  }

  async tryRelease(spec: InstanceSpec, releaseNumber: number, io: RunIo): Promise<Trial> {
    await requireRelease(this.#host, spec.instanceId, releaseNumber);
    return await this.#write(spec.instanceId, ['trial'], async () => await tryRelease(this.#host, spec, { ...io, release: releaseNumber }));
  }

  async selectRelease(spec: InstanceSpec, releaseNumber: number): Promise<void> {
    await selectRelease(this.#host, spec.instanceId, releaseNumber);
  }

  async start(spec: InstanceSpec, signal: AbortSignal): Promise<void> {
    await this.#write(spec.instanceId, ['live'], async () => await startInstance(this.#host, spec, signal));
  }

  async stop({ instanceId }: Named, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#write(instanceId, ['live'], async () => await stopInstance(this.#host, instanceId, signal));
  }

  async observe(instanceIds: readonly string[]): Promise<ReadonlyMap<string, Observation>> {
    return await this.#observer.observe(instanceIds);
  }

  async measure(instanceIds: readonly string[]): Promise<ReadonlyMap<string, Usage>> {
    return this.#observer.usageOf(instanceIds);
  }

  upstreamSocket(): null {
    return null;
  }

  async keepFront(wish: FrontWish, signal: AbortSignal): Promise<FrontView> {
    signal.throwIfAborted();
    return await this.#write(wish.instanceId, ['live'], async () => await keepFront(this.#host, wish));
  }

  async askOtree(spec: InstanceAccess, request: OtreeRequest): Promise<{ status: number; body: string }> {
    return await askOtree(this.#host, spec, request);
  }

  async openOtree(spec: InstanceAccess, request: Pick<OtreeRequest, 'path' | 'timeoutMs'>): Promise<OpenedAnswer> {
    return await openOtree(this.#host, spec, request);
  }

  async playBots(spec: InstanceSpec, run: BotsRun): Promise<void> {
    await requireRelease(this.#host, spec.instanceId, run.releaseNumber);
    await this.#write(spec.instanceId, ['trial'], async () => await playBots(this.#host, spec, run));
  }

  async databaseFacts({ instanceId }: InstanceAccess): Promise<{ sizeBytes: number; rowCounts: Record<string, number> }> {
    return await databaseFacts(this.#host, await liveService(this.#host, instanceId));
  }

  async participants({ instanceId }: InstanceAccess): Promise<readonly ParticipantRow[]> {
    return await readParticipants(this.#host, await liveService(this.#host, instanceId));
  }

  async dumpDatabase({ instanceId }: InstanceAccess, file: string, signal: AbortSignal): Promise<Dump> {
    return await this.#write(instanceId, ['data'], async () => await dumpDatabase(this.#host, { instanceId, file, signal }));
  }

  async verifyDump({ instanceId }: InstanceAccess, file: string, signal: AbortSignal): Promise<Record<string, number>> {
    return await this.#write(instanceId, ['data'], async () => await verifyDump(this.#host, { instanceId, file, signal }));
  }

  async restoreDatabase({ instanceId }: InstanceSpec, dump: Pick<Dump, 'rowCounts'> & { readonly file: string }, signal: AbortSignal): Promise<void> {
    const { file, rowCounts } = dump;
    // A trial keeps its scratch database in the service that goes.
    await this.#write(instanceId, ['live', 'trial', 'data'], async () => await restoreDatabase(this.#host, { instanceId, file, signal }, rowCounts));
  }

  async resetDatabase(spec: InstanceSpec, io: RunIo): Promise<void> {
    await this.#write(spec.instanceId, ['live', 'trial', 'data'], async () => await resetDatabase(this.#host, spec, io));
  }

  async readLog(instanceId: string, maxBytes: number): Promise<string> {
    return await readLog(logOf(this.#host, instanceId), maxBytes);
  }

  async readLogFrom(instanceId: string, from: { readonly position: string | null; readonly maxBytes: number }): Promise<LogPiece> {
    return await readLogFrom(logOf(this.#host, instanceId), from);
  }

  openLog(instanceId: string): Readable {
    return openLog(logOf(this.#host, instanceId));
  }

  async pruneReleases({ instanceId }: InstanceSpec, keep: readonly number[]): Promise<void> {
    await pruneReleases(this.#host, instanceId, keep);
  }

  async destroy({ instanceId }: Named, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#write(instanceId, ['live', 'trial', 'data'], async () => await destroyApps(this.#host, instanceId));
  }

  retire(): void {
    this.#host.connection.retire();
  }

  /** In turn with whatever else writes to these parts of the instance; afterwards nothing that was seen before counts. */
  async #write<T>(instanceId: string, parts: readonly ('live' | 'trial' | 'data')[], work: () => Promise<T>): Promise<T> {
    const names = { live: liveApp(instanceId), trial: trialApp(instanceId), data: `${liveApp(instanceId)} data` };
    try {
      return await this.#host.turns.take(
        parts.map((part) => names[part]),
        work,
      );
    } finally {
      if (parts.includes('live')) this.#observer.forget(instanceId);
    }
  }
}
