// What both measurements print: JSON on the standard output, a table for people on the other.

import { execFileSync } from 'node:child_process';
import os from 'node:os';

export type Row = {
  readonly name: string;
  readonly seconds: readonly number[];
  readonly minimum: number;
  readonly median: number;
  readonly maximum: number;
  /** Median, as a multiple of what it is compared with. */
  readonly ratio: number;
};

export const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;

/** @param compared seconds that the median is divided by */
export function rowOf(name: string, list: readonly number[], compared: number): Row {
  const rounded = (value: number): number => Math.round(value * 100) / 100;
  return {
    name,
    seconds: list.map(rounded),
    minimum: rounded(Math.min(...list)),
    median: rounded(median(list)),
    maximum: rounded(Math.max(...list)),
    ratio: rounded(median(list) / compared),
  };
}

/** Where and when; a load well above 0 says that others were at work, too. */
export function machine(): Readonly<Record<string, string | number>> {
  const [cpu] = os.cpus();
  return {
    at: new Date().toISOString(),
    commit: execFileSync('git', ['-C', import.meta.dirname, 'describe', '--always', '--dirty'], { encoding: 'utf8' }).trim(),
    cpu: `${os.cpus().length} × ${cpu?.model ?? 'unknown'}`,
    memoryGib: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    loadOneMinute: Math.round((os.loadavg()[0] ?? 0) * 10) / 10,
  };
}

export const print = (result: unknown): void => void process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);

/** Markdown, so that it can be put into docs/performance.md. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  process.stderr.write(`\n${line(head)}${line(head.map((_, at) => (at === 0 ? '---' : '---:')))}${rows.map(line).join('')}`);
}
