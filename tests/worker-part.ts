// Test files that run at once share nothing of a range: each vitest worker has a part of it by its number.

const parts = 8;

/** @param range whole numbers, the last one left out */
export function workerPart([lowest, end]: readonly [number, number]): { readonly start: number; readonly size: number } {
  const size = (end - lowest) / parts;
  return { start: lowest + (Number(process.env['VITEST_POOL_ID'] ?? 0) % parts) * size, size };
}
