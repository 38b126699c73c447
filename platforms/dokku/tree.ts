// The derived tree: what the panel hands to Dokku for one release, as a tar of Dockerfile, launcher, project, exact versions and what bots need.

import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeSteadyTar } from '../steady-tar.ts';
import { renderAppJson, renderDockerfile, renderPipConf, type TreeSettings } from './dockerfile.ts';

export type TreeRequest = {
  /** The unpacked and checked project. */
  readonly projectDir: string;
  /** Exact versions, one a line, for the Python of the base image. */
  readonly lock: string;
  readonly settings: TreeSettings;
  /** Folder with the packages that bots need beside the release's own; null: none. */
  readonly botPackages: string | null;
  /** Where the tar is written (mode 0600); its folder is there already. */
  readonly file: string;
  readonly signal: AbortSignal;
};

const LAUNCHER_SOURCE = path.join(import.meta.dirname, '..', '..', 'launcher');
/** Dokku commits the tree to a repository of its own: these would leave out, change or refuse files of the project on the way. */
const FOR_GIT_ONLY = ['.git', '.gitattributes', '.gitignore', '.gitmodules'];

/**
 * Writes the derived tree; the same project, lock, settings and launcher give the same bytes. Files of the project called
 * `Dockerfile`, `app.json`, `Procfile` or `.dockerignore` lie below `project/`, where neither Dokku nor Docker looks.
 * The index's password, where it has one, is in the tree (and so in Dokku's repository of the app, and in one layer of
 * the image below the released one): the Dokku host is trusted with it, and instances cannot read it.
 * @throws platform_failed, disk_full
 */
export async function makeTree(request: TreeRequest): Promise<void> {
  const stage = await mkdtemp(`${request.file}.`);
  try {
    await writeOurs(stage, request);
    const excluded = FOR_GIT_ONLY.map((name) => `--exclude=${name}`);
    // Names in the project are led by `./` there, which becomes `project/`; links keep what they point to.
    const project = ['-C', request.projectDir, '--exclude=./db.sqlite3', '--transform=flags=rSH;s,^\\.,project,', '.'];
    const ours = ['-C', stage, 'Dockerfile', 'app.json', 'launcher', 'packages', 'project/db.sqlite3', ...(request.botPackages === null ? [] : ['bots'])];
    await writeSteadyTar(`${stage}/tree.tar`, [...excluded, ...ours, ...project], request.signal);
    await chmod(`${stage}/tree.tar`, 0o600);
    await rename(`${stage}/tree.tar`, request.file);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** What is not the project's. */
async function writeOurs(stage: string, { lock, settings, botPackages }: TreeRequest): Promise<void> {
  for (const folder of ['launcher', 'packages', 'project']) await mkdir(path.join(stage, folder));
  await writeFile(path.join(stage, 'Dockerfile'), renderDockerfile(settings.baseImage, { hasBotPackages: botPackages !== null }));
  await writeFile(path.join(stage, 'app.json'), renderAppJson());
  await writeFile(path.join(stage, 'packages', 'requirements.lock'), `${lock.trim()}\n`);
  await writeFile(path.join(stage, 'packages', 'pip.conf'), renderPipConf(settings.packageIndex ?? {}));
  if (settings.packageIndex?.caFile !== undefined) await copyFile(settings.packageIndex.caFile, path.join(stage, 'packages', 'ca.pem'));
  if (botPackages !== null) await cp(botPackages, path.join(stage, 'bots'), { recursive: true });
  // Confining is the container's business.
  const names = (await readdir(LAUNCHER_SOURCE)).filter((name) => name.endsWith('.py') && !name.startsWith('confine'));
  for (const name of names) await copyFile(path.join(LAUNCHER_SOURCE, name), path.join(stage, 'launcher', name));
  // oTree opens this file also where the data are in PostgreSQL, and cannot make it: the project is read-only.
  await writeFile(path.join(stage, 'project', 'db.sqlite3'), '');
}
