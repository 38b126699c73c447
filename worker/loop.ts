// Work that comes round again: never twice at once, never ended by an error.

import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '../domain/context.ts';

export type Round = { readonly name: string; readonly everyMs: number; readonly work: () => Promise<unknown> };

/** Runs until the signal; the returned promise ends with the round in hand. */
export async function goRound(round: Round, log: Log, signal: AbortSignal): Promise<void> {
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
