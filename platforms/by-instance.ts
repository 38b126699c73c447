// All platforms of this machine as one: every question goes to the platform that the instance's row names.

import { Readable } from 'node:stream';
import type { HostReport, PlatformHosts } from './hosts.ts';
import { KnownKinds, type KindsOf } from './known-kinds.ts';
import type { Movable, MovableKind, Moving, Offer } from './moving.ts';
import type { Capabilities, InstanceSpec, Observation, Platform, Usage } from './platform.ts';

type Options = {
  /** Where new instances are made. */
  readonly home: Movable;
  readonly others: readonly Movable[];
  readonly kindsOf: KindsOf;
};
type Named = Pick<InstanceSpec, 'instanceId' | 'osUserId'>;
type Arguments<Name extends keyof Platform> = Platform[Name] extends (...given: infer Given) => unknown ? Given : never;

type Together<Seen> = {
  readonly kinds: Promise<ReadonlyMap<string, string>>;
  readonly ask: (platform: Movable, own: readonly string[]) => Promise<ReadonlyMap<string, Seen>>;
};

/** What each method promises: `platform.ts`. An instance of a platform that is not there is looked for at home. */
export class PlatformsByInstance implements Platform {
  readonly kind: MovableKind;
  readonly adoption = null;
  readonly moving: Moving;
  readonly hosts: PlatformHosts | null;
  readonly #home: Movable;
  readonly #all: readonly Movable[];
  readonly #kinds: KnownKinds;

  constructor({ home, others, kindsOf }: Options) {
    this.kind = home.kind;
    this.hosts = home.hosts;
    this.#home = home;
    this.#all = [home, ...others];
    this.#kinds = new KnownKinds(kindsOf);
    this.moving = {
      list: () => this.#list(),
      at: (kind) => this.#at(kind),
      settle: (signal) => this.#settle(signal),
      forget: (instanceId) => this.#kinds.forget(instanceId),
    };
  }

