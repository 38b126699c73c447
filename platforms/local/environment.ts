// A release's Python environment: what versions, where the wheels come from, and the directory that holds them.
//
// The build id owns the shared cache and every environment, and never runs foreign code: it installs wheels only.
// oTree and what oTree itself asks for come as source packages from the index that the lab chose; they are built once.
// Any other source package is foreign code: it is resolved and built as the instance's user, with a cache of its own.

import { createHash } from 'node:crypto';
import { chmod, copyFile, lstat, readdir, rename, rm, utimes } from 'node:fs/promises';
import path from 'node:path';
import type { CommandResult } from '../run-command.ts';
import { makeDirectory, pathsOf, replaceFile } from './files.ts';
import type { Ground } from './ground.ts';
import { isAddress, lockedVersion, nameOf } from './requirements.ts';
import { asBuilder, type BuildTask, cacheOf, failed, needsSources, runAsInstance, uv, uvAsInstance, writeList } from './uv.ts';

/** Raise when environments are made differently, so that no old one is taken for a new one. */
const TEMPLATE_FORMAT = 1;
const KEEP_ENVIRONMENTS_MS = 30 * 24 * 3_600_000;
const WHEELS_ONLY = ['--only-binary', ':all:'] as const;
const QUIET = ['--no-header', '--no-annotate', '--quiet'] as const;
const seeding = new Map<string, Promise<void>>();

/** Resolves the requirements to exact versions, one `name==version` a line. @throws the build errors of `contracts/errors.ts` */
export async function resolveLock(task: BuildTask): Promise<string> {
  const { ground, requirements } = task;
  const constraints = [...requirements.constraints];
  const shared = ['--python', task.interpreter, '--find-links', cacheOf(ground, 'wheels'), ...QUIET];
  const input = await writeList(task, 'requirements.in', requirements.lines);
  if (!requirements.hasAddresses) {
    const version = await findOtreeVersion(task);
    await seedOtree(task, version);
    constraints.push(`otree==${version}`);
    const limits = await writeList(task, 'constraints.in', constraints);
    const wheelsOnly = await uv(task, ['pip', 'compile', input, '-c', limits, ...shared, ...WHEELS_ONLY]);
    if (wheelsOnly.exitCode === 0) return tidy(wheelsOnly.stdout);
    if (!needsSources(wheelsOnly)) throw failed(task, wheelsOnly);
  }
  task.onOutput('       some packages exist as source only\n');
  const withSources = await uvAsInstance(task, ['pip', 'compile', input, '-c', await writeList(task, 'constraints.in', constraints), ...shared]);
  if (withSources.exitCode !== 0) throw failed(task, withSources);
  return tidy(withSources.stdout);
}

const tidy = (lock: string): string =>
  lock
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(?:#|--)/.test(line))
    .join('\n');

/** Makes `releaseDir/venv` from a lock: copied by hard links when an equal one was made before, else installed, offline if possible. */
export async function makeEnvironment(task: BuildTask, lock: string): Promise<void> {
  const { ground, releaseDir, spec } = task;
  const venv = path.join(releaseDir, 'venv');
  const key = createHash('sha256')
    .update(JSON.stringify([TEMPLATE_FORMAT, task.interpreter, task.python, lock]))
    .digest('hex')
    .slice(0, 32);
  const template = cacheOf(ground, 'environments', key);
  if (await isThere(template)) {
    await rm(venv, { recursive: true, force: true });
    await makeDirectory(ground, venv, { mode: 0o755, userId: ground.buildUserId });
    // Before it is read: what was used just now is not pruned.
    await utimes(template, new Date(), new Date());
    await asBuilder(task, ['/bin/cp', '-al', '--no-target-directory', template, venv]);
    return;
  }
  const isForeign = await install(task, lock);
  // The system's interpreter without `site`: a .pth file of a package must not run as the build id.
  await asBuilder(task, [task.interpreter, '-I', '-S', '-m', 'compileall', '-q', '-j', '2', path.join(venv, 'lib')], { mayFail: true });
  await asBuilder(task, ['/bin/chmod', '-R', 'a+rX,go-w', venv]);
  if (isForeign) return;
  const part = `${template}.${spec.instanceId}-${path.basename(releaseDir)}`;
  await asBuilder(task, ['/bin/cp', '-al', '--no-target-directory', venv, part]);
  await asBuilder(task, ['/bin/mv', '--no-target-directory', part, template], { mayFail: true }); // another build was faster
  await asBuilder(task, ['/bin/rm', '-rf', part]);
}

/** Installs into a fresh environment; says whether something in it was built from foreign source. */
async function install(task: BuildTask, lock: string): Promise<boolean> {
  const version = lockedVersion(lock, 'otree');
  if (version !== null) await seedOtree(task, version);
  const lines = lock.split('\n');
  const input = await writeList(task, 'lock.in', lines);
  await createEmpty(task, cacheOf(task.ground, 'uv'));
  if (!lines.some(isAddress)) {
    if ((await sync(task, [input, '--offline'])).exitCode === 0) return false;
    const online = await sync(task, [input]);
    if (online.exitCode === 0) return false;
    if (!needsSources(online)) throw failed(task, online);
  }
  const { wheels, cache, list } = await buildForeignWheels(task, lines);
  await createEmpty(task, cache);
  const result = await sync(task, [list, '--find-links', wheels], cache);
  if (result.exitCode !== 0) throw failed(task, result);
  return true;
}

async function createEmpty(task: BuildTask, cache: string): Promise<void> {
  const venv = path.join(task.releaseDir, 'venv');
  await rm(venv, { recursive: true, force: true });
  await makeDirectory(task.ground, venv, { mode: 0o755, userId: task.ground.buildUserId });
  const made = await uv(task, ['venv', '--quiet', '--python', task.interpreter, venv], cache);
  if (made.exitCode !== 0) throw failed(task, made);
}

const sync = async (task: BuildTask, args: readonly string[], cache?: string): Promise<CommandResult> => {
  const python = path.join(task.releaseDir, 'venv', 'bin', 'python');
  return await uv(task, ['pip', 'sync', '--quiet', '--python', python, '--find-links', cacheOf(task.ground, 'wheels'), ...WHEELS_ONLY, ...args], cache);
};

/** Which oTree the line means; without dependencies uv reads file names only and runs nothing. */
async function findOtreeVersion(task: BuildTask): Promise<string> {
  const input = await writeList(task, 'otree.in', [task.requirements.otree.replace(/^(otree)\s*\[[^\]]*\]/i, '$1')]);
  const result = await uv(task, ['pip', 'compile', input, '--no-deps', '--python', task.interpreter, ...QUIET]);
  const version = lockedVersion(tidy(result.stdout), 'otree');
  if (result.exitCode !== 0 || version === null) throw failed(task, result);
  return version;
}

