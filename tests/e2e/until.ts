// Waiting for a condition instead of for a time.

import { setTimeout as wait } from 'node:timers/promises';

/**
 * Asks again until it is so.
 * @throws with `what` when it is not so in time
 */
export async function until<T>(what: string, isSo: () => T | Promise<T>, options: { withinMs?: number; why?: () => string } = {}): Promise<NonNullable<T>> {
  const end = Date.now() + (options.withinMs ?? 60_000);
  for (;;) {
    const value = await isSo();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${(options.withinMs ?? 60_000) / 1000} s: ${what}\n${options.why?.() ?? ''}`);
    await wait(100);
  }
}
