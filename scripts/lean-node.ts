// How the panel's long-lived Node processes are kept small; what it brings is measured in docs/performance.md.

import { spawnSync } from 'node:child_process';

/**
 * The worker: Prisma's compiler (WebAssembly) stays in its first, small translation; the heap is kept tight instead of fast.
 * The server: room for what two thousand clicks in a second leave behind; kept tight, it took ten times as long for them.
 */
const flags = {
  worker: ['--liftoff-only', '--optimize-for-size'],
  server: ['--max-semi-space-size=16', '--liftoff-only'],
} as const;

/** glibc keeps what V8's helper threads have given back, in one store per thread: fewer stores, returned sooner. Other C libraries ignore it. */
export const leanEnvironment: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' };

const known = new Map<string, readonly string[]>();

/** Those of the flags that this Node knows: they are V8's, and a version to come may refuse one. */
export function leanFlags(node: string, name: keyof typeof flags): readonly string[] {
  const isKnown = (...tried: readonly string[]): boolean => spawnSync(node, [...tried, '-e', ''], { stdio: 'ignore' }).status === 0;
  const wanted = flags[name];
  const key = `${node} ${name}`;
  const usable = known.get(key) ?? (isKnown(...wanted) ? wanted : wanted.filter((flag) => isKnown(flag)));
  known.set(key, usable);
  return usable;
}
