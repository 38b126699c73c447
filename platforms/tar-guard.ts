// Reads a tar stream while it passes and refuses what a project may not hold, before tar ever sees it.

import { Transform, type TransformCallback } from 'node:stream';
import { AppError } from '../contracts/errors.ts';

export type TarLimits = { readonly sizeMib: number; readonly entries: number };

const BLOCK = 512;
/** Extended headers (long names) are read into memory; git writes a few hundred bytes. */
const MAX_HEADER_BYTES = 64 * 1024;
const FILE_TYPES = new Set(['0', '\0', '7']);
const EXTENSION_TYPES = new Set(['x', 'g', 'L', 'K']);

const refuse = (reason: string): AppError => new AppError('push_refused', { reason, hint: 'Take it out of the commit, then push again.' });

/** One sentence when a name leads out of the project, else null. */
export function nameProblem(name: string): string | null {
  if (name === '' || name.includes('\0') || name.includes('\\')) return `The project holds a file with a name that cannot be used: “${name}”.`;
  if (name.startsWith('/') || name.split('/').includes('..')) return `The project holds a file outside of itself: “${name}”.`;
  return null;
}

/**
 * Passes a tar stream on, unchanged, and breaks it off at the first entry that is neither a file, a folder nor a
 * symbolic link or has a name outside of the project, or when there is more than the limits allow.
 * @throws (as stream error) push_refused, project_too_large
 */
export class TarGuard extends Transform {
  readonly #limits: TarLimits;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of the present entry's content that are still to come, with padding. */
  #skip = 0;
  #extension: { type: string; chunks: Buffer[]; size: number } | null = null;
  #overrides: { path?: string; size?: number } = {};
  #sizeBytes = 0;
  #entries = 0;

  constructor(limits: TarLimits) {
    super();
    this.#limits = limits;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#sizeBytes += chunk.length;
      if (this.#sizeBytes > this.#limits.sizeMib * 1024 * 1024) throw new AppError('project_too_large', { limitMib: this.#limits.sizeMib });
      this.#read(chunk);
      done(null, chunk);
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    done(this.#skip > 0 || this.#rest.length > 0 ? refuse('The archive of the project breaks off in the middle.') : null);
  }

  #read(chunk: Buffer): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (data.length > 0) {
      if (this.#skip > 0) {
        const part = data.subarray(0, this.#skip);
        this.#extension?.chunks.push(part);
        this.#skip -= part.length;
        data = data.subarray(part.length);
      } else if (data.length < BLOCK) break;
      else {
        if (this.#extension !== null) this.#takeExtension();
        this.#takeHeader(data.subarray(0, BLOCK));
        data = data.subarray(BLOCK);
      }
    }
    this.#rest = Buffer.from(data);
  }

  #takeHeader(header: Buffer): void {
    if (header.every((byte) => byte === 0)) return;
    if (!hasRightChecksum(header)) throw refuse('The archive of the project is damaged.');
    const type = String.fromCharCode(header[156] ?? 0);
    const size = EXTENSION_TYPES.has(type) ? octal(header, 124, 12) : (this.#overrides.size ?? octal(header, 124, 12));
    if (!Number.isSafeInteger(size) || size < 0) throw refuse('The archive of the project is damaged.');
    this.#skip = Math.ceil(size / BLOCK) * BLOCK;
    if (EXTENSION_TYPES.has(type)) {
      if (size > MAX_HEADER_BYTES) throw refuse('The project holds a file whose name is too long.');
      this.#extension = { type, chunks: [], size };
      return;
    }
    this.#checkEntry(header, type);
    this.#overrides = {};
  }

  #checkEntry(header: Buffer, type: string): void {
    this.#entries += 1;
    if (this.#entries > this.#limits.entries) throw refuse(`The project holds more than ${this.#limits.entries} files.`);
    const prefix = header.toString('latin1', 257, 262) === 'ustar' ? text(header, 345, 155) : '';
    const plain = prefix === '' ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`;
    const name = this.#overrides.path ?? plain;
    const problem = nameProblem(name);
    if (problem !== null) throw refuse(problem);
    // Symbolic links pass: tar makes those that lead out last, and they may belong to an environment that is left out.
    if (!FILE_TYPES.has(type) && type !== '5' && type !== '2') throw refuse(`“${name}” is neither a file nor a folder.`);
  }

  #takeExtension(): void {
    const { type, chunks, size } = this.#extension ?? { type: '', chunks: [], size: 0 };
    this.#extension = null;
    const content = Buffer.concat(chunks).subarray(0, size);
    if (type === 'L') this.#overrides.path = text(content, 0, size);
    else if (type === 'x') Object.assign(this.#overrides, readPax(content));
    // 'g' is git's comment with the commit; what else it could set, such as a path for all entries, is refused.
    else if (type === 'g' && Object.keys(readPax(content)).length > 0) throw refuse('The archive of the project is not one that git writes.');
  }
}

/** Records `LENGTH key=value\n` of a pax header (POSIX.1-2017 pax); length counts bytes. */
function readPax(content: Buffer): { path?: string; size?: number } {
  const found: { path?: string; size?: number } = {};
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(content.toString('latin1', at, space));
    if (!Number.isInteger(length) || length <= space - at || at + length > content.length) throw refuse('The archive of the project is damaged.');
    const record = content.toString('utf8', space + 1, at + length - 1);
    const [key, value] = [record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1)];
    if (key === 'path') found.path = value;
    if (key === 'size') found.size = Number(value);
    if (key.startsWith('GNU.sparse')) throw refuse('The project holds a sparse file.');
    at += length;
  }
  return found;
}

const text = (block: Buffer, at: number, length: number): string => {
  const end = block.indexOf(0, at);
  return block.toString('utf8', at, end < 0 || end > at + length ? at + length : end);
};

const octal = (block: Buffer, at: number, length: number): number => {
  const digits = block
    .toString('latin1', at, at + length)
    .replace(/\0.*$/s, '')
    .trim();
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
};

const hasRightChecksum = (header: Buffer): boolean => {
  let sum = 0;
  for (let at = 0; at < BLOCK; at += 1) sum += at >= 148 && at < 156 ? 32 : (header[at] ?? 0);
  return sum === octal(header, 148, 8);
};
