// Archives for tests, right and wrong: .zip and .tar.gz written byte by byte, so that they can hold what no program packs.

import { crc32, deflateRawSync, gzipSync } from 'node:zlib';

export type ZipMember = {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  /** Unix mode with file type, for example 0o120777 for a link; none: as Windows writes it. */
  readonly mode?: number;
  readonly isEncrypted?: boolean;
  readonly method?: number;
};

/** A .zip with these members. */
export function makeZip(members: readonly ZipMember[]): Buffer {
  const bodies: Buffer[] = [];
  const index: Buffer[] = [];
  let at = 0;
  for (const { name, content = '', mode, isEncrypted = false, method = 8 } of members) {
    const [raw, nameBytes] = [Buffer.from(content), Buffer.from(name)];
    const packed = method === 8 ? deflateRawSync(raw) : raw;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(isEncrypted ? 1 : 0, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(raw), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(raw.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    bodies.push(Buffer.from('504b0304', 'hex'), common, nameBytes, packed);
    const entry = Buffer.alloc(46 - 6 - 26);
    entry.writeUInt32LE(mode === undefined ? 0 : (mode << 16) >>> 0, 6);
    entry.writeUInt32LE(at, 10);
    const head = Buffer.from('504b0102', 'hex');
    const madeBy = Buffer.from([20, mode === undefined ? 0 : 3]);
    index.push(head, madeBy, common, entry, nameBytes);
    at += 4 + 26 + nameBytes.length + packed.length;
  }
  const directory = Buffer.concat(index);
  const end = Buffer.alloc(22);
  end.write('504b0506', 0, 'hex');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...bodies, directory, end]);
}

export type TarMember = { readonly name: string | Buffer; readonly content?: string | Buffer; readonly type?: string; readonly linkTo?: string };

/** A .tar.gz with these members; long names as pax writes them. */
export function makeTarGz(members: readonly TarMember[]): Buffer {
  const blocks = members.flatMap((member) => {
    const name = Buffer.from(member.name);
    if (name.length <= 100) return tarMember({ ...member, name });
    const record = (length: number): string => `${length} path=${name.toString()}\n`;
    let length = Buffer.byteLength(record(0));
    while (Buffer.byteLength(record(length)) !== length) length = Buffer.byteLength(record(length));
    return [...tarMember({ name: Buffer.from('pax'), content: record(length), type: 'x' }), ...tarMember({ ...member, name: name.subarray(0, 100) })];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

function tarMember({ name, content = '', type = '0', linkTo = '' }: TarMember & { name: Buffer }): Buffer[] {
  const body = Buffer.from(content);
  const header = Buffer.alloc(512);
  name.copy(header, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(linkTo, 157);
  header.write('ustar\0', 257);
  header.write('00', 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
}
