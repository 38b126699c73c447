// Looking through an unpacked project before anything is installed: what cannot work is refused, what surprises is said.

import { open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../contracts/errors.ts';
import type { SessionConfig } from './project.ts';
import { findIds } from './participant-ids.ts';

type ProjectFile = { readonly name: string; readonly sizeBytes: number };
type Listing = { readonly files: readonly ProjectFile[]; readonly emptyFolders: readonly string[] };

const MIB = 1024 * 1024;
/** GitHub warns from here on; every deployment copies the file. */
const LARGE_MIB = 50;
const TEXT_LIMIT_BYTES = 2 * MIB;
/** A pointer of Git LFS has some 130 bytes (its specification: fewer than 1024). */
const POINTER_LIMIT_BYTES = 1024;
const TEXTS = /\.(?:py|html|txt|toml|cfg)$/i;
const NAMED_AT_MOST = 3;

/**
 * Looks through the project in `dir`.
 * @returns sentences about what deploys but is worth a look
 * @throws settings_missing, settings_deeper, settings_name, lfs_pointer, submodule_missing, merge_conflict, python_encoding
 */
export async function checkProject(dir: string): Promise<string[]> {
  const listing = await listProject(dir);
  await requireSettings(dir, listing);
  await refusePointers(dir, listing);
  const emptyFolders = await refuseSubmodules(dir, listing);
  for (const file of listing.files) if (TEXTS.test(file.name) && file.sizeBytes <= TEXT_LIMIT_BYTES) await checkText(dir, file.name);
  return [...(await warnOfIds(dir, listing)), ...warnOfLargeFiles(listing), ...warnOfTwins(listing), ...warnOfEmptyFolders(emptyFolders)];
}

async function listProject(dir: string): Promise<Listing> {
  const [files, emptyFolders]: [ProjectFile[], string[]] = [[], []];
  const waiting = [''];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const entries = await readdir(path.join(dir, at), { withFileTypes: true });
    if (entries.length === 0 && at !== '') emptyFolders.push(at);
    for (const entry of entries) {
      const name = path.join(at, entry.name);
      if (entry.isDirectory() && entry.name !== 'node_modules') waiting.push(name);
      else if (entry.isFile()) files.push({ name, sizeBytes: (await stat(path.join(dir, name))).size });
    }
  }
  return { files: files.toSorted((a, b) => (a.name < b.name ? -1 : 1)), emptyFolders };
}

async function requireSettings(dir: string, { files }: Listing): Promise<void> {
  const names = files.map(({ name }) => name);
  if (names.includes('settings.py') || names.includes(path.join('settings', '__init__.py'))) return;
  const misnamed = names.find((name) => name.toLowerCase() === 'settings.py');
  if (misnamed !== undefined) throw new AppError('settings_name', { file: misnamed });
  const deeper = names.filter((name) => path.basename(name) === 'settings.py').toSorted((a, b) => depthOf(a) - depthOf(b));
  for (const name of deeper) {
    if (/^SESSION_CONFIGS\b/m.test(await readStart(path.join(dir, name), TEXT_LIMIT_BYTES)))
      throw new AppError('settings_deeper', { folder: path.dirname(name) });
  }
  throw new AppError('settings_missing');
}

const depthOf = (name: string): number => name.split('/').length;

async function refusePointers(dir: string, { files }: Listing): Promise<void> {
  const found: { name: string; sizeBytes: number }[] = [];
  for (const { name, sizeBytes } of files) {
    if (sizeBytes >= POINTER_LIMIT_BYTES) continue;
    const pointer = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:.*\n)*?size (\d+)/.exec(await readStart(path.join(dir, name), POINTER_LIMIT_BYTES));
    if (pointer !== null) found.push({ name, sizeBytes: Number(pointer[1]) });
  }
  const [first] = found.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
  if (first === undefined) return;
  throw new AppError('lfs_pointer', { file: first.name, size: sizeOf(first.sizeBytes), count: found.length === 1 ? 'one file' : `${found.length} files` });
}

const sizeOf = (bytes: number): string => (bytes >= MIB ? `${(bytes / MIB).toFixed(1)} MiB` : `${Math.ceil(bytes / 1024)} KiB`);

/** `git archive` writes an empty folder where a submodule stands. @returns the empty folders that .gitmodules does not explain */
async function refuseSubmodules(dir: string, { files, emptyFolders }: Listing): Promise<string[]> {
  if (!files.some(({ name }) => name === '.gitmodules')) return [...emptyFolders];
  const folders = [...(await readStart(path.join(dir, '.gitmodules'), TEXT_LIMIT_BYTES)).matchAll(/^\s*path\s*=\s*(.+?)\s*$/gm)].map((found) => found[1] ?? '');
  const missing = folders.find((folder) => emptyFolders.includes(folder));
  if (missing !== undefined) throw new AppError('submodule_missing', { folder: missing });
  return [...emptyFolders];
}

