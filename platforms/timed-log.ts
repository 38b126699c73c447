// A runtime log of containers: what Docker has of those that are there, and what the panel kept of those before them.

import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { keepFile } from './kept-files.ts';
import type { LogPiece } from './platform.ts';

/** One line with the time at which Docker got it, which sorts as text. */
export type Line = { readonly at: string; readonly text: string };

/** Where one instance's log is: `file` holds what was kept, `readLive` gives the last lines of the containers that are there, oldest first. */
export type TimedLog = { readonly file: string; readonly readLive: (count: number) => Promise<Line[]> };

/** Asked for in one go; more only when the wanted place lies further back. */
const [FEW, MANY, ALL] = [200, 5000, 100_000];
const MAX_KEPT_BYTES = 10 * 1024 * 1024;

/** Keeps what the present container has written: the next start puts another one in its place. */
export async function keepLog(log: TimedLog): Promise<void> {
  const kept = await readKept(log);
  const all = join(kept, await log.readLive(ALL));
  if (all.length === kept.length) return;
  let text = all.map(({ at, text: line }) => `${at} ${line}\n`).join('');
  if (Buffer.byteLength(text) > MAX_KEPT_BYTES) text = text.slice(text.indexOf('\n', Math.floor(text.length / 2)) + 1);
  await keepFile(log.file, text);
}

/** @see Platform.readLog */
export async function readLog(log: TimedLog, maxBytes: number): Promise<string> {
  return endOf(await readAll(log, MANY), maxBytes).text;
}

/** @see Platform.openLog */
export const openLog = (log: TimedLog): Readable => Readable.from(wholeLog(log), { objectMode: false });

async function* wholeLog(log: TimedLog): AsyncGenerator<Buffer> {
  yield Buffer.from(textOf(await readAll(log, ALL)));
}

/** @see Platform.readLogFrom. A position is the time of the last line and how many lines had it: `TIME#COUNT`. */
export async function readLogFrom(log: TimedLog, from: { readonly position: string | null; readonly maxBytes: number }): Promise<LogPiece> {
  const place = readPosition(from.position);
  if (place === null) {
    const { lines, text } = endOf(await readAll(log, MANY), from.maxBytes);
    return { text, position: positionOf(lines), hasGap: false };
  }
  // Who follows a log is nearly always at its end, which Dokku has.
  const few = await log.readLive(FEW);
  const lines = reaches(few, place) ? few : await readAll(log, MANY);
  if (!reaches(lines, place)) {
    const end = endOf(lines, from.maxBytes);
    return { text: end.text, position: end.lines.length === 0 ? (from.position ?? '') : positionOf(end.lines), hasGap: end.lines.length > 0 };
  }
  const seen = lines.filter(({ at }) => at < place.at).length + place.count;
  const next = beginOf(lines.slice(seen), from.maxBytes);
  return { text: textOf(next), position: next.length === 0 ? (from.position ?? '') : positionOf(lines.slice(0, seen + next.length)), hasGap: false };
}

type Place = { readonly at: string; readonly count: number };

function readPosition(position: string | null): Place | null {
  const [at = '', count = ''] = (position ?? '').split('#');
  return at === '' || !/^\d{1,9}$/.test(count) ? null : { at, count: Number(count) };
}

function positionOf(lines: readonly Line[]): string {
  const last = lines.at(-1);
  return last === undefined ? '' : `${last.at}#${lines.filter(({ at }) => at === last.at).length}`;
}

/** Whether the lines begin at or before a place, so that nothing behind it is missing. */
const reaches = (lines: readonly Line[], place: Place): boolean => lines.filter(({ at }) => at === place.at).length >= place.count && lines.length > 0;

const textOf = (lines: readonly Line[]): string => lines.map(({ text }) => `${text}\n`).join('');

/** The last lines that fit. */
function endOf(lines: readonly Line[], maxBytes: number): { lines: readonly Line[]; text: string } {
  let [left, begin] = [maxBytes, lines.length];
  while (begin > 0) {
    left -= Buffer.byteLength(lines[begin - 1]?.text ?? '') + 1;
    if (left < 0) break;
    begin -= 1;
  }
  return { lines, text: textOf(lines.slice(begin)) };
}

/** The first lines that fit, at least one. */
function beginOf(lines: readonly Line[], maxBytes: number): readonly Line[] {
  let left = maxBytes;
  const end = lines.findIndex(({ text }) => (left -= Buffer.byteLength(text) + 1) < 0);
  return end === -1 ? lines : lines.slice(0, Math.max(1, end));
}

async function readAll(log: TimedLog, count: number): Promise<Line[]> {
  const [kept, live] = [await readKept(log), await log.readLive(count)];
  const isWhole = kept.length === 0 || live.length < count;
  // Between what was kept and a few lines of now there may be others.
  return isWhole || join(kept, live).length < kept.length + live.length ? join(kept, live) : live;
}

/** Live lines behind the kept ones; those with the time of the last kept line are there twice. */
function join(kept: readonly Line[], live: readonly Line[]): Line[] {
  const last = kept.at(-1)?.at;
  if (last === undefined) return [...live];
  const same = kept.filter(({ at }) => at === last).length;
  return [...kept, ...live.filter(({ at }) => at === last).slice(same), ...live.filter(({ at }) => at > last)];
}

async function readKept(log: TimedLog): Promise<Line[]> {
  if ((await stat(log.file).catch(() => null)) === null) return [];
  const lines = (await readFile(log.file, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => ({ at: line.slice(0, line.indexOf(' ')), text: line.slice(line.indexOf(' ') + 1) }));
}
