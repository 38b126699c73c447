// Reads a .zip entry by entry.

import type { Readable } from 'node:stream';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { AppError } from '../contracts/errors.ts';
import { refuseArchive, type ArchiveEntry, type Unpacking } from './archive-entries.ts';

const fileTypes: Readonly<Record<number, ArchiveEntry['kind']>> = { 0o100000: 'file', 0o040000: 'folder', 0o120000: 'link' };
const unixMakers = new Set([3, 19]);
const packAgain = 'Pack the project’s folder again, with the program of your system.';

/** @throws upload_refused for a damaged or encrypted archive, and whatever `into` refuses */
export async function readZip(file: string, into: Unpacking): Promise<void> {
  const zip = await yauzl.openPromise(file, { lazyEntries: true, decodeStrings: false, autoClose: false }).catch((error: unknown) => {
    throw damaged(error);
  });
  try {
    for await (const entry of zip.eachEntry()) await into.take(describe(zip, entry, into));
  } catch (error) {
    throw error instanceof AppError ? error : damaged(error);
  } finally {
    zip.close();
  }
}

const damaged = (error: unknown): AppError =>
  refuseArchive(`This .zip is damaged: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}.`, packAgain);

function describe(zip: ZipFile, entry: Entry, into: Unpacking): ArchiveEntry {
  const name = nameOf(entry);
  if (entry.isEncrypted()) throw refuseArchive('This .zip is encrypted.', 'Pack the project’s folder without a password.');
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8)
    throw refuseArchive(`“${name}” is packed in a way that is not supported (method ${entry.compressionMethod}).`, packAgain);
  return { name, kind: kindOf(entry, name), open: async () => counted(await openContent(zip, entry), into) };
}

/**
 * The content of an entry. A damaged one fails as soon as it is opened, before anybody reads: without a listener from the very
 * first moment that error would end the process.
 */
const openContent = (zip: ZipFile, entry: Entry): Promise<Readable> =>
  new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, content) => {
      if (error) return reject(error);
      // Some errors are only emitted (yauzl 3.4): destroyed with it, the stream also tells those who come later.
      content.on('error', (raw: Error) => content.destroy(raw));
      resolve(content);
    });
  });

/** Names are UTF-8, flagged or not; what older programs wrote in the code page of their machine cannot be known. */
function nameOf(entry: Entry): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(entry.fileNameRaw);
  } catch {
    const shown = entry.fileNameRaw.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '?');
    throw refuseArchive(`The name of “${shown.slice(0, 100)}” is not written in UTF-8.`, 'Rename it with plain letters, then pack again.');
  }
}

function kindOf(entry: Entry, name: string): ArchiveEntry['kind'] {
  const type = unixMakers.has(entry.versionMadeBy >>> 8) ? (entry.externalFileAttributes >>> 16) & 0o170000 : 0;
  if (type !== 0) return fileTypes[type] ?? 'other';
  return /[/\\]$/.test(name) ? 'folder' : 'file';
}

async function* counted(content: AsyncIterable<Uint8Array>, into: Unpacking): AsyncGenerator<Uint8Array> {
  for await (const bytes of content) {
    into.count(bytes.length);
    yield bytes;
  }
}