  capabilities(): Promise<Capabilities> {
    return this.#home.capabilities();
  }
  lookAtHost(): Promise<HostReport | null> {
    return this.#home.lookAtHost();
  }
  retire(): void {
    for (const platform of this.#all) platform.retire();
  }
  /** The same place on all of them. */
  upstreamSocket(instanceId: string): string | null {
    return this.#home.upstreamSocket(instanceId);
  }

  observe(instanceIds: readonly string[]): Promise<ReadonlyMap<string, Observation>> {
    return this.#together(instanceIds, { kinds: this.#kinds.read(instanceIds), ask: (platform, own) => platform.observe(own) });
  }
  measure(instanceIds: readonly string[]): Promise<ReadonlyMap<string, Usage>> {
    return this.#together(instanceIds, { kinds: this.#kinds.recall(instanceIds), ask: (platform, own) => platform.measure(own) });
  }

  /** oTree must never run twice on one database: what a move that was cut off left elsewhere ends first. */
  async start(...given: Arguments<'start'>): Promise<void> {
    await (await this.#alone(given[0], given[1])).start(...given);
  }
  async resetDatabase(...given: Arguments<'resetDatabase'>): Promise<void> {
    await (await this.#alone(given[0], given[1].signal)).resetDatabase(...given);
  }
  async restoreDatabase(...given: Arguments<'restoreDatabase'>): Promise<void> {
    await (await this.#alone(given[0], given[2])).restoreDatabase(...given);
  }
  async destroy(...given: Arguments<'destroy'>): Promise<void> {
    await (await this.#alone(...given)).destroy(...given);
  }

  create = async (...given: Arguments<'create'>) => await (await this.#of(given[0])).create(...given);
  configure = async (...given: Arguments<'configure'>) => await (await this.#of(given[0])).configure(...given);
  setRooms = async (...given: Arguments<'setRooms'>) => await (await this.#of(given[0])).setRooms(...given);
  build = async (...given: Arguments<'build'>) => await (await this.#of(given[0])).build(...given);
  tryRelease = async (...given: Arguments<'tryRelease'>) => await (await this.#of(given[0])).tryRelease(...given);
  selectRelease = async (...given: Arguments<'selectRelease'>) => await (await this.#of(given[0])).selectRelease(...given);
  stop = async (...given: Arguments<'stop'>) => await (await this.#of(given[0])).stop(...given);
  keepFront = async (...given: Arguments<'keepFront'>) => await (await this.#of(given[0])).keepFront(...given);
  playBots = async (...given: Arguments<'playBots'>) => await (await this.#of(given[0])).playBots(...given);
  dumpDatabase = async (...given: Arguments<'dumpDatabase'>) => await (await this.#of(given[0])).dumpDatabase(...given);
  verifyDump = async (...given: Arguments<'verifyDump'>) => await (await this.#of(given[0])).verifyDump(...given);
  pruneReleases = async (...given: Arguments<'pruneReleases'>) => await (await this.#of(given[0])).pruneReleases(...given);

  askOtree = async (...given: Arguments<'askOtree'>) => await (await this.#whereSeen(given[0].instanceId)).askOtree(...given);
  openOtree = async (...given: Arguments<'openOtree'>) => await (await this.#whereSeen(given[0].instanceId)).openOtree(...given);
  databaseFacts = async (...given: Arguments<'databaseFacts'>) => await (await this.#whereSeen(given[0].instanceId)).databaseFacts(...given);
  participants = async (...given: Arguments<'participants'>) => await (await this.#whereSeen(given[0].instanceId)).participants(...given);
  readLog = async (...given: Arguments<'readLog'>) => await (await this.#whereSeen(given[0])).readLog(...given);
  readLogFrom = async (...given: Arguments<'readLogFrom'>) => await (await this.#whereSeen(given[0])).readLogFrom(...given);

  openLog(instanceId: string): Readable {
    const pieces = async function* (this: PlatformsByInstance): AsyncGenerator<Buffer> {
      yield* (await this.#whereSeen(instanceId)).openLog(instanceId) as AsyncIterable<Buffer>;
    };
    return Readable.from(pieces.call(this), { objectMode: false });
  }

  #at(kind: string | undefined): Movable {
    return this.#all.find((platform) => platform.kind === kind) ?? this.#home;
  }

  /** Asks each platform about its own instances. */
  async #together<Seen>(instanceIds: readonly string[], { kinds: asked, ask }: Together<Seen>): Promise<ReadonlyMap<string, Seen>> {
    const kinds = await asked;
    const seen = await Promise.all(
      this.#all.map(async (platform) => {
        const own = instanceIds.filter((id) => this.#at(kinds.get(id)) === platform);
        return own.length === 0 ? [] : [...(await ask(platform, own))];
      }),
    );
    return new Map(seen.flat());
  }

  async #of({ instanceId }: { readonly instanceId: string }): Promise<Movable> {
    return this.#at((await this.#kinds.read([instanceId])).get(instanceId));
  }

  /** For what only looks, many times a minute. */
  async #whereSeen(instanceId: string): Promise<Movable> {
    return this.#at((await this.#kinds.recall([instanceId])).get(instanceId));
  }

  /** The instance's own platform, after the others have let go of it. */
  async #alone(instance: Named, signal: AbortSignal): Promise<Movable> {
    const own = await this.#of(instance);
    for (const other of this.#all) {
      if (other !== own && (await other.holds(instance.instanceId)))
        await other.vacate({ instanceId: instance.instanceId, osUserId: instance.osUserId }, signal);
    }
    return own;
  }

  async #list(): Promise<Offer[]> {
    return await Promise.all(
      this.#all.map(async (platform) => ({ kind: platform.kind, capabilities: await platform.capabilities(), problem: await platform.findProblem() })),
    );
  }

  async #settle(signal: AbortSignal): Promise<string[]> {
    const failures: string[] = [];
    for (const platform of this.#all) {
      const held = await platform.held();
      const kinds = await this.#kinds.read(held);
      for (const instanceId of held.filter((id) => kinds.has(id) && this.#at(kinds.get(id)) !== platform)) {
        await platform
          .vacate({ instanceId, osUserId: null }, signal)
          .catch((error: unknown) => failures.push(`${instanceId} on ${platform.kind}: ${error instanceof Error ? error.message : String(error)}`));
      }
    }
    return failures;
  }
}
