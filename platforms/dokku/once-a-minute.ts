// Answers that cost the host a command and need not be fresh: asked once a minute for each container.

const EVERY_MS = 60_000;

/** What was answered for each container, by its id; a new container is asked for anew. */
export class OnceAMinute<T> {
  readonly #answers = new Map<string, { readonly containerId: string; readonly at: number; readonly answer: T | null }>();

  /** The last answer, or a new one; null when it could not be asked, which is tried again a minute later. */
  async get(of: { instanceId: string; containerId: string }, ask: () => Promise<T | null>): Promise<T | null> {
    const known = this.#answers.get(of.instanceId);
    if (known?.containerId === of.containerId && Date.now() - known.at < EVERY_MS) return known.answer;
    const answer = await ask().catch(() => null);
    this.#answers.set(of.instanceId, { containerId: of.containerId, at: Date.now(), answer });
    return answer;
  }
}
