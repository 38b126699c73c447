// nginx's files on disk: what they should be, what they are, and turning one into the other.

import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Layout } from './layout.ts';
import { renderMain, type DoorFiles } from './nginx-config.ts';
import { renderStaticPage } from './nginx-pages.ts';
import { errorLogOf, generationFileOf, pageFileOf, pageNames, pagesDirOf, pathsFileOf, siteFileOf, siteKeyPattern } from './nginx-settings.ts';
import type { NginxSettings } from './nginx-settings.ts';
import type { Site } from './nginx-site.ts';
import { certificateOfContent, hashesIn, hashOfFile, type CertificateFile } from './nginx-tls.ts';

/** Site key (an instance's id, or `ID.1` … for a former address) → what its files hold. */
export type Sites = ReadonlyMap<string, Site>;
/** Absolute path → content. */
export type Tree = ReadonlyMap<string, string>;
/** The door's own certificates, and which of them were lost from the disk. */
export type Door = DoorFiles & { readonly lost: readonly string[] };

/** Which certificates are the door's own: read when nginx is started before the worker. */
const doorFileOf = (layout: Layout): string => path.join(layout.nginxDir, 'door.json');

const readOrNull = (file: string): Promise<string | null> => readFile(file, 'utf8').catch(() => null);
const namesIn = (dir: string): Promise<readonly string[]> => readdir(dir).catch(() => []);

/** Every file as it should be, but the generation. */
export function treeOf(settings: NginxSettings, sites: Sites, door: DoorFiles): Tree {
  const { layout } = settings;
  const pages = pageNames.map((name) => [pageFileOf(layout, name), renderStaticPage(name)] as const);
  const certificates = [door.panel, door.paths, ...[...sites.values()].flatMap((site) => site.certificates)].filter((one) => one !== null);
  const files = [...sites].flatMap(([key, { servers, locations }]) => [
    ...(servers === '' ? [] : [[siteFileOf(layout, key), servers] as const]),
    ...(locations === '' ? [] : [[pathsFileOf(layout, key), locations] as const]),
  ]);
  const hashes = { panel: door.panel && hashOfFile(door.panel), paths: door.paths && hashOfFile(door.paths) };
  return new Map([
    [layout.nginxConfig, renderMain(settings, door)],
    [doorFileOf(layout), `${JSON.stringify(hashes)}\n`],
    ...pages,
    ...certificates.map(({ file, content }) => [file, content] as const),
    ...files,
  ]);
}

/** Our files as they are on disk, strange ones in the folders of sites and certificates included. */
export async function readTree({ layout }: NginxSettings): Promise<Tree> {
  const inDir = async (dir: string, end: string): Promise<readonly string[]> =>
    (await namesIn(dir)).filter((name) => name.endsWith(end)).map((name) => path.join(dir, name));
  const files = [
    layout.nginxConfig,
    generationFileOf(layout),
    doorFileOf(layout),
    ...pageNames.map((name) => pageFileOf(layout, name)),
    ...(await inDir(layout.nginxSites, '.conf')),
    ...(await inDir(layout.nginxPaths, '.conf')),
    ...(await inDir(layout.nginxCertificates, '.pem')),
  ];
  const contents = await Promise.all(files.map(readOrNull));
  return new Map(files.flatMap((file, index) => (typeof contents[index] === 'string' ? [[file, contents[index]] as const] : [])));
}

/** Sites on disk, those with a possible name. */
export async function readSites(layout: Layout): Promise<Sites> {
  const names = [...(await namesIn(layout.nginxSites)), ...(await namesIn(layout.nginxPaths))];
  const keys = [...new Set(names.filter((name) => name.endsWith('.conf')).map((name) => name.slice(0, -'.conf'.length)))];
  return new Map(
    await Promise.all(
      keys
        .filter((key) => siteKeyPattern.test(key))
        .map(async (key) => {
          const servers = (await readOrNull(siteFileOf(layout, key))) ?? '';
          const locations = (await readOrNull(pathsFileOf(layout, key))) ?? '';
          const certificates = await Promise.all(hashesIn(servers).map((hash) => readCertificate(layout, hash)));
          return [key, { servers, locations, certificates: certificates.filter((one) => one !== null) }] as const;
        }),
    ),
  );
}

/** The door's own certificates as they were last kept. */
export async function readDoor(layout: Layout): Promise<Door> {
  const kept = await readOrNull(doorFileOf(layout));
  const hashOf = (name: 'panel' | 'paths'): string | undefined => new RegExp(`"${name}":"([0-9a-f]{64})"`).exec(kept ?? '')?.[1];
  const [panel, paths] = [hashOf('panel'), hashOf('paths')];
  const door = {
    panel: panel === undefined ? null : await readCertificate(layout, panel),
    paths: paths === undefined ? null : await readCertificate(layout, paths),
  };
  const lost = [
    ...(panel !== undefined && door.panel === null ? ['the panel'] : []),
    ...(paths !== undefined && door.paths === null ? ['the address of all paths'] : []),
  ];
  return { ...door, lost };
}

async function readCertificate(layout: Layout, hash: string): Promise<CertificateFile | null> {
  return certificateOfContent(layout, hash, await readOrNull(path.join(layout.nginxCertificates, `${hash}.pem`)));
}

/** Sixteen hex digits of everything but the generation itself. */
export function hashOf(settings: NginxSettings, tree: Tree): string {
  const entries = [...tree].filter(([file]) => file !== generationFileOf(settings.layout)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex').slice(0, 16);
}

/** Folders that nginx needs, readable for its user; keys only for ours. */
export async function makeDirectories(layout: Layout): Promise<void> {
  const temp = path.join(layout.nginxDir, 'temp');
  const open = [layout.nginxDir, pagesDirOf(layout), temp, layout.acmeChallenges];
  for (const dir of [...open, layout.nginxSites, layout.nginxPaths, layout.nginxCertificates, layout.runDir, path.dirname(errorLogOf(layout))]) {
    await mkdir(dir, { recursive: true });
  }
  // nginx's user reads the pages and fills the temporary folders, whatever our umask is.
  for (const dir of open) await chmod(dir, 0o755);
  await chmod(layout.nginxCertificates, 0o700);
}

/** Turns one set of files into the other, each file whole or not at all (`*.conf.new` is not included by nginx). */
export async function replaceTree(from: Tree, to: Tree): Promise<void> {
  for (const [file, content] of to) {
    if (from.get(file) === content) continue;
    const mode = file.endsWith('.pem') ? 0o600 : 0o644;
    await rm(`${file}.new`, { force: true });
    await writeFile(`${file}.new`, content, { mode });
    await chmod(`${file}.new`, mode);
    await rename(`${file}.new`, file);
  }
  for (const file of from.keys()) if (!to.has(file)) await rm(file, { force: true });
}
