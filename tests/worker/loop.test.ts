// Work that comes round again: goes on after an error, ends with the worker, and many rounds share one signal.

import { EventEmitter, getEventListeners, once } from 'node:events';
import { expect, it } from 'vitest';
import { goRound, type Round } from '../../worker/loop.ts';

const warned: string[] = [];
const log = { info: () => undefined, error: () => undefined, warn: (message: string) => void warned.push(message) };

/** A round that pauses for a minute once it has been made. */
function aRound(name: string) {
  const told = new EventEmitter();
  let times = 0;
  const round: Round = {
    name,
    everyMs: 60_000,
    work: () => {
      times += 1;
      // After the pause has begun.
      setImmediate(() => told.emit('made'));
      return Promise.resolve();
    },
  };
  return { round, made: once(told, 'made'), times: () => times };
}

it('rounds in their pauses leave no listener on the signal that they share, and end with it', async () => {
  const stopping = new AbortController();
  const rounds = Array.from({ length: 20 }, (_, index) => aRound(`round ${index}`));
  const running = rounds.map(({ round }) => goRound(round, log, stopping.signal));
  await Promise.all(rounds.map(({ made }) => made));
  expect(getEventListeners(stopping.signal, 'abort')).toHaveLength(0);
  stopping.abort();
  await Promise.all(running);
  expect(rounds.map(({ times }) => times())).toEqual(rounds.map(() => 1));
});

it('an error does not end a round, and the same one is told once', async () => {
  const stopping = new AbortController();
  let times = 0;
  const work = (): Promise<never> => {
    times += 1;
    if (times === 3) stopping.abort();
    return Promise.reject(new Error('the database is away'));
  };
  await goRound({ name: 'observe', everyMs: 1, work }, log, stopping.signal);
  expect([times, warned]).toEqual([3, ['a regular round failed']]);
});
