// What every platform does with a project before it makes an environment: unpack, look through, choose exact versions.

import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { BuildGround } from './confined.ts';
import type { Interpreter } from './interpreter.ts';
import { resolveLock } from './lock.ts';
import type { InstanceSpec } from './platform.ts';
import type { BuildRequest } from './release.ts';
import { checkProject } from './project-checks.ts';
import { hashRequirements, lockedVersion, readRequirements, type Requirements, wantedPython, type WantedPython, warnOfLooseOtree } from './requirements.ts';
import { unpackProject } from './unpack.ts';
import { type BuildTask, prepareCache } from './uv.ts';

/** Which Python a release gets; see `BuildTask` about each. */
export type PythonChoice = {
  readonly interpreter: Interpreter;
  readonly python: string;
  readonly isForElsewhere: boolean;
  readonly warnings: readonly string[];
};

export type Inspecting = {
  readonly request: BuildRequest;
  /** Empty folder of this release; the project comes into `project` below it, lists for uv beside that. */
  readonly dir: string;
  readonly choosePython: (wanted: WantedPython | null) => Promise<PythonChoice>;
};

export type ProjectInspection = {
  readonly projectDir: string;
  readonly requirements: Requirements;
  readonly requirementsHash: string;
  readonly lock: string;
  readonly isLockReused: boolean;
  readonly warnings: readonly string[];
  /** For what comes next with uv. */
  readonly task: BuildTask;
};

/**
 * Unpacks a project, refuses what cannot work, and chooses exact versions, or takes those of an earlier build.
 * The launcher must have been placed before (`placeLauncher`).
 * @param owner whose it is; `osUserId` runs the source packages of others, if some must be looked into
 * @throws the codes of `contracts/errors.ts` under “builds”
 */
export async function inspectProject(
  ground: BuildGround,
  owner: Pick<InstanceSpec, 'instanceId' | 'osUserId'>,
  { request, dir, choosePython }: Inspecting,
): Promise<ProjectInspection> {
  const { signal, onOutput } = request;
  const projectDir = path.join(dir, 'project');
  await prepareCache(ground);
  await mkdir(projectDir);
  await unpackProject(ground, projectDir, request);
  const read = readerOf(projectDir);
  const warnings = await checkProject(projectDir);
  const requirements = readRequirements(read);
  const { interpreter, python, isForElsewhere, warnings: pythonWarnings } = await choosePython(wantedPython(read));
  for (const note of requirements.notes) onOutput(`       ${note}\n`);
  warnings.push(...requirements.warnings, ...pythonWarnings);
  const task: BuildTask = { ground, spec: owner, releaseDir: dir, requirements, interpreter, python, isForElsewhere, signal, onOutput };
  const requirementsHash = hashRequirements(requirements, python);
  const { lock, isLockReused } = await findLock(task, requirementsHash, request);
  onOutput(
    `-----> Python ${python} · oTree ${lockedVersion(lock, 'otree') ?? '?'} (${isLockReused ? 'locked' : 'newly resolved'}) · ${lock.split('\n').length} packages\n`,
  );
  warnings.push(...warnOfLooseOtree(requirements.otree, lockedVersion(lock, 'otree') ?? ''));
  return { projectDir, requirements, requirementsHash, lock, isLockReused, warnings, task };
}

async function findLock(task: BuildTask, requirementsHash: string, request: BuildRequest): Promise<{ lock: string; isLockReused: boolean }> {
  const earlier = await request.lockFor(requirementsHash);
  if (earlier !== null) return { lock: earlier.trim(), isLockReused: true };
  task.onOutput('-----> Choosing versions\n');
  return { lock: await resolveLock(task), isLockReused: false };
}

const readerOf =
  (project: string) =>
  (name: string): Buffer | null => {
    try {
      return readFileSync(path.join(project, name));
    } catch {
      return null;
    }
  };
