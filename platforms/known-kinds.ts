// Which platform each instance is on: read from its row by whatever changes an instance, remembered for what only looks at one.

/** Platform of each instance by its row; ids without a row are left out. */
export type KindsOf = (instanceIds: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/**
 * What was read stays remembered until the row is read again, which the worker does for all instances every 2 seconds. A move
 * says `forget` as soon as the row is written: whoever asks after that reads the row, also while an older reading is under way.
 */
export class KnownKinds {
  readonly #kindsOf: KindsOf;
  readonly #known = new Map<string, string>();
  /** How often something was forgotten: an answer to a question of before is not kept. */
  #forgotten = 0;

  constructor(kindsOf: KindsOf) {
    this.#kindsOf = kindsOf;
  }

  /** As the rows say now. */
  async read(instanceIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const before = this.#forgotten;
    const kinds = await this.#kindsOf(instanceIds);
    if (before !== this.#forgotten) return kinds;
    for (const id of instanceIds) {
      const kind = kinds.get(id);
      if (kind === undefined) this.#known.delete(id);
      else this.#known.set(id, kind);
    }
    return kinds;
  }

  /** As they were read last; rows are asked only for ids that are not remembered. */
  async recall(instanceIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const known = new Map<string, string>();
    const unknown: string[] = [];
    for (const id of instanceIds) {
      const kind = this.#known.get(id);
      if (kind === undefined) unknown.push(id);
      else known.set(id, kind);
    }
    return unknown.length === 0 ? known : new Map([...known, ...(await this.read(unknown))]);
  }

  /** To be said when the row names another platform. */
  forget(instanceId: string): void {
    this.#forgotten += 1;
    this.#known.delete(instanceId);
  }
}
