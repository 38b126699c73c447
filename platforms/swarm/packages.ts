// The image with a release's Python environment: made by uv in a container of the base image, shared by all releases with equal packages.

import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../contracts/errors.ts';
import { seedOtree, WHEELS_ONLY } from '../lock.ts';
import { diagnoseUv } from '../diagnose.ts';
import { makeDirectory, replaceFile } from '../owned-files.ts';
import { isAddress, lockedVersion } from '../requirements.ts';
import { writeSteadyTar } from '../steady-tar.ts';
import { type BuildTask, cacheOf, foreignPlaces, needsSources, uvEnvironment, writeList } from '../uv.ts';
import { BUILD_LIMITS, buildSpec } from './container-spec.ts';
import { asking } from './engine.ts';
import type { Ground } from './ground.ts';
import { type BaseImage, commit, idOf } from './images.ts';
import { packagesImage } from './names.ts';
import { type ContainerResult, runToEnd, withContainer } from './runs.ts';

/** Raise when environments are made differently, so that no old one is taken for a new one. */
const FORMAT = 2;
const LIMIT_MS = 15 * 60_000;
/** Builds source packages of others, as in `image-inspection.ts`: it owns nothing, and above it are no instances. */
const FOREIGN_USER_ID = 199_998;

type Packages = { readonly task: BuildTask; readonly lock: string; readonly base: BaseImage };

/**
 * Name of the image with exactly these packages; made unless it is there. Wheels come from the cache that all builds share
 * and runs nothing foreign; source packages of others are built apart, for this instance alone.
 * @throws build_failed and the other codes of `contracts/errors.ts` under “builds”, disk_full
 */
export async function ensurePackages(ground: Ground, packages: Packages): Promise<string> {
  const { task, lock, base } = packages;
  const hash = createHash('sha256')
    .update(JSON.stringify([FORMAT, base.id, lock]))
    .digest('hex');
  const [shared, own] = [packagesImage(hash, null), packagesImage(hash, task.spec.instanceId)];
  for (const image of [shared, own]) if ((await idOf(ground, image)) !== null) return image;
  const version = lockedVersion(lock, 'otree');
  if (version !== null) await seedOtree(task, version);
  const lines = lock.split('\n');
  if (!lines.some(isAddress)) {
    task.onOutput('-----> Installing packages\n');
    const result = await install(ground, packages, { image: shared, isForeign: false });
    if (result.exitCode === 0) return shared;
    if (!needsSources({ ...result, endedBySignal: null })) throw failed(task, result);
  }
  task.onOutput('-----> Building packages that exist as source only (this takes longer)\n');
  const result = await install(ground, packages, { image: own, isForeign: true });
  if (result.exitCode !== 0) throw failed(task, result);
  return own;
}

/** The words of uv for people, and the error they mean. */
function failed(task: BuildTask, result: ContainerResult): AppError {
  task.onOutput(result.stderr.replace(/^(?=.)/gm, '       '));
  if (result.isTooLarge) return new AppError('build_failed', { reason: `the packages need more than ${BUILD_LIMITS.diskMib} MiB of disk.` });
  if (result.isOutOfMemory) return new AppError('build_failed', { reason: `building the packages needs more than ${BUILD_LIMITS.memoryMib} MiB of memory.` });
  return diagnoseUv({ exitCode: result.exitCode, output: result.stderr, isTimedOut: result.isTimedOut }, task.python);
}

type Install = { readonly image: string; readonly isForeign: boolean };

async function install(ground: Ground, { task, lock, base }: Packages, { image, isForeign }: Install): Promise<ContainerResult> {
  const { instanceId } = task.spec;
  const userId = isForeign ? FOREIGN_USER_ID : ground.buildUserId;
  const list = await writeList(task, 'lock.in', lock.split('\n'));
  // By a file, not by the container's environment: that becomes part of the image, and the index may have a password.
  const env = path.join(task.releaseDir, 'uv.env');
  await replaceFile(env, shellVariables(environmentOf(ground)), { mode: 0o400, userId: ground.separatesUsers ? userId : null });
  const cache = isForeign ? foreignPlaces(ground, instanceId).cache : cacheOf(ground, 'uv');
  if (isForeign) await makeDirectory(ground, cache, { mode: 0o700, userId });
  const folder = await emptyVenv(task, userId, ground.separatesUsers);
  const { caFile, findLinks } = ground.packageIndex;
  const binds = [
    `${ground.uvBinary}:/build/uv:ro`,
    `${list}:/build/lock.in:ro`,
    `${env}:/build/uv.env:ro`,
    `${cacheOf(ground, 'wheels')}:/build/wheels:ro`,
    `${cache}:/build/cache`,
    ...(caFile === undefined ? [] : [`${caFile}:/build/ca.pem:ro`]),
    ...(findLinks?.startsWith('/') === true ? [`${findLinks}:${findLinks}:ro`] : []),
  ];
  const user = ground.separatesUsers ? `${userId}:${userId}` : `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const plan = { panelId: ground.panelId, instanceId, image: base.name, user, script: isForeign ? FROM_SOURCES : FROM_WHEELS, binds };
  try {
    return await withContainer(ground, buildSpec(plan), async (container) => {
      await asking(container.putArchive(folder, { path: '/' }));
      const result = await runToEnd(container, { timeoutMs: LIMIT_MS, signal: task.signal, diskMib: BUILD_LIMITS.diskMib });
      if (result.exitCode === 0) await commit(container, image);
      return result;
    });
  } finally {
    if (isForeign) await rm(foreignPlaces(ground, instanceId).dir, { recursive: true, force: true });
  }
}

const START = 'set -a; . /build/uv.env; set +a; umask 022; cd /tmp';
const VENV = '/build/uv venv --quiet --allow-existing --python "$(command -v python3)" /app/venv';
const SYNC = '/build/uv pip sync --quiet --color never --python /app/venv/bin/python --find-links /build/wheels';
/** The image's interpreter without `site`: a .pth file of a package must not run. What comes out of the cache has the cache's rights, which are narrower. */
const FINISH = '"$(command -v python3)" -I -S -m compileall -q -j 2 /app/venv/lib || true\nchmod -R a+rX,go-w /app/venv';
const FROM_WHEELS = `${START}\n${VENV}\n${SYNC} ${WHEELS_ONLY.join(' ')} --offline /build/lock.in 2>/dev/null || ${SYNC} ${WHEELS_ONLY.join(' ')} /build/lock.in\n${FINISH}`;
const FROM_SOURCES = `${START}\n${VENV}\n${SYNC} /build/lock.in\n${FINISH}`;

/** As on this machine, but for the places inside the container. */
function environmentOf(ground: Ground): Record<string, string> {
  const env = uvEnvironment(ground, '/build/cache');
  return { ...env, HOME: '/tmp', UV_LINK_MODE: 'copy', ...(env['SSL_CERT_FILE'] === undefined ? {} : { SSL_CERT_FILE: '/build/ca.pem' }) };
}

const shellVariables = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    .map(([name, value]) => `${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`)
    .join('');

/** A tar with the empty `/app/venv`, owned by whoever fills it. */
async function emptyVenv(task: BuildTask, userId: number, separatesUsers: boolean): Promise<string> {
  const stage = path.join(task.releaseDir, 'stage');
  await mkdir(path.join(stage, 'app', 'venv'), { recursive: true });
  const file = path.join(task.releaseDir, 'venv.tar');
  const owner = separatesUsers ? userId : (process.getuid?.() ?? 0);
  await writeSteadyTar(file, [`--owner=${owner}`, `--group=${owner}`, '-C', stage, 'app'], task.signal);
  return file;
}
