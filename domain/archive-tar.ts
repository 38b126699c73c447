// Reads a .tar.gz or .otreezip (which is one: oTree 6.0 cli/zip.py) entry by entry.

import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { AppError } from '../contracts/errors.ts';
import { refuseArchive, type ArchiveEntry, type Unpacking } from './archive-entries.ts';

const BLOCK = 512;
/** Long names are read into memory; real ones have a few hundred bytes. */
const MAX_EXTENSION_BYTES = 64 * 1024;
const kinds: Readonly<Record<string, ArchiveEntry['kind']>> = { '0': 'file', '\0': 'file', '7': 'file', '5': 'folder', '1': 'link', '2': 'link' };

type Extensions = { path?: string; size?: number };

/** @throws upload_refused for a damaged archive, and whatever `into` refuses. @see POSIX.1-2017 pax */
export async function readTar(file: string, into: Unpacking): Promise<void> {
  const source = createReadStream(file);
  const unpacked = source.pipe(createGunzip());
  source.on('error', (error) => unpacked.destroy(error));
  const bytes = new Bytes(unpacked, into);
  try {
    await readEntries(bytes, into);
  } catch (error) {
    throw error instanceof AppError ? error : damaged();
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}

const damaged = (): AppError => refuseArchive('This archive is damaged.', 'Make it again, for example with “otree zip”.');

async function readEntries(bytes: Bytes, into: Unpacking): Promise<void> {
  let extensions: Extensions = {};
  for (let header = await bytes.read(BLOCK); header.length > 0 && !isEnd(header); header = await bytes.read(BLOCK)) {
    if (header.length < BLOCK || !hasRightChecksum(header)) throw damaged();
    const type = String.fromCharCode(header[156] ?? 0);
    const isExtension = 'xgLK'.includes(type);
    const size = isExtension ? numberAt(header, 124) : (extensions.size ?? numberAt(header, 124));
    if (!Number.isSafeInteger(size) || size < 0) throw damaged();
    const padding = (BLOCK - (size % BLOCK)) % BLOCK;
    if (isExtension) {
      if (size > MAX_EXTENSION_BYTES) throw damaged();
      extensions = { ...extensions, ...readExtension(type, await bytes.read(size)) };
      await bytes.skip(padding);
      continue;
    }
    const content = bytes.part(type === '5' ? 0 : size);
    await into.take({ name: extensions.path ?? nameOf(header), kind: kinds[type] ?? 'other', open: () => Promise.resolve(content) });
    await content.return(undefined);
    await bytes.skipPart();
    await bytes.skip(padding);
    extensions = {};
  }
}

/** Bytes on demand from a stream of chunks. */
class Bytes {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #into: Unpacking;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of the present entry that nobody has taken yet. */
  #left = 0;

  constructor(stream: AsyncIterable<Buffer>, into: Unpacking) {
    this.#chunks = stream[Symbol.asyncIterator]();
    this.#into = into;
  }

  /** Exactly so many bytes, fewer only at the end. */
  async read(length: number): Promise<Buffer> {
    const taken: Buffer[] = [];
    for (let missing = length; missing > 0;) {
      const chunk = await this.#some(missing);
      if (chunk === null) break;
      taken.push(chunk);
      missing -= chunk.length;
    }
    return Buffer.concat(taken);
  }

  async skip(length: number): Promise<void> {
    for (let missing = length; missing > 0;) {
      const chunk = await this.#some(missing);
      if (chunk === null) throw damaged();
      missing -= chunk.length;
    }
  }

  /** The content of an entry, as it comes. */
  part(size: number): AsyncGenerator<Buffer, void> {
    this.#left = size;
    return this.#part();
  }

  async *#part(): AsyncGenerator<Buffer, void> {
    while (this.#left > 0) {
      const chunk = await this.#some(this.#left);
      if (chunk === null) throw damaged();
      this.#left -= chunk.length;
      yield chunk;
    }
  }

  /** Passes over what is left of the entry. */
  async skipPart(): Promise<void> {
    const left = this.#left;
    this.#left = 0;
    await this.skip(left);
  }

  async #some(most: number): Promise<Buffer | null> {
    if (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return null;
      this.#into.count(next.value.length);
      this.#rest = next.value;
    }
    const chunk = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(chunk.length);
    return chunk;
  }
}

const isEnd = (header: Buffer): boolean => header.length === BLOCK && header.every((byte) => byte === 0);

function readExtension(type: string, content: Buffer): Extensions {
  if (type === 'L') return { path: decode(content.subarray(0, endOf(content, 0, content.length))) };
  return type === 'x' ? readPax(content) : {};
}

/** Records `LENGTH key=value\n`; the length counts bytes. */
function readPax(content: Buffer): Extensions {
  const found: Extensions = {};
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(content.toString('latin1', at, space));
    if (!Number.isInteger(length) || length <= space - at || at + length > content.length) throw damaged();
    const record = content.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    const key = record.toString('latin1', 0, Math.max(0, equals));
    if (key === 'path') found.path = decode(record.subarray(equals + 1));
    if (key === 'size') found.size = Number(record.toString('latin1', equals + 1));
    if (key.startsWith('GNU.sparse')) throw refuseArchive('The archive holds a sparse file.', 'Make it again, for example with “otree zip”.');
    at += length;
  }
  return found;
}

function nameOf(header: Buffer): string {
  const name = header.subarray(0, endOf(header, 0, 100));
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? header.subarray(345, endOf(header, 345, 155)) : Buffer.alloc(0);
  return prefix.length === 0 ? decode(name) : `${decode(prefix)}/${decode(name)}`;
}

function endOf(block: Buffer, at: number, length: number): number {
  const end = block.indexOf(0, at);
  return end < 0 || end > at + length ? at + length : end;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const shown = bytes.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '?');
    throw refuseArchive(`The name of “${shown.slice(0, 100)}” is not written in UTF-8.`, 'Rename it with plain letters, then pack again.');
  }
}

function numberAt(block: Buffer, at: number, length = 12): number {
  const digits = block
    .toString('latin1', at, at + length)
    .replace(/\0.*$/s, '')
    .trim();
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function hasRightChecksum(header: Buffer): boolean {
  let sum = 0;
  for (let at = 0; at < BLOCK; at += 1) sum += at >= 148 && at < 156 ? 32 : (header[at] ?? 0);
  return sum === numberAt(header, 148, 8);
}
