// What may come out of an uploaded archive: names, sizes, kinds. Only plain files are ever written, so nothing can lead outside.

import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../contracts/errors.ts';

/** Of what is unpacked; a project that git brings has the same limits. */
const limits = { totalMib: 500, entries: 50_000, depth: 30, nameBytes: 200, pathBytes: 1000 } as const;
/** Text packs 5 to 20 times smaller; 1,000 times is what a bomb does. Small archives may do as they like. */
const maxRatio = 100;
const ratioFreeBytes = 20 * 1024 * 1024;
const MIB = 1024 * 1024;

export type ArchiveEntry = {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** The content of a file; called at most once. */
  readonly open: () => Promise<AsyncIterable<Uint8Array>>;
};
export type Unpacked = {
  /** The folder that holds settings.py. */
  readonly root: string;
  /** Names of what people may wonder about: repositories, environments, databases. */
  readonly leftOut: readonly string[];
};

/** What an archive is refused with: what is wrong with it, and what to do. */
export const refuseArchive = (reason: string, hint: string): AppError => new AppError('upload_refused', { reason, hint });

/** Made on the machine the archive comes from, useless on this one. */
const useless = new Set(['__MACOSX', '__pycache__', '.DS_Store', 'Thumbs.db', 'desktop.ini']);
const isDatabase = (name: string): boolean => /\.sqlite3?(?:-journal|-wal|-shm)?$/i.test(name);

/**
 * A name as a clean relative path; the backslashes of old Windows programs count as slashes.
 * @throws upload_refused for a name that leads outside, cannot be used or is too long
 */
export function cleanName(raw: string): string {
  const name = raw.replaceAll('\\', '/');
  // oxlint-disable-next-line no-control-regex -- a name must not bring its own line ends into a sentence
  const shown = raw.slice(0, 100).replaceAll(/[\u0000-\u001f\u007f]/g, '?');
  if (/^(?:\/|[A-Za-z]:)/.test(name) || name.split('/').includes('..'))
    throw refuseArchive(
      `The archive holds a file that wants to lie outside of the project: “${shown}”.`,
      'Pack the project’s folder itself, with relative names.',
    );
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  // oxlint-disable-next-line no-control-regex -- exactly these are refused
  if (/[\u0000-\u001f\u007f]/.test(name) || parts.some((part) => Buffer.byteLength(part) > limits.nameBytes) || Buffer.byteLength(name) > limits.pathBytes)
    throw refuseArchive(`The archive holds a file with a name that cannot be used: “${shown}”.`, 'Rename it, then pack again.');
  if (parts.length > limits.depth) throw refuseArchive(`The archive nests folders more than ${limits.depth} deep.`, 'Pack the folder that holds settings.py.');
  return parts.join('/');
}

/** Takes entries one by one into an empty folder, and refuses at the first that is not right. */
export class Unpacking {
  readonly #folder: string;
  readonly #archiveBytes: number;
  /** Path in small letters → as it is written; files and folders. */
  readonly #taken = new Map<string, { name: string; isFolder: boolean }>();
  readonly #leftOut = new Set<string>();
  /** Links and devices: harmless inside of what is left out, which is known at the end. */
  readonly #odd: { name: string; kind: 'link' | 'other' }[] = [];
  #entries = 0;
  #bytes = 0;

  constructor(folder: string, archiveBytes: number) {
    this.#folder = folder;
    this.#archiveBytes = archiveBytes;
  }

