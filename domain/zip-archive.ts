// A .zip of small texts: the one container that every system opens by a double click and that keeps "may be run".
// Written here because it is forty lines: stored, not compressed, the same bytes for the same files.

import { crc32 } from 'node:zlib';

export type ZipEntry = { readonly name: string; readonly content: string; readonly isExecutable: boolean };

/** 1 January 1980, the earliest that the format knows: the same files make the same archive. */
const dosDate = 0x21;
const utf8Names = 0x0800;
const madeOnUnix = 0x0314;

/** @param entries with plain names; at most 65,535 @see APPNOTE.TXT 6.3.10 §4.3 */
export function zipArchive(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const { name, content, isExecutable } of entries) {
    const [path, data] = [Buffer.from(name), Buffer.from(content)];
    // Version needed, flags, method (stored), time, date, checksum, both sizes, lengths of name and extra field.
    const shared = words([20, 2], [utf8Names, 2], [0, 2], [0, 2], [dosDate, 2], [crc32(data), 4], [data.length, 4], [data.length, 4], [path.length, 2], [0, 2]);
    const local = Buffer.concat([words([0x04034b50, 4]), shared, path, data]);
    const mode = (0o100000 | (isExecutable ? 0o755 : 0o644)) * 0x10000;
    centrals.push(Buffer.concat([words([0x02014b50, 4], [madeOnUnix, 2]), shared, words([0, 2], [0, 2], [0, 2], [mode, 4], [offset, 4]), path]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(centrals);
  const end = words([0x06054b50, 4], [0, 2], [0, 2], [entries.length, 2], [entries.length, 2], [central.length, 4], [offset, 4], [0, 2]);
  return Buffer.concat([...locals, central, end]);
}

/** Little-endian numbers of two or four bytes. */
function words(...fields: readonly (readonly [value: number, bytes: 2 | 4])[]): Buffer {
  const buffer = Buffer.alloc(fields.reduce((sum, [, bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [value, bytes] of fields) at = buffer.writeUIntLE(value, at, bytes);
  return buffer;
}
