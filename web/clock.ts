// A clock for everything on the page that says how long ago: one timer, however many readers.

import { useSyncExternalStore } from 'react';

type Listener = () => void;

function makeClock(everyMs: number): { subscribe: (listener: Listener) => Listener; read: () => number } {
  const listeners = new Set<Listener>();
  let nowMs = Date.now();
  let timer: number | undefined;
  return {
    read: () => nowMs,
    subscribe: (listener) => {
      listeners.add(listener);
      nowMs = Date.now();
      timer ??= window.setInterval(() => {
        nowMs = Date.now();
        for (const tell of listeners) tell();
      }, everyMs);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        window.clearInterval(timer);
        timer = undefined;
      };
    },
  };
}

const seconds = makeClock(1_000);
const tens = makeClock(10_000);

/** The time now, again every second. */
export const useSeconds = (): number => useSyncExternalStore(seconds.subscribe, seconds.read);
/** The time now, again every ten seconds. */
export const useTens = (): number => useSyncExternalStore(tens.subscribe, tens.read);
