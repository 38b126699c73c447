// The end of an instance's runtime log, which the launcher writes and turns over.

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** The last bytes of a file from the beginning of a line on; empty when there is none. */
export async function readTail(file: string, maxBytes: number): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => null);
  if (handle === null) return '';
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, maxBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const text = buffer.toString('utf8', 0, bytesRead);
    return length < size ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    await handle.close();
  }
}

/** The last bytes of a log over its turned parts `FILE.1`, `FILE.2` … */
export async function readLog(file: string, maxBytes: number): Promise<string> {
  let text = '';
  for (let part = 0; part < 5 && Buffer.byteLength(text) < maxBytes; part += 1) {
    const older = await readTail(part === 0 ? file : `${file}.${part}`, maxBytes - Buffer.byteLength(text));
    if (part > 0 && older === '') break;
    text = older + text;
  }
  return text;
}

export type RunHistory = {
  /** Starts since `since`, the first one included. */
  readonly starts: number;
  /** Exit code of the last end, 128 + signal; null when it did not end. */
  readonly exitCode: number | null;
  readonly isOutOfMemory: boolean;
  /** What was written from the last but one start on. */
  readonly lastRun: string;
};

/** What the launcher's own lines (`confine_keeper.py`) tell about the runs since a moment. Pure. */
export function readHistory(log: string, since: Date): RunHistory {
  let [starts, exitCode, isOutOfMemory, from, at]: [number, number | null, boolean, number, number] = [0, null, false, 0, 0];
  let previous = 0;
  for (const line of log.split('\n')) {
    const own = /^\[arboretum\] (\S+Z) (started as process|ended with exit code (\d+)|ended by (SIG\w+)|out of memory)/.exec(line);
    // The launcher writes whole seconds.
    if (own !== null && Date.parse(own[1] ?? '') >= Math.floor(since.getTime() / 1000) * 1000) {
      if (own[2] === 'started as process') {
        starts += 1;
        [from, previous] = [previous, at];
      } else {
        exitCode = own[3] === undefined ? 137 : Number(own[3]);
        isOutOfMemory = own[2] === 'out of memory';
      }
    }
    at += line.length + 1;
  }
  return { starts, exitCode, isOutOfMemory, lastRun: log.slice(exitCode === null ? previous : from) };
}
