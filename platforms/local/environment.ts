// A release's Python environment: what versions, where the wheels come from, and the directory that holds them.
//
// The build id owns the shared cache and every environment, and never runs foreign code: it installs wheels only.
// oTree and what oTree itself asks for come as source packages from the index that the lab chose; they are built once.
// Any other source package is foreign code: it is resolved and built as the instance's user, with a cache of its own.

import { createHash } from 'node:crypto';
import { lstat, readdir, rm, utimes } from 'node:fs/promises';
import path from 'node:path';
import { isThere, listBuiltWheels, seedOtree, WHEELS_ONLY } from '../lock.ts';
import { makeDirectory } from '../owned-files.ts';
import { isAddress, lockedVersion, nameOf } from '../requirements.ts';
import type { CommandResult } from '../run-command.ts';
import { asBuilder, type BuildTask, cacheOf, failed, foreignPlaces, needsSources, runAsInstance, uv, uvAsInstance, writeList } from '../uv.ts';
import type { Ground } from './ground.ts';

/** Raise when environments are made differently, so that no old one is taken for a new one. */
const TEMPLATE_FORMAT = 1;
const KEEP_ENVIRONMENTS_MS = 30 * 24 * 3_600_000;

/** Makes `releaseDir/venv` from a lock: copied by hard links when an equal one was made before, else installed, offline if possible. */
export async function makeEnvironment(task: BuildTask, lock: string): Promise<void> {
  const { ground, releaseDir, spec } = task;
  const venv = path.join(releaseDir, 'venv');
  const key = createHash('sha256')
    .update(JSON.stringify([TEMPLATE_FORMAT, task.interpreter.file, task.python, lock]))
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
  await asBuilder(task, [task.interpreter.file, '-I', '-S', '-m', 'compileall', '-q', '-j', '2', path.join(venv, 'lib')], { mayFail: true });
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
  const made = await uv(task, ['venv', '--quiet', '--python', task.interpreter.file, venv], cache);
  if (made.exitCode !== 0) throw failed(task, made);
}

const sync = async (task: BuildTask, args: readonly string[], cache?: string): Promise<CommandResult> => {
  const python = path.join(task.releaseDir, 'venv', 'bin', 'python');
  return await uv(task, ['pip', 'sync', '--quiet', '--python', python, '--find-links', cacheOf(task.ground, 'wheels'), ...WHEELS_ONLY, ...args], cache);
};

/**
 * Source packages of others: built as the instance's user, installed from files that only this instance's builds see.
 * The wheels stay the instance's own: whatever it puts there in the meantime hurts nobody else.
 */
async function buildForeignWheels(task: BuildTask, lines: readonly string[]): Promise<{ wheels: string; cache: string; list: string }> {
  const { ground, spec } = task;
  const { dir: foreignDir, cache: foreignCache, wheels, installCache: cache } = foreignPlaces(ground, spec.instanceId);
  task.onOutput('-----> Building packages that exist as source only (this takes longer)\n');
  const input = await writeList(task, 'foreign.in', lines);
  const target = path.join(foreignDir, 'target');
  const options = ['--python', task.interpreter.file, '--target', target, '--find-links', cacheOf(ground, 'wheels')];
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

/** Removes finished environments that no build has used for so long. Releases keep theirs: they share the files by hard links. */
export async function pruneEnvironments(ground: Ground, now: Date): Promise<void> {
  const folder = cacheOf(ground, 'environments');
  for (const name of await readdir(folder).catch(() => [])) {
    const place = path.join(folder, name);
    const used = await lstat(place).catch(() => null);
    if (used !== null && now.getTime() - used.mtimeMs > KEEP_ENVIRONMENTS_MS) await rm(place, { recursive: true, force: true });
  }
}
