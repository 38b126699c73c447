// The story of a build: inspect the project here, make its image on the engine, ask the project in it what it offers.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../contracts/errors.ts';
import { inspectForImage } from '../image-inspection.ts';
import { makeDirectory } from '../owned-files.ts';
import type { InstanceSpec } from '../platform.ts';
import type { BuildRequest, BuiltRelease } from '../release.ts';
import { judgeDescription, readDescription } from '../project-description.ts';
import { writeSteadyTar } from '../steady-tar.ts';
import { questionSpec } from './container-spec.ts';
import { asking } from './engine.ts';
import { keepRelease, pathsOf, readRelease, type ReleaseImages } from './files.ts';
import type { Ground } from './ground.ts';
import { commit, idOf, lookAtBaseImages } from './images.ts';
import { runLauncher } from './launcher.ts';
import { INSIDE, labelsOf, releaseImage } from './names.ts';
import { ensurePackages } from './packages.ts';
import { handOver } from './registry.ts';
import { runToEnd, withContainer } from './runs.ts';

const FORMAT = 1;
const DESCRIBE_LIMIT_MS = 60_000;
const NEEDED_MIB = 500;

type Task = { readonly spec: InstanceSpec; readonly request: BuildRequest };

/** Builds a release; one that was finished before, and whose image is still there, is given back as it is. @see Platform.build */
export async function buildRelease(ground: Ground, task: Task): Promise<BuiltRelease> {
  const { instanceId } = task.spec;
  const { releaseNumber, signal } = task.request;
  const earlier = await readRelease(ground, instanceId, releaseNumber);
  if (earlier !== null && (await idOf(ground, earlier.images.image)) !== null) return earlier.release;
  signal.throwIfAborted();
  await refuseFullDisk(ground);
  const dir = pathsOf(ground, instanceId).release(releaseNumber);
  const work = path.join(dir, 'work');
  await rm(dir, { recursive: true, force: true });
  await makeDirectory(ground, dir, { mode: 0o711 });
  ground.builds.running += 1;
  try {
    const { release, images } = await buildInto(ground, task, work);
    if (ground.registry !== null) {
      task.request.onOutput('-----> Handing the image to the registry, for the other hosts\n');
      await handOver(ground, { instanceId, image: images.image }, signal);
    }
    await keepRelease(ground, instanceId, { release, images });
    await rm(work, { recursive: true, force: true });
    return release;
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  } finally {
    ground.builds.running -= 1;
  }
}

async function buildInto(ground: Ground, { spec, request }: Task, work: string): Promise<{ release: BuiltRelease; images: ReleaseImages }> {
  const { releaseNumber, signal, onOutput } = request;
  const bases = await lookAtBaseImages(ground, signal);
  const [first, ...others] = bases;
  const inspection = await inspectForImage(ground, spec.instanceId, {
    request,
    dir: work,
    pythons: [first.python, ...others.map(({ python }) => python)],
  });
  const { projectDir, requirementsHash, lock, isLockReused, task } = inspection;
  const base = bases.find(({ python }) => python === task.python) ?? first;
  const packages = await ensurePackages(ground, { task, lock, base });
  const image = await ensureReleaseImage(ground, { spec, packages, projectDir, work, signal });
  onOutput('-----> Reading settings.py\n');
  // settings.py must never touch the live database from here: the address of one that does not exist.
  const database = `try_${spec.instanceId}`;
  const result = await runLauncher(ground, spec, { image, command: 'describe', database, timeoutMs: DESCRIBE_LIMIT_MS, signal });
  const described = readDescription(result);
  const isInstalled = async (name: string): Promise<boolean> => await isPackage(ground, { image, name, signal });
  const warnings = [...inspection.warnings, ...(await judgeDescription(described, { projectDir, isInstalled, onOutput }))];
  return { release: { releaseNumber, requirementsHash, lock, isLockReused, warnings, project: described.description }, images: { image, packages } };
}

type ReleaseTask = {
  readonly spec: InstanceSpec;
  readonly packages: string;
  readonly projectDir: string;
  readonly work: string;
  readonly signal: AbortSignal;
};

/** Puts the project on its packages; named by the hash of both, so that an equal one is taken again. Nothing runs for it. */
async function ensureReleaseImage(ground: Ground, task: ReleaseTask): Promise<string> {
  const { spec, packages, work, signal } = task;
  const tar = await packProject(task);
  const hash = createHash('sha256').update(`${FORMAT} ${await idOf(ground, packages)} `);
  await pipeline(createReadStream(tar), hash);
  const image = releaseImage(hash.digest('hex'));
  if ((await idOf(ground, image)) !== null) return image;
  signal.throwIfAborted();
  const labels = labelsOf({ panelId: ground.panelId, instanceId: spec.instanceId, part: 'build' });
  await withContainer(
    ground,
    { Image: packages, Labels: labels, Entrypoint: [], Cmd: ['/bin/true'], HostConfig: { NetworkMode: 'none' } },
    async (container) => {
      await asking(container.putArchive(tar, { path: INSIDE.top }));
      await commit(container, image);
    },
  );
  await rm(path.join(work, 'project.tar'), { force: true });
  return image;
}

/** The project as it lies in the image: everybody's to read, nobody's to write, with the empty file that oTree opens in every case. */
async function packProject({ projectDir, work, signal }: ReleaseTask): Promise<string> {
  const [file, ours] = [path.join(work, 'project.tar'), path.join(work, 'ours')];
  await mkdir(path.join(ours, 'project'), { recursive: true });
  await writeFile(path.join(ours, 'project', 'db.sqlite3'), '');
  // Names in the project are led by `./`, which becomes `project/`; links keep what they point to.
  const project = ['-C', projectDir, '--exclude=./db.sqlite3', '--transform=flags=rSH;s,^\\.,project,', '.'];
  await writeSteadyTar(file, ['--mode=u=rX,go=rX', '-C', ours, 'project/db.sqlite3', ...project], signal);
  return file;
}

/** Whether an app of a session config is a package in the image instead of a folder of the project. */
async function isPackage(ground: Ground, { image, name, signal }: { image: string; name: string; signal: AbortSignal }): Promise<boolean> {
  if (!/^[A-Za-z_]\w*$/.test(name)) return false;
  const question = `import importlib.util,sys;sys.exit(importlib.util.find_spec('${name}') is None)`;
  const spec = questionSpec(ground.panelId, image, [INSIDE.python, '-c', question]);
  const result = await withContainer(ground, spec, async (container) => await runToEnd(container, { timeoutMs: DESCRIBE_LIMIT_MS, signal }));
  return result.exitCode === 0;
}

/** Where the engine keeps its images, when that is a folder that we can see. */
async function refuseFullDisk(ground: Ground): Promise<void> {
  const { DockerRootDir } = (await asking(ground.engine.quick.info())) as { DockerRootDir: string };
  for (const place of [DockerRootDir, ground.layout.dataDir]) {
    const disk = await statfs(place).catch(() => null);
    const freeMib = disk === null ? Infinity : Math.floor((disk.bavail * disk.bsize) / 1024 / 1024);
    if (freeMib < NEEDED_MIB) throw new AppError('disk_full', { freeMib });
  }
}
