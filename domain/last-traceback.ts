// The last error of an experiment: found in its log, cut and cleaned, and read from the instance's row.

import { z } from 'zod';
import type { Instance } from '../prisma/client/client.ts';

const shownBytes = 8 * 1024;

const storedSchema = z.object({ at: z.string(), text: z.string(), isHidden: z.boolean().catch(false) });
export type StoredTraceback = z.infer<typeof storedSchema>;

/** As stored, also a hidden one; what cannot be read counts as none. */
export const readStored = ({ lastTraceback }: Pick<Instance, 'lastTraceback'>): StoredTraceback | null =>
  storedSchema.nullable().catch(null).parse(lastTraceback);

/** What the page shows; null when there was no error since the deployment, or somebody hid it. */
export function readTraceback(instance: Pick<Instance, 'lastTraceback'>): { at: string; text: string } | null {
  const stored = readStored(instance);
  return stored === null || stored.isHidden ? null : { at: stored.at, text: stored.text };
}

const header = 'Traceback (most recent call last):';
const links = /^(?:During handling of the above exception|The above exception was the direct cause)/;
/** Where a log goes on with something else: uvicorn's levels and the heads of other errors, our launcher's lines. */
const elsewhere =
  /^(?:INFO|WARNING|ERROR|DEBUG|CRITICAL)\b|^(?:Exception in ASGI application|Task exception was never retrieved)$|^\[arboretum\]|^ARBORETUM-PROBLEM/;
const messageLines = 10;

/**
 * The last traceback in a log, with the ones that led to it; harmless to show, at most 8 KiB, its end kept. Null: there is none.
 * `isAtEnd`: nothing follows it, so that more of it may be on its way.
 */
export function findTraceback(log: string): { text: string; isAtEnd: boolean } | null {
  const lines = log
    .replaceAll(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
    .split('\n');
  let start = lines.findLastIndex((line) => line.trim() === header);
  if (start < 0) return null;
  const end = endOf(lines, start);
  for (;;) {
    const link = lines.slice(0, start).findLastIndex((line) => line.trim() !== '');
    if (link < 0 || !links.test((lines[link] ?? '').trim())) break;
    const before = lines.slice(0, link).findLastIndex((line) => line.trim() === header);
    if (before < 0) break;
    start = before;
  }
  return { text: cut(lines.slice(start, end).join('\n').trimEnd()), isAtEnd: lines.slice(end).every((line) => line.trim() === '') };
}

/** After the frames, which are indented, come the exception and what it says. */
function endOf(lines: readonly string[], start: number): number {
  let at = start + 1;
  while (at < lines.length && /^\s+\S|^$/.test(lines[at] ?? '') && !elsewhere.test(lines[at] ?? '')) at += 1;
  const last = Math.min(lines.length, at + messageLines);
  while (at < last && (lines[at] ?? '').trim() !== '' && !elsewhere.test(lines[at] ?? '')) at += 1;
  return at;
}

function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= shownBytes) return text;
  const kept = bytes.subarray(bytes.length - shownBytes + 8).toString('utf8');
  return `…\n${kept.slice(kept.indexOf('\n') + 1)}`;
}

/** A line of the launcher that says when the experiment was started. */
const started = /^\[arboretum\] (\S+Z) started as process/gm;

/** What was written since a moment, as far as the launcher's own lines tell. Pure. */
export function since(log: string, at: Date): string {
  const starts = [...log.matchAll(started)];
  if (starts.length === 0) return log;
  // The launcher writes whole seconds.
  const first = starts.find(([, time]) => Date.parse(time ?? '') >= at.getTime() - 1000);
  return first ? log.slice(first.index) : '';
}
