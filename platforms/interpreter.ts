// Which Python builds and runs a release: the one that the project asks for where this machine has it, else the system's.

import { access, constants, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BuildGround } from './confined.ts';
import type { WantedPython } from './requirements.ts';
import { runCommand } from './run-command.ts';

export type Interpreter = { readonly file: string; /** Full version, `3.11.2`. */ readonly version: string };

const usualDirs = ['/usr/local/bin', '/usr/bin'];

/** Looks for `pythonX.Y` in the usual folders; one that instances' own users could not run does not count. */
export async function chooseInterpreter(
  ground: Pick<BuildGround, 'systemPython' | 'pythonDirs' | 'separatesUsers'>,
  wanted: WantedPython | null,
): Promise<Interpreter> {
  const system = { file: ground.systemPython, version: (await versionOf(ground.systemPython)) ?? '3' };
  if (wanted === null || isVersion(system.version, wanted.version)) return system;
  for (const dir of ground.pythonDirs ?? usualDirs) {
    const file = path.join(dir, `python${wanted.version}`);
    const version = (await isOpenToAll(file, ground.separatesUsers)) ? await versionOf(file) : null;
    if (version !== null && isVersion(version, wanted.version)) return { file, version };
  }
  return system;
}

/** What people should know when another Python is used than the project asks for. */
export function warnOfOtherPython(wanted: WantedPython | null, used: Interpreter): string[] {
  if (wanted === null || isVersion(used.version, wanted.version)) return [];
  const present = used.version.split('.', 2).join('.');
  return [
    `${wanted.file} asks for Python ${wanted.version}, which this machine does not have; ${used.version} is used. Try the experiment once, then write ${present} there.`,
  ];
}

const isVersion = (full: string, wanted: string): boolean => full.startsWith(`${wanted}.`);

/** Without separate users only its being executable counts; with them, others must get through to it. */
async function isOpenToAll(file: string, separatesUsers: boolean): Promise<boolean> {
  const target = await realpath(file).catch(() => null);
  if (
    target === null ||
    !(await access(target, constants.X_OK).then(
      () => true,
      () => false,
    ))
  )
    return false;
  if (!separatesUsers) return true;
  for (let place = target; place !== '/'; place = path.dirname(place)) if (((await stat(place)).mode & 0o001) === 0) return false;
  return true;
}

const versions = new Map<string, Promise<string | null>>();

/** Asked once in a process; null when it does not answer. */
function versionOf(file: string): Promise<string | null> {
  const known = versions.get(file);
  if (known !== undefined) return known;
  const asked = runCommand({ file, args: ['-I', '--version'], env: {}, timeoutMs: 10_000 }).then(
    (result) => /\d+\.\d+\.\d+/.exec(result.stdout)?.[0] ?? null,
    () => null,
  );
  versions.set(file, asked);
  return asked;
}