async function checkText(dir: string, name: string): Promise<void> {
  const content = await readFile(path.join(dir, name));
  // Other files may be left-overs that nobody imports; Python says it when somebody does.
  if (/^(?:settings\.py|[^/]+\/__init__\.py)$/.test(name)) refuseForeignEncoding(name, content);
  const lines = content.toString('latin1').split('\n');
  const begin = lines.findIndex((line) => line.startsWith('<<<<<<< '));
  if (begin >= 0 && lines.some((line, at) => at > begin && line.startsWith('>>>>>>> '))) throw new AppError('merge_conflict', { file: name, line: begin + 1 });
}

/** Python reads UTF-8, or what the first two lines declare; never UTF-16, which Windows editors write. */
function refuseForeignEncoding(file: string, content: Buffer): void {
  const mark = content.subarray(0, 2).toString('hex');
  if (mark === 'fffe' || mark === 'feff' || content.includes(0)) throw new AppError('python_encoding', { file, encoding: 'UTF-16' });
  const declares = /^[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+/m.test(content.subarray(0, 400).toString('latin1').split('\n', 2).join('\n'));
  if (declares) return;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new AppError('python_encoding', { file, encoding: 'perhaps Latin-1' });
  }
}

async function warnOfIds(dir: string, { files }: Listing): Promise<string[]> {
  const found: { name: string; count: number; source: string }[] = [];
  for (const { name } of files) {
    const ids = await findIds(path.join(dir, name));
    if (ids !== null) found.push({ name, ...ids });
  }
  return limited(
    found.map(
      ({ name, count, source }) =>
        `\`${name}\` holds ${count} ids that look like ${source}: data of participants are about to be deployed. Take the file out with \`git rm --cached ${name}\` and keep it elsewhere; the history of your repository still has it.`,
    ),
    'files with such ids',
  );
}

const warnOfLargeFiles = ({ files }: Listing): string[] =>
  limited(
    files
      .filter(({ sizeBytes }) => sizeBytes > LARGE_MIB * MIB)
      .map(({ name, sizeBytes }) => `\`${name}\` has ${sizeOf(sizeBytes)}: every deployment copies it. Videos are better kept on a media server.`),
    'large files',
  );

function warnOfTwins({ files }: Listing): string[] {
  const seen = new Map<string, string>();
  const twins: string[] = [];
  for (const { name } of files) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined)
      twins.push(`\`${other}\` and \`${name}\` differ in capital letters only: on Windows and macOS one hides the other. Remove one of them.`);
    seen.set(name.toLowerCase(), name);
  }
  return limited(twins, 'such pairs');
}

const warnOfEmptyFolders = (folders: readonly string[]): string[] =>
  limited(
    folders.map(
      (folder) => `The folder \`${folder}\` arrived empty. If it is a git repository of its own, delete its .git folder and add its files to this project.`,
    ),
    'empty folders',
  );

const limited = (sentences: readonly string[], what: string): string[] =>
  sentences.length <= NAMED_AT_MOST ? [...sentences] : [...sentences.slice(0, NAMED_AT_MOST), `There are ${sentences.length - NAMED_AT_MOST} more ${what}.`];

/**
 * Every app that a session config plays must be a folder of the project, or an installed package.
 * @throws app_missing, app_without_init
 */
export async function checkApps(dir: string, configs: readonly SessionConfig[], isInstalled: (name: string) => Promise<boolean>): Promise<void> {
  const folders = (await readdir(dir, { withFileTypes: true })).filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map(({ name }) => name);
  for (const { name: config, appSequence } of configs) {
    for (const app of appSequence) {
      if (!folders.includes(app)) {
        if (await isInstalled(app)) continue;
        throw new AppError('app_missing', { app, config, hint: missingAppHint(app, folders) });
      }
      const inside = await readdir(path.join(dir, app));
      if (!inside.includes('__init__.py') && !inside.includes('models.py')) throw new AppError('app_without_init', { app });
    }
  }
}

function missingAppHint(app: string, folders: readonly string[]): string {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const near = folders.find((folder) => plain(folder) === plain(app)) ?? folders.find((folder) => isOneSlipAway(plain(folder), plain(app)));
  return near === undefined
    ? `Commit the folder \`${app}\`, or take it out of app_sequence in settings.py; push again.`
    : `There is a folder \`${near}\`: write the same name in app_sequence in settings.py, commit, push again.`;
}

/** One letter added, left out, or another. */
function isOneSlipAway(a: string, b: string): boolean {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return [a.slice(at + 1) === b.slice(at + 1), a.slice(at) === b.slice(at + 1), a.slice(at + 1) === b.slice(at)].includes(true);
}

async function readStart(file: string, limitBytes: number): Promise<string> {
  const handle = await open(file);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(limitBytes), 0, limitBytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
