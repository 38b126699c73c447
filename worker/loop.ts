// Work that comes round again: never twice at once, never ended by an error.

import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '../domain/context.ts';

export type Round = { readonly name: string; readonly everyMs: number; readonly work: () => Promise<unknown> };

/** Runs until the signal; the returned promise ends with the round in hand. */
export async function goRound(round: Round, log: Log, untilAborted: AbortSignal): Promise<void> {
  // One of its own: on the shared one every round's pause would leave a listener, more than Node takes for harmless (10).
  const signal = AbortSignal.any([untilAborted]);
  let lastError = '';
  while (!signal.aborted) {
    try {
      await round.work();
      lastError = '';
    } catch (error) {
      const text = String(error);
      // The same trouble every few seconds is one line, not thousands.
      if (text !== lastError) log.warn('a regular round failed', { round: round.name, error: text });
      lastError = text;
    }
    await wait(round.everyMs, undefined, { signal }).catch(() => undefined);
  }
}
