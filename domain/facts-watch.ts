// When to look into which instance: often where people play or somebody watches, rarely where nothing happens.

import type { WorkerContext } from './context.ts';
import { lookInto } from './observe-facts.ts';

/** A seat map is to be right within a second. */
const watchedMs = 700;
const busyMs = 2000;
/** A sign-in to PostgreSQL for each look: the connection is not kept that long. Whoever decides on the facts asks for a look of its own. */
const quietMs = 15_000;
const countMs = 30_000;
/** The page asks for its seats every 10 s while it is open. */
const watchedForMs = 25_000;
const busyForMs = 10 * 60_000;
const listMs = 2000;
const sideBySide = 8;

type Known = { watchedUntil: number; nextLookAt: number; nextCountAt: number; looking: Promise<void> | null };

/** Remembers in memory only; after a start of the worker every instance is looked into once. */
export class FactsWatch {
  readonly #known = new Map<string, Known>();
  readonly #now: () => number;
  #running: readonly string[] = [];
  #listedAt = -Infinity;

  /** @param now milliseconds */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Somebody looks at this instance's seats. */
  watch(instanceId: string): void {
    const known = this.#of(instanceId);
    known.watchedUntil = this.#now() + watchedForMs;
    known.nextLookAt = Math.min(known.nextLookAt, this.#now());
  }

  /** Looks now, for a decision: what is stored afterwards was seen after this was called. */
  async lookNow(ctx: WorkerContext, instanceId: string): Promise<void> {
    await this.#of(instanceId).looking;
    await this.#look(ctx, instanceId);
  }

  /** Looks into those whose time has come; ends when they have been looked into. One that does not answer keeps no other waiting. */
  async round(ctx: WorkerContext): Promise<void> {
    if (this.#now() - this.#listedAt > listMs) await this.#list(ctx);
    const looking = [...this.#known.values()].filter((known) => known.looking !== null).length;
    const due = this.#running.filter((id) => this.#of(id).looking === null && this.#of(id).nextLookAt <= this.#now());
    await Promise.all(due.slice(0, sideBySide - looking).map((id) => this.#look(ctx, id)));
  }

  async #list(ctx: WorkerContext): Promise<void> {
    this.#listedAt = this.#now();
    const rows = await ctx.db.instance.findMany({ where: { deletedAt: null, state: { in: ['running', 'unhealthy'] } }, select: { id: true } });
    this.#running = rows.map(({ id }) => id);
    for (const id of this.#known.keys()) if (!this.#running.includes(id)) this.#known.delete(id);
  }

  async #look(ctx: WorkerContext, instanceId: string): Promise<void> {
    const known = this.#of(instanceId);
    known.looking ??= this.#lookInto(ctx, instanceId, known).finally(() => (known.looking = null));
    await known.looking;
  }

  async #lookInto(ctx: WorkerContext, instanceId: string, known: Known): Promise<void> {
    const at = this.#now();
    let lastPageAt: Date | null = null;
    try {
      const instance = await ctx.db.instance.findFirst({ where: { id: instanceId, deletedAt: null, state: { in: ['running', 'unhealthy'] } } });
      if (!instance) return;
      const isCounting = known.nextCountAt <= at;
      ({ lastPageAt } = await lookInto(ctx, instance, { isCounting }));
      if (isCounting) known.nextCountAt = at + countMs;
    } catch (error) {
      ctx.log.warn('an instance could not be looked into', { instanceId, error: String(error) });
    }
    const isBusy = lastPageAt !== null && Date.now() - lastPageAt.getTime() < busyForMs;
    known.nextLookAt = at + (known.watchedUntil > at ? watchedMs : isBusy ? busyMs : quietMs);
  }

  #of(instanceId: string): Known {
    const known = this.#known.get(instanceId) ?? { watchedUntil: 0, nextLookAt: 0, nextCountAt: 0, looking: null };
    this.#known.set(instanceId, known);
    return known;
  }
}
