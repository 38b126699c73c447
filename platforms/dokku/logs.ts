// The runtime log: what Dokku has of the running container, and what the panel kept of those before it.

import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { logs } from '../dokku-commands.ts';
import { explainFailure } from '../dokku-failures.ts';
import { readLogLines } from '../dokku-reports.ts';
import type { LogPiece } from '../platform.ts';
import { failure, tryToAsk } from './asking.ts';
import { keepFile } from './files.ts';
import { type Host, liveApp, pathsOf } from './host.ts';

/** One line with the time at which Docker got it, which sorts as text. */
type Line = { readonly at: string; readonly text: string };

/** Asked for in one go; more only when the wanted place lies further back. */
const [FEW, MANY, ALL] = [200, 5000, 100_000];
const MAX_KEPT_BYTES = 10 * 1024 * 1024;

/** Keeps what the present container has written: the next start puts another one in its place. */
export async function keepLog(host: Host, instanceId: string): Promise<void> {
  const { log } = pathsOf(host, instanceId);
  const kept = await readKept(host, instanceId);
  const all = join(kept, await readLive(host, instanceId, ALL));
  if (all.length === kept.length) return;
  let text = all.map(({ at, text: line }) => `${at} ${line}\n`).join('');
  if (Buffer.byteLength(text) > MAX_KEPT_BYTES) text = text.slice(text.indexOf('\n', Math.floor(text.length / 2)) + 1);
  await keepFile(log, text);
}

/** @see Platform.readLog */
export async function readLog(host: Host, instanceId: string, maxBytes: number): Promise<string> {
  return endOf(await readAll(host, instanceId, MANY), maxBytes).text;
}

/** @see Platform.openLog */
export const openLog = (host: Host, instanceId: string): Readable => Readable.from(wholeLog(host, instanceId), { objectMode: false });

async function* wholeLog(host: Host, instanceId: string): AsyncGenerator<Buffer> {
  yield Buffer.from(textOf(await readAll(host, instanceId, ALL)));
}

/** @see Platform.readLogFrom. A position is the time of the last line and how many lines had it: `TIME#COUNT`. */
export async function readLogFrom(host: Host, instanceId: string, from: { readonly position: string | null; readonly maxBytes: number }): Promise<LogPiece> {
  const place = readPosition(from.position);
  if (place === null) {
    const { lines, text } = endOf(await readAll(host, instanceId, MANY), from.maxBytes);
    return { text, position: positionOf(lines), hasGap: false };
  }
  // Who follows a log is nearly always at its end, which Dokku has.
  const few = await readLive(host, instanceId, FEW);
  const lines = reaches(few, place) ? few : await readAll(host, instanceId, MANY);
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

async function readAll(host: Host, instanceId: string, count: number): Promise<Line[]> {
  const [kept, live] = [await readKept(host, instanceId), await readLive(host, instanceId, count)];
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

async function readKept(host: Host, instanceId: string): Promise<Line[]> {
  const { log } = pathsOf(host, instanceId);
  if ((await stat(log).catch(() => null)) === null) return [];
  const lines = (await readFile(log, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => ({ at: line.slice(0, line.indexOf(' ')), text: line.slice(line.indexOf(' ') + 1) }));
}

/** The last lines of the web process; none when it never ran. @throws platform_failed */
async function readLive(host: Host, instanceId: string, count: number): Promise<Line[]> {
  const command = logs(liveApp(instanceId), { lines: count });
  const result = await tryToAsk(host, command);
  if (result.exitCode !== 0) {
    if (['not_deployed', 'app_missing'].includes(explainFailure(command, result).kind)) return [];
    throw failure(command, result);
  }
  let at = '';
  return readLogLines(result.stdout).map((line) => {
    at = line.at ?? at;
    return { at, text: line.text };
  });
}
