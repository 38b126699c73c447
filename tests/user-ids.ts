// User ids of this machine for instances of tests: a start ends whatever else runs under its id, so no two may share one.

import { workerPart } from './worker-part.ts';

/** Above those that a panel gives unless told otherwise. */
const { start, size } = workerPart([210_000, 290_000]);
/** Two test runs on one machine hardly begin at the same place. */
let taken = Math.floor(Math.random() * size);

/** The first of so many in a row, up to 1000, that no other test file has while this one runs: each takes them in turn, from a part of the range by its worker's number. */
export function freeUserIds(count: number): number {
  if (taken + count > size) taken = 0;
  taken += count;
  return start + taken - count;
}

/** One of them. */
export const freeUserId = (): number => freeUserIds(1);
