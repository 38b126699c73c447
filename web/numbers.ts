// Counts and sizes as people say them.

/** "1 person", "18 people", "no people" is left to the caller. */
export const countOf = (count: number, one: string, many = `${one}s`): string => `${describeNumber(count)} ${count === 1 ? one : many}`;

/** 12345 → "12,345". */
export const describeNumber = (value: number): string => value.toLocaleString('en');

/** "512 B", "1.4 kB", "23 MB": decimal units, as file managers show them. */
export function describeBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let step = 0;
  while (value >= 999.5 && step < units.length - 1) {
    value /= 1000;
    step += 1;
  }
  return `${step > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[step] ?? 'B'}`;
}