  /** Counts bytes as they come out of the packing, whatever becomes of them. @throws upload_refused */
  count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > limits.totalMib * MIB)
      throw refuseArchive(
        `Unpacked, this archive is larger than ${limits.totalMib} MiB.`,
        'Take large files out (data, environments, videos), then pack again.',
      );
    if (this.#bytes > ratioFreeBytes && this.#bytes > maxRatio * this.#archiveBytes)
      throw refuseArchive('This archive grows far beyond what a project can hold when it is unpacked.', 'Pack the project’s folder anew.');
  }

  async take(entry: ArchiveEntry): Promise<void> {
    this.#entries += 1;
    if (this.#entries > limits.entries)
      throw refuseArchive(
        `The archive holds more than ${limits.entries.toLocaleString('en')} files.`,
        'Take out what is not part of the project, then pack again.',
      );
    const name = cleanName(entry.name);
    if (name === '' || this.#isLeftOut(name)) return;
    if (entry.kind === 'link' || entry.kind === 'other') this.#odd.push({ name, kind: entry.kind });
    this.#remember(name, entry.kind === 'folder');
    if (entry.kind === 'file') await this.#write(name, await entry.open());
  }

  /** Clears away environments and unwraps a single outer folder. @throws upload_refused when there is no settings.py */
  async finish(): Promise<Unpacked> {
    const files = [...this.#taken.values()].flatMap(({ name, isFolder }) => (isFolder ? [] : [name]));
    const environments = files.filter((name) => path.posix.basename(name) === 'pyvenv.cfg' && name.includes('/')).map((name) => path.posix.dirname(name));
    const isInside = (name: string): boolean => environments.some((folder) => name.startsWith(`${folder}/`));
    const odd = this.#odd.find(({ name }) => !isInside(name));
    if (odd?.kind === 'link') throw refuseArchive(`“${odd.name}” is a link to another file.`, 'Put the file itself in its place, then pack again.');
    if (odd) throw refuseArchive(`“${odd.name}” is neither a file nor a folder.`, 'Take it out, then pack again.');
    for (const folder of environments) {
      await rm(path.join(this.#folder, folder), { recursive: true, force: true });
      this.#leftOut.add(`${folder}/`);
    }
    const root = findRoot(files.filter((name) => !isInside(name)));
    return { root: path.join(this.#folder, root), leftOut: [...this.#leftOut].toSorted() };
  }

  #isLeftOut(name: string): boolean {
    const parts = name.split('/');
    if (parts.some((part) => useless.has(part))) return true;
    const git = parts.indexOf('.git');
    if (git >= 0) this.#leftOut.add(parts.slice(0, git + 1).join('/'));
    else if (isDatabase(name)) this.#leftOut.add(name);
    return git >= 0 || isDatabase(name);
  }

  /** On Windows and macOS `A.txt` and `a.txt` are one file: which one would be meant? */
  #remember(name: string, isFolder: boolean): void {
    const parts = name.split('/');
    for (let length = 1; length <= parts.length; length += 1) {
      const part = parts.slice(0, length).join('/');
      const key = part.normalize('NFC').toLowerCase();
      const isPartFolder = length < parts.length || isFolder;
      const before = this.#taken.get(key);
      if (before === undefined) this.#taken.set(key, { name: part, isFolder: isPartFolder });
      else if (before.name !== part || !before.isFolder || !isPartFolder) {
        const both = before.name === part ? `“${part}” twice` : `“${before.name}” and “${part}”, which are one file on many computers`;
        throw refuseArchive(`The archive holds ${both}.`, 'Keep one of them, then pack again.');
      }
    }
  }

  async #write(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const file = path.join(this.#folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    const handle = await open(file, 'wx', 0o644);
    try {
      for await (const bytes of content) await handle.write(bytes);
    } finally {
      await handle.close();
    }
  }
}

/** The folder with settings.py: the top, or a single folder that wraps everything. */
function findRoot(files: readonly string[]): string {
  if (files.includes('settings.py')) return '';
  const tops = new Set(files.map((name) => name.split('/')[0] ?? ''));
  const [top] = tops;
  if (top !== undefined && tops.size === 1 && !files.includes(top)) return path.posix.join(top, findRoot(files.map((name) => name.slice(top.length + 1))));
  const found = files.find((name) => name.endsWith('/settings.py'));
  throw refuseArchive(
    'There is no settings.py at the top of this archive.',
    found === undefined ? 'Pack the folder that holds settings.py.' : `It lies in “${path.posix.dirname(found)}”: pack that folder.`,
  );
}
