// Following a runtime log over its turned parts, and reading all of it: the launcher renames FILE to FILE.1, FILE.1 to FILE.2 …

import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { LogPiece } from '../platform.ts';

const MAX_PARTS = 20;
const CHUNK_BYTES = 256 * 1024;

type Part = { readonly handle: FileHandle; readonly id: string; readonly sizeBytes: number };

/** @see Platform.readLogFrom. A position is `INODE:OFFSET`: a part keeps its inode when it is turned. */
export async function readLogFrom(file: string, from: { readonly position: string | null; readonly maxBytes: number }): Promise<LogPiece> {
  const parts = await openParts(file);
  try {
    const place = from.position === null ? null : findPlace(parts, from.position);
    const bytes = place === null ? await readEnd(parts, from.maxBytes) : await readOn(parts.slice(place.at), place.offset, from.maxBytes);
    return { text: bytes.buffer.toString('utf8'), position: bytes.position, hasGap: from.position !== null && from.position !== '' && place === null };
  } finally {
    await Promise.all(parts.map(({ handle }) => handle.close()));
  }
}

/** @see Platform.openLog */
export const openLog = (file: string): Readable => Readable.from(allBytes(file), { objectMode: false });

async function* allBytes(file: string): AsyncGenerator<Buffer> {
  const parts = await openParts(file);
  try {
    for (const { handle, sizeBytes } of parts) {
      for (let at = 0; at < sizeBytes;) {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(CHUNK_BYTES, sizeBytes - at)), 0, undefined, at);
        if (bytesRead === 0) break;
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    }
  } finally {
    await Promise.all(parts.map(({ handle }) => handle.close()));
  }
}

/** All parts, oldest first; a part that is turned while they are opened is taken once. */
async function openParts(file: string): Promise<Part[]> {
  const parts: Part[] = [];
  for (let number = 0; number < MAX_PARTS; number += 1) {
    const handle = await open(number === 0 ? file : `${file}.${number}`, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => null);
    if (handle === null) {
      // Just being turned: the newest part is missing for a moment.
      if (number === 0) continue;
      break;
    }
    const { ino, size } = await handle.stat();
    if (parts.some(({ id }) => id === String(ino))) await handle.close();
    else parts.unshift({ handle, id: String(ino), sizeBytes: size });
  }
  return parts;
}

function findPlace(parts: readonly Part[], position: string): { at: number; offset: number } | null {
  const [id, offset] = position.split(':');
  const at = parts.findIndex((part) => part.id === id);
  const part = parts[at];
  return part && /^\d{1,15}$/.test(offset ?? '') && Number(offset) <= part.sizeBytes ? { at, offset: Number(offset) } : null;
}

type Bytes = { readonly buffer: Buffer; readonly position: string };

/** What follows a place, over the parts that were turned since. */
async function readOn(parts: readonly Part[], offset: number, maxBytes: number): Promise<Bytes> {
  const chunks: Buffer[] = [];
  let [left, position] = [maxBytes, `${parts[0]?.id ?? ''}:${offset}`];
  for (const [number, part] of parts.entries()) {
    const begin = number === 0 ? offset : 0;
    const wanted = Math.min(left, part.sizeBytes - begin);
    const { buffer, bytesRead } = await part.handle.read(Buffer.alloc(wanted), 0, wanted, begin);
    const isLast = number === parts.length - 1 || bytesRead === left;
    const whole = isLast ? wholeCharacters(buffer.subarray(0, bytesRead)) : buffer.subarray(0, bytesRead);
    chunks.push(whole);
    position = `${part.id}:${begin + whole.length}`;
    left -= bytesRead;
    if (left <= 0) break;
  }
  return { buffer: Buffer.concat(chunks), position };
}

/** The last bytes of all parts together, from the beginning of a line on. */
async function readEnd(parts: readonly Part[], maxBytes: number): Promise<Bytes> {
  let missing = maxBytes;
  let at = parts.length;
  while (at > 0 && missing > 0) missing -= parts[(at -= 1)]?.sizeBytes ?? 0;
  const offset = Math.max(0, -missing);
  if (parts.length === 0) return { buffer: Buffer.alloc(0), position: '' };
  const { buffer, position } = await readOn(parts.slice(at), offset, maxBytes);
  const isCut = at > 0 || offset > 0;
  return { buffer: isCut ? buffer.subarray(buffer.indexOf(0x0a) + 1) : buffer, position };
}

/** Without the beginning of a UTF-8 character whose rest is not written yet. */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}
