// nginx's files on disk: what they should be, what they are, and turning one into the other.

import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Layout } from './layout.ts';
import { errorLogOf, generationFileOf, pageNames, pagesDirOf, renderMain, siteFileOf } from './nginx-config.ts';
import type { NginxSettings } from './nginx-config.ts';

/** Instance id → content of its file. */
export type Sites = ReadonlyMap<string, string>;
/** Absolute path → content. */
export type Tree = ReadonlyMap<string, string>;

/** Every file as it should be, but the generation. */
export async function treeOf(settings: NginxSettings, sites: Sites): Promise<Tree> {
  const { layout } = settings;
  const pages = await Promise.all(
    pageNames.map(
      async (name) => [path.join(pagesDirOf(layout), `${name}.html`), await readFile(new URL(`./nginx-pages/${name}.html`, import.meta.url), 'utf8')] as const,
    ),
  );
  return new Map([[layout.nginxConfig, renderMain(settings)], ...pages, ...[...sites].map(([id, site]) => [siteFileOf(layout, id), site] as const)]);
}

/** Our files as they are on disk, strange ones in the instances' folder included. */
export async function readTree(settings: NginxSettings): Promise<Tree> {
  const { layout } = settings;
  const sites = (await readdir(layout.nginxSites).catch(() => [])).filter((name) => name.endsWith('.conf')).map((name) => path.join(layout.nginxSites, name));
  const files = [layout.nginxConfig, generationFileOf(layout), ...pageNames.map((name) => path.join(pagesDirOf(layout), `${name}.html`)), ...sites];
  const contents = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => null)));
  return new Map(files.flatMap((file, index) => (typeof contents[index] === 'string' ? [[file, contents[index]] as const] : [])));
}

/** Instance files on disk, those with a possible name. */
export async function readSites(layout: Layout): Promise<Sites> {
  const names = (await readdir(layout.nginxSites).catch(() => [])).filter((name) => /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.conf$/.test(name));
  return new Map(
    await Promise.all(names.map(async (name) => [name.slice(0, -'.conf'.length), await readFile(path.join(layout.nginxSites, name), 'utf8')] as const)),
  );
}

/** Sixteen hex digits of everything but the generation itself. */
export function hashOf(settings: NginxSettings, tree: Tree): string {
  const entries = [...tree].filter(([file]) => file !== generationFileOf(settings.layout)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex').slice(0, 16);
}

/** Folders that nginx needs, readable for its user. */
export async function makeDirectories(layout: Layout): Promise<void> {
  for (const dir of [
    layout.nginxDir,
    layout.nginxSites,
    pagesDirOf(layout),
    path.join(layout.nginxDir, 'temp'),
    layout.runDir,
    path.dirname(errorLogOf(layout)),
  ]) {
    await mkdir(dir, { recursive: true });
  }
  // nginx's user reads the pages and fills the temporary folders, whatever our umask is.
  for (const dir of [layout.nginxDir, pagesDirOf(layout), path.join(layout.nginxDir, 'temp')]) await chmod(dir, 0o755);
}

/** Turns one set of files into the other, each file whole or not at all (`*.conf.new` is not included by nginx). */
export async function replaceTree(from: Tree, to: Tree): Promise<void> {
  for (const [file, content] of to) {
    if (from.get(file) === content) continue;
    await writeFile(`${file}.new`, content, { mode: 0o644 });
    await chmod(`${file}.new`, 0o644);
    await rename(`${file}.new`, file);
  }
  for (const file of from.keys()) if (!to.has(file)) await rm(file, { force: true });
}
