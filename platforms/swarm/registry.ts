// Handing a release to the other hosts: its image with the launcher in it, pushed to the registry, named by its digest.

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { launcherDir } from '../confined.ts';
import { writeSteadyTar } from '../steady-tar.ts';
import { asking } from './engine.ts';
import { pathsOf } from './files.ts';
import type { Ground } from './ground.ts';
import { commit, idOf, serveImageOf } from './images.ts';
import { INSIDE, labelsOf } from './names.ts';
import { authOf, explainRegistry } from './registry-account.ts';
import { withContainer } from './runs.ts';

type Piece = { readonly aux?: { readonly Digest?: string }; readonly error?: string };

/**
 * Name of a release's image for any host, `HOST:PORT/…@sha256:…`: by its content, so that whoever else can write to the
 * registry can put nothing else in its place. While the registry is away, an image that it has taken before keeps its name.
 * @throws registry_refused, platform_failed
 */
export async function handOver(ground: Ground, release: { readonly instanceId: string; readonly image: string }, signal: AbortSignal): Promise<string> {
  const registry = requireRegistry(ground);
  const name = await serveImageOf(ground, release.image);
  if ((await idOf(ground, name)) === null) await addLauncher(ground, { ...release, name }, signal);
  const { quick } = ground.engine;
  const [repo = '', tag = ''] = name.split(':');
  const place = `${registry}/${repo}`;
  await asking(quick.getImage(name).tag({ repo: place, tag }) as Promise<unknown>);
  const known = async (): Promise<string | undefined> => (await quick.getImage(name).inspect()).RepoDigests?.find((one) => one.startsWith(`${place}@`));
  try {
    return `${place}@${await push(ground, `${place}:${tag}`)}`;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const earlier = await known().catch(() => undefined);
    if (earlier === undefined) throw explainRegistry(ground, reason, error);
    ground.log(`the image registry ${registry} does not take it (${reason}); hosts that do not have ${earlier} yet cannot run it`);
    return earlier;
  }
}

const requireRegistry = ({ registry }: Ground): string => {
  if (registry === null) throw new Error('there is no registry');
  return registry;
};

/** Nothing runs for it. */
async function addLauncher(
  ground: Ground,
  { instanceId, image, name }: { instanceId: string; image: string; name: string },
  signal: AbortSignal,
): Promise<void> {
  const file = path.join(pathsOf(ground, instanceId).root, 'launcher.tar');
  const labels = labelsOf({ panelId: ground.panelId, instanceId, part: 'build' });
  const dir = launcherDir(ground);
  try {
    await writeSteadyTar(file, ['--exclude=__pycache__', '-C', path.dirname(dir), path.basename(dir)], signal);
    const spec = { Image: image, Labels: labels, Entrypoint: [], Cmd: ['/bin/true'], HostConfig: { NetworkMode: 'none' } };
    await withContainer(ground, spec, async (container) => {
      await asking(container.putArchive(file, { path: INSIDE.top }));
      await commit(container, name);
    });
  } finally {
    await rm(file, { force: true });
  }
}

/** Digest of the image as the registry has it; layers that it has are not sent again. */
async function push(ground: Ground, name: string): Promise<string> {
  const { patient } = ground.engine;
  const stream = await patient.getImage(name).push({ authconfig: authOf(ground) });
  const pieces = await new Promise<Piece[]>((resolve, reject) =>
    patient.modem.followProgress(stream, (error, all: Piece[]) => (error ? reject(error) : resolve(all))),
  );
  const digest = pieces.findLast(({ aux }) => aux?.Digest !== undefined)?.aux?.Digest;
  // A failure comes in the middle of an answer that began well.
  if (digest === undefined) throw new Error(pieces.find(({ error }) => error !== undefined)?.error ?? 'it named no digest');
  return digest;
}
