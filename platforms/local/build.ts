// The story of a build: inspect the project, make the environment, ask the project what it offers.

import { lstat, readdir, readFile, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../contracts/errors.ts';
import { runConfined, startScript } from '../confined.ts';
import { chooseInterpreter, warnOfOtherPython } from '../interpreter.ts';
import { makeDirectory, replaceFile } from '../owned-files.ts';
import type { InstanceSpec } from '../platform.ts';
import type { BuildRequest, BuiltRelease } from '../release.ts';
import { type Described, judgeDescription, readDescription } from '../project-description.ts';
import { inspectProject, type PythonChoice } from '../project-inspection.ts';
import type { WantedPython } from '../requirements.ts';
import { asBuilder } from '../uv.ts';
import { makeEnvironment } from './environment.ts';
import { pathsOf, sealProject, writeEnvironment } from './files.ts';
import type { Ground } from './ground.ts';

const DESCRIBE_LIMIT_MS = 60_000;
const NEEDED_MIB = 500;

/** Builds `releases/N`; one that was finished before is given back as it is. @see Platform.build */
export async function buildRelease(ground: Ground, spec: InstanceSpec, request: BuildRequest): Promise<BuiltRelease> {
  const dir = pathsOf(ground, spec.instanceId).release(request.releaseNumber);
  const earlier = await readFile(path.join(dir, 'release.json'), 'utf8').catch(() => null);
  if (earlier !== null) return { warnings: [], ...(JSON.parse(earlier) as Omit<BuiltRelease, 'warnings'>) };
  await refuseFullDisk(ground);
  await rm(dir, { recursive: true, force: true });
  await makeDirectory(ground, dir, { mode: 0o711 });
  try {
    const release = await buildInto(ground, spec, { request, dir });
    await replaceFile(path.join(dir, 'release.json'), JSON.stringify(release), { mode: 0o644 });
    return release;
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

async function buildInto(ground: Ground, spec: InstanceSpec, { request, dir }: { request: BuildRequest; dir: string }): Promise<BuiltRelease> {
  const { signal, onOutput, releaseNumber } = request;
  const inspection = await inspectProject(ground, spec, { request, dir, choosePython: (wanted) => choosePython(ground, wanted) });
  const { projectDir, requirementsHash, lock, isLockReused, task } = inspection;
  await makeEnvironment(task, lock);
  await asBuilder(task, [task.interpreter.file, '-I', '-S', '-m', 'compileall', '-q', '--', projectDir], { mayFail: true });
  await sealProject(ground, projectDir, spec.osUserId);
  await removeLists(dir);
  await replaceFile(path.join(dir, 'lock.txt'), `${lock}\n`, { mode: 0o644 });
  onOutput('-----> Reading settings.py\n');
  const described = await describeProject(ground, spec, { releaseNumber, signal });
  const warnings = [...inspection.warnings, ...(await judgeDescription(described, { projectDir, isInstalled: (name) => isInstalled(dir, name), onOutput }))];
  return { releaseNumber, requirementsHash, lock, isLockReused, warnings, project: described.description };
}

/** The interpreter of this machine that the release is built with and runs under. */
async function choosePython(ground: Ground, wanted: WantedPython | null): Promise<PythonChoice> {
  const interpreter = await chooseInterpreter(ground, wanted);
  return { interpreter, python: interpreter.version, isForElsewhere: false, warnings: warnOfOtherPython(wanted, interpreter) };
}

/** Asks the project what it offers, as its own user, without a database. @throws settings_*, syntax_error, module_missing, otree_too_old */
async function describeProject(ground: Ground, spec: InstanceSpec, run: { releaseNumber: number; signal: AbortSignal }): Promise<Described> {
  const paths = pathsOf(ground, spec.instanceId);
  const [file, projectDir] = [path.join(paths.root, 'describe.json'), paths.project(run.releaseNumber)];
  // The address of a database that does not exist: settings.py must never touch the live one from here.
  const databaseUrl = ground.databases.urlOf(spec.instanceId, spec.databasePassword, `try_${spec.instanceId}`);
  await writeEnvironment(ground, spec, { file, databaseUrl, socket: path.join(paths.trialSocketDir, 'otree.sock'), projectDir });
  try {
    const result = await runConfined(ground, {
      confinement: {
        userId: spec.osUserId,
        limits: { memoryMib: spec.limits.memoryMib, processes: spec.limits.processes, fileMib: 64, openFiles: 1024, cpuSeconds: 60 },
        group: `try-${spec.instanceId}`,
        home: paths.home,
        cwd: projectDir,
      },
      command: [paths.python(run.releaseNumber), startScript(ground), file, 'describe'],
      timeoutMs: DESCRIBE_LIMIT_MS,
      signal: run.signal,
    });
    return readDescription(result);
  } finally {
    await rm(file, { force: true });
  }
}

/** Whether an environment brings a package or module of this name. */
async function isInstalled(releaseDir: string, name: string): Promise<boolean> {
  const lib = path.join(releaseDir, 'venv', 'lib');
  for (const version of await readdir(lib)) {
    const names = await readdir(path.join(lib, version, 'site-packages')).catch((): string[] => []);
    if (names.includes(name) || names.includes(`${name}.py`)) return true;
  }
  return false;
}

/** Lists that only uv needed. */
async function removeLists(dir: string): Promise<void> {
  for (const name of ['requirements', 'constraints', 'otree', 'seed', 'lock', 'foreign', 'install']) await rm(path.join(dir, `${name}.in`), { force: true });
}

async function refuseFullDisk(ground: Ground): Promise<void> {
  await lstat(ground.layout.instancesDir);
  const { bavail, bsize } = await statfs(ground.layout.instancesDir);
  const freeMib = Math.floor((bavail * bsize) / 1024 / 1024);
  if (freeMib < NEEDED_MIB) throw new AppError('disk_full', { freeMib });
}
