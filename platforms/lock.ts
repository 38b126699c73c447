// The exact versions of a release: requirements resolved by uv, and the wheels of oTree that this takes.
//
// oTree and what oTree itself asks for come as source packages from the index that the lab chose; they are built once.
// Any other source package is foreign code: it is looked into as the instance's user, with a cache of its own.

import { chmod, copyFile, lstat, readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { replaceFile } from './owned-files.ts';
import { lockedVersion } from './requirements.ts';
import { asBuilder, type BuildTask, cacheOf, failed, needsSources, uv, uvAsInstance, writeList } from './uv.ts';

export const WHEELS_ONLY = ['--only-binary', ':all:'] as const;
const QUIET = ['--no-header', '--no-annotate', '--quiet'] as const;
const seeding = new Map<string, Promise<void>>();

/** Resolves the requirements to exact versions, one `name==version` a line. @throws the build errors of `contracts/errors.ts` */
export async function resolveLock(task: BuildTask): Promise<string> {
  const { ground, requirements } = task;
  const constraints = [...requirements.constraints];
  const shared = [...pythonOf(task), '--find-links', cacheOf(ground, 'wheels'), ...QUIET];
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

/** What uv chooses versions for; what it must build for that, it builds with the interpreter of this machine. */
const pythonOf = ({ interpreter, python, isForElsewhere }: BuildTask): string[] => [
  '--python',
  interpreter.file,
  ...(isForElsewhere ? ['--python-version', python, '--python-platform', 'linux'] : []),
];

/** Which oTree the line means; without dependencies uv reads file names only and runs nothing. */
async function findOtreeVersion(task: BuildTask): Promise<string> {
  const input = await writeList(task, 'otree.in', [task.requirements.otree.replace(/^(otree)\s*\[[^\]]*\]/i, '$1')]);
  const result = await uv(task, ['pip', 'compile', input, '--no-deps', ...pythonOf(task), ...QUIET]);
  const version = lockedVersion(tidy(result.stdout), 'otree');
  if (result.exitCode !== 0 || version === null) throw failed(task, result);
  return version;
}

/** Builds oTree and what it asks for, once for each version, into the shared wheels. @throws otree_python, build_failed */
export async function seedOtree(task: BuildTask, version: string): Promise<void> {
  const marker = cacheOf(task.ground, 'wheels', `.otree-${version}-${task.interpreter.version}`);
  if (await isThere(marker)) return;
  const running = seeding.get(marker) ?? buildOtreeWheels(task, version, marker).finally(() => seeding.delete(marker));
  seeding.set(marker, running);
  await running;
}

async function buildOtreeWheels(task: BuildTask, version: string, marker: string): Promise<void> {
  const { ground } = task;
  task.onOutput(`-----> Preparing oTree ${version} for Python ${task.interpreter.version} (once for all instances)\n`);
  const target = cacheOf(ground, 'home', `seed-${task.spec.instanceId}`);
  const input = await writeList(task, 'seed.in', [`otree==${version}`]);
  const result = await uv(task, ['pip', 'install', '--quiet', '--python', task.interpreter.file, '--target', target, '-r', input]);
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
export async function listBuiltWheels(cache: string): Promise<string[]> {
  const entries = await readdir(cache, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.whl') && entry.parentPath.includes('/sdists-'))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Whether something is at this place, of whatever kind. */
export const isThere = async (place: string): Promise<boolean> => (await lstat(place).catch(() => null)) !== null;