/** Builds oTree and what it asks for, once for each version, into the shared wheels. @throws otree_python, build_failed */
async function seedOtree(task: BuildTask, version: string): Promise<void> {
  const marker = cacheOf(task.ground, 'wheels', `.otree-${version}-${task.python}`);
  if (await isThere(marker)) return;
  const running = seeding.get(marker) ?? buildOtreeWheels(task, version, marker).finally(() => seeding.delete(marker));
  seeding.set(marker, running);
  await running;
}

async function buildOtreeWheels(task: BuildTask, version: string, marker: string): Promise<void> {
  const { ground } = task;
  task.onOutput(`-----> Preparing oTree ${version} for Python ${task.python} (once for all instances)\n`);
  const target = cacheOf(ground, 'home', `seed-${task.spec.instanceId}`);
  const input = await writeList(task, 'seed.in', [`otree==${version}`]);
  const result = await uv(task, ['pip', 'install', '--quiet', '--python', task.interpreter, '--target', target, '-r', input]);
  if (result.exitCode !== 0) throw failed(task, result);
  for (const wheel of await listBuiltWheels(cacheOf(ground, 'uv'))) {
    const file = cacheOf(ground, 'wheels', path.basename(wheel));
    if (await isThere(file)) continue;
    const part = `${file}.${task.spec.instanceId}`;
    await copyFile(wheel, part);
    await chmod(part, 0o644);
    await rename(part, file);
  }
  await asBuilder(task, ['/bin/rm', '-rf', target]);
  await replaceFile(marker, '', { mode: 0o644 });
}

/** Where uv keeps the wheels that it built from source packages (0.13: `sdists-v10/…/NAME.whl`). */
async function listBuiltWheels(cache: string): Promise<string[]> {
  const entries = await readdir(cache, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.whl') && entry.parentPath.includes('/sdists-'))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/**
 * Source packages of others: built as the instance's user, installed from files that only this instance's builds see.
 * The wheels stay the instance's own: whatever it puts there in the meantime hurts nobody else.
 */
async function buildForeignWheels(task: BuildTask, lines: readonly string[]): Promise<{ wheels: string; cache: string; list: string }> {
  const { ground, spec } = task;
  const { foreignDir, foreignCache, foreignWheels: wheels, foreignInstallCache: cache } = pathsOf(ground, spec.instanceId);
  task.onOutput('-----> Building packages that exist as source only (this takes longer)\n');
  const input = await writeList(task, 'foreign.in', lines);
  const target = path.join(foreignDir, 'target');
  const options = ['--python', task.interpreter, '--target', target, '--find-links', cacheOf(ground, 'wheels')];
  const built = await uvAsInstance(task, ['pip', 'install', '--quiet', '--no-deps', ...options, '-r', input]);
  if (built.exitCode !== 0) throw failed(task, built);
  const files = await listBuiltWheels(foreignCache);
  for (const command of [
    ['/bin/mkdir', '-p', wheels],
    ['/bin/cp', '-t', wheels, '--', ...files],
    ['/bin/chmod', '-R', 'a+rX', wheels],
    ['/bin/rm', '-rf', target],
  ]) {
    await runAsInstance(task, command);
  }
  await makeDirectory(ground, cache, { mode: 0o700, userId: ground.buildUserId });
  const names = files.map((file) => path.basename(file));
  const local = lines.map((line) => {
    const wheel = isAddress(line) ? names.find((name) => nameOf(`${name.split('-')[0]} `) === nameOf(line)) : undefined;
    return wheel === undefined ? line : `${nameOf(line)} @ file://${path.join(wheels, wheel)}`;
  });
  return { wheels, cache, list: await writeList(task, 'install.in', local) };
}

const isThere = async (place: string): Promise<boolean> => (await lstat(place).catch(() => null)) !== null;

/** Removes finished environments that no build has used for so long. Releases keep theirs: they share the files by hard links. */
export async function pruneEnvironments(ground: Ground, now: Date): Promise<void> {
  const folder = cacheOf(ground, 'environments');
  for (const name of await readdir(folder).catch(() => [])) {
    const place = path.join(folder, name);
    const used = await lstat(place).catch(() => null);
    if (used !== null && now.getTime() - used.mtimeMs > KEEP_ENVIRONMENTS_MS) await rm(place, { recursive: true, force: true });
  }
}
