// Images: asking base images for their Python, committing what a container has become, and clearing away.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type Docker from 'dockerode';
import { AppError } from '../../contracts/errors.ts';
import { launcherDir } from '../confined.ts';
import { questionSpec } from './container-spec.ts';
import { asking, ifThere } from './engine.ts';
import { imagesOfReleases } from './files.ts';
import type { Ground } from './ground.ts';
import { LABEL, serveImage } from './names.ts';
import { authOf } from './registry-account.ts';
import { runToEnd, withContainer } from './runs.ts';

export type BaseImage = { readonly name: string; readonly id: string; /** Full version of its `python3`, `3.11.2`. */ readonly python: string };

const QUESTION = [
  '/bin/sh',
  '-eu',
  '-c',
  `command -v setpriv >/dev/null || { echo 'no setpriv'; exit 3; }; python3 -c 'import platform; print(platform.python_version())'`,
];
const QUESTION_MS = 60_000;
const pythons = new Map<string, string>();

/** The base images of the settings, each with its Python; one that is not there is fetched. @throws platform_failed */
export async function lookAtBaseImages(ground: Ground, signal: AbortSignal): Promise<[BaseImage, ...BaseImage[]]> {
  const [first, ...others] = ground.baseImages;
  const found: [BaseImage, ...BaseImage[]] = [await lookAtBaseImage(ground, first, signal)];
  for (const name of others) found.push(await lookAtBaseImage(ground, name, signal));
  return found;
}

async function lookAtBaseImage(ground: Ground, name: string, signal: AbortSignal): Promise<BaseImage> {
  const id = await ensureImage(ground, { name, what: 'base image' });
  const known = pythons.get(id);
  if (known !== undefined) return { name, id, python: known };
  const result = await withContainer(
    ground,
    questionSpec(ground.panelId, name, QUESTION),
    async (container) => await runToEnd(container, { timeoutMs: QUESTION_MS, signal }),
  );
  const python = /^\d+\.\d+\.\d+/m.exec(result.stdout)?.[0];
  if (result.exitCode !== 0 || python === undefined) {
    const missing = result.exitCode === 3 ? 'has no setpriv (Debian’s package util-linux)' : 'has no python3 that runs';
    throw new AppError('platform_failed', { reason: `the base image ${name} ${missing}. Choose another one in the panel’s settings.` });
  }
  pythons.set(id, python);
  return { name, id, python };
}

/** Id of an image on the engine; null when it is not there. */
export const idOf = async (ground: Ground, name: string): Promise<string | null> => (await ifThere(ground.engine.quick.getImage(name).inspect()))?.Id ?? null;

type Wanted = { readonly name: string; /** How people are told of it. */ readonly what: string };

/** Id of an image, which is fetched unless it is there. @throws platform_failed */
export const ensureImage = async (ground: Ground, wanted: Wanted): Promise<string> => (await idOf(ground, wanted.name)) ?? (await fetchImage(ground, wanted));

async function fetchImage(ground: Ground, { name, what }: Wanted): Promise<string> {
  const { patient } = ground.engine;
  try {
    // Without a tag the engine would fetch all there are.
    const isOurs = ground.registry !== null && name.startsWith(`${ground.registry}/`);
    const stream = await patient.pull(/[:@][^/]*$/.test(name) ? name : `${name}:latest`, isOurs ? { authconfig: authOf(ground) } : {});
    await new Promise<void>((resolve, reject) => patient.modem.followProgress(stream, (error) => (error ? reject(error) : resolve())));
  } catch (error) {
    const reason = `the ${what} ${name} is not on the Docker Engine and could not be fetched: ${error instanceof Error ? error.message : String(error)}`;
    throw new AppError('platform_failed', { reason }, { cause: error });
  }
  const id = await idOf(ground, name);
  if (id === null) throw new AppError('platform_failed', { reason: `the ${what} ${name} is not on the Docker Engine.` });
  return id;
}

/** Makes an image of what the container holds. Nothing of the container's own settings that a later one does not replace is a secret. */
export async function commit(container: Docker.Container, name: string): Promise<void> {
  const [repo = '', tag = ''] = name.split(':');
  await asking(container.commit({ repo, tag, pause: false }) as Promise<unknown>);
}

/** Name of the image that other hosts get for a release; the same for the same content. */
export async function serveImageOf(ground: Ground, image: string): Promise<string> {
  const hash = createHash('sha256').update(`${image}\n`);
  const names = (await readdir(launcherDir(ground))).filter((name) => name.endsWith('.py')).toSorted();
  for (const name of names) hash.update(`${name}\n`).update(await readFile(path.join(launcherDir(ground), name)));
  return serveImage(hash.digest('hex'));
}

/** Removes this panel's images that no release needs any more; layers that others share stay. While something is built nothing is removed: the next time does it. */
export async function pruneImages(ground: Ground): Promise<void> {
  const there = await asking(ground.engine.quick.listImages({ filters: { label: [`${LABEL.panel}=${ground.panelId}`] } }));
  const releases = await imagesOfReleases(ground);
  const forHosts = ground.registry === null ? [] : await Promise.all([...releases].map(async (image) => await serveImageOf(ground, image)));
  const needed = new Set([...releases, ...forHosts]);
  const inRegistry = ground.registry === null ? null : `${ground.registry}/`;
  const plain = (name: string): string => (inRegistry !== null && name.startsWith(inRegistry) ? name.slice(inRegistry.length) : name);
  const names = there.flatMap(({ RepoTags }) => RepoTags ?? []).filter((name) => plain(name).startsWith('arboretum/'));
  // Releases first: an environment below one is only named no more.
  for (const name of names.toSorted().toReversed()) {
    if (needed.has(plain(name))) continue;
    if (ground.builds.running > 0) return;
    await ground.engine.quick
      .getImage(name)
      .remove()
      .catch((error: unknown) => ground.log(`the image ${name} could not be removed: ${String(error)}`));
  }
}
