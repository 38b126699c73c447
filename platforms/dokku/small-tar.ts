// A tar of a few small files, made in memory: what is secret in it never touches a disk.

const BLOCK = 512;
/** tar's own unit: Dokku reads it with the tar of its system. */
const RECORD = 20 * BLOCK;

/** A ustar archive of plain files (mode 0600). @see POSIX.1-2017, pax, “ustar Interchange Format” */
export function packTar(files: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(files).flatMap(([name, text]) => {
    const content = Buffer.from(text);
    return [headerOf(name, content.length), content, Buffer.alloc(-content.length & (BLOCK - 1))];
  });
  const packed = Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
  return Buffer.concat([packed, Buffer.alloc((RECORD - (packed.length % RECORD)) % RECORD)]);
}

function headerOf(name: string, sizeBytes: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`this name is too long for a tar: ${name}`);
  const header = Buffer.alloc(BLOCK);
  const put = (text: string, at: number): void => void header.write(text, at, 'latin1');
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0, 'utf8');
  put(octal(0o600, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  put(octal(sizeBytes, 11), 124);
  put(octal(Math.floor(Date.now() / 1000), 11), 136);
  put(' '.repeat(8), 148);
  put('0', 156);
  put('ustar\u000000', 257);
  put(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return header;
}
