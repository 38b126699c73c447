// Finding ids of crowd workers in data files that somebody committed: counted, never shown.

import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import yauzl from 'yauzl';

/** Fewer may be an example, a test id, or chance. */
const ENOUGH = 5;
const READ_LIMIT_BYTES = 8 * 1024 * 1024;
const TABLES = /\.(?:csv|tsv|txt|jsonl?)$/i;
const WORKBOOKS = /\.xlsx$/i;

/** Counts ids of Prolific (24 hexadecimal digits) and of MTurk workers (A and 12 or more capitals and digits); null when there are not enough to mean something, or the file is no table. */
export async function findIds(file: string): Promise<{ count: number; source: string } | null> {
  if (!TABLES.test(file) && !WORKBOOKS.test(file)) return null;
  const content = await readStart(file);
  const text = WORKBOOKS.test(file) ? await readWorkbook(content).catch(() => '') : content.toString('latin1');
  const prolific = new Set(text.match(/(?<![0-9A-Za-z])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{24}(?![0-9A-Za-z])/g)).size;
  const mturk = new Set(text.match(/(?<![0-9A-Za-z])A(?=[A-Z]*\d)(?=\d*[A-Z])[0-9A-Z]{12,19}(?![0-9A-Za-z])/g)).size;
  if (Math.max(prolific, mturk) < ENOUGH) return null;
  return prolific >= mturk ? { count: prolific, source: 'those of Prolific' } : { count: mturk, source: 'those of MTurk workers' };
}

async function readStart(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(size, READ_LIMIT_BYTES)), 0, Math.min(size, READ_LIMIT_BYTES), 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Text of an Excel workbook's cells (ECMA-376: `xl/sharedStrings.xml`, `xl/worksheets/*.xml`), at most 8 MiB of it. */
async function readWorkbook(content: Buffer): Promise<string> {
  const zip = await promisify<Buffer, yauzl.Options, yauzl.ZipFile>(yauzl.fromBuffer)(content, { lazyEntries: true });
  const openEntry = promisify(zip.openReadStream.bind(zip)) as (entry: yauzl.Entry) => Promise<NodeJS.ReadableStream>;
  const parts: string[] = [];
  let left = READ_LIMIT_BYTES;
  return await new Promise((resolve, reject) => {
    const take = async (entry: yauzl.Entry): Promise<void> => {
      if (/^xl\/(?:sharedStrings|worksheets\/[^/]+)\.xml$/.test(entry.fileName) && entry.uncompressedSize <= left) {
        for await (const bytes of await openEntry(entry)) parts.push(bytes.toString('latin1'));
        left -= entry.uncompressedSize;
      }
      zip.readEntry();
    };
    zip.on('entry', (entry: yauzl.Entry) => void take(entry).catch(reject));
    zip.once('end', () => resolve(parts.join('\n')));
    zip.once('error', reject);
    zip.readEntry();
  });
}
