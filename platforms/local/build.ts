// The story of a build: unpack, read what is wanted, make the environment, ask the project what it offers.

import { readFileSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../contracts/errors.ts';
import type { BuildRequest, BuiltRelease, InstanceSpec, ProjectDescription } from '../platform.ts';
import { diagnoseDescribe } from './diagnose.ts';
import { makeEnvironment, resolveLock } from './environment.ts';
import { makeDirectory, pathsOf, replaceFile, writeEnvironment } from './files.ts';
import { type Ground, runConfined, startScript } from './ground.ts';
import { chooseInterpreter, warnOfOtherPython } from './interpreter.ts';
import { checkApps, checkProject } from './project-checks.ts';
import { hashRequirements, lockedVersion, readRequirements, wantedPython, warnOfLooseOtree } from './requirements.ts';
import { sealProject, unpackProject } from './unpack.ts';
import { asBuilder, type BuildTask, prepareCache } from './uv.ts';

const DESCRIBE_LIMIT_MS = 60_000;
const NEEDED_MIB = 500;
const DESCRIBED = 'ARBORETUM-DESCRIBE ';

/** Builds `releases/N`; one that was finished before is given back as it is. @see Platform.build */
export async function buildRelease(ground: Ground, spec: InstanceSpec, request: BuildRequest): Promise<BuiltRelease> {
  const dir = pathsOf(ground, spec.instanceId).release(request.releaseNumber);
  const earlier = await readFile(path.join(dir, 'release.json'), 'utf8').catch(() => null);
  if (earlier !== null) return { warnings: [], ...(JSON.parse(earlier) as Omit<BuiltRelease, 'warnings'>) };
  await refuseFullDisk(ground);
  await prepareCache(ground);
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
  const project = path.join(dir, 'project');
  await mkdir(project);
  await unpackProject(ground, project, request);
  const read = readerOf(project);
  const warnings = await checkProject(project);
  const requirements = readRequirements(read);
  const wanted = wantedPython(read);
  const interpreter = await chooseInterpreter(ground, wanted);
  const python = interpreter.version;
  for (const note of requirements.notes) onOutput(`       ${note}\n`);
  warnings.push(...requirements.warnings, ...warnOfOtherPython(wanted, interpreter));
  const task: BuildTask = { ground, spec, releaseDir: dir, requirements, interpreter: interpreter.file, python, signal, onOutput };
  const requirementsHash = hashRequirements(requirements, python);
  const { lock, isLockReused } = await findLock(task, requirementsHash, request);
  onOutput(
    `-----> Python ${python} · oTree ${lockedVersion(lock, 'otree') ?? '?'} (${isLockReused ? 'locked' : 'newly resolved'}) · ${lock.split('\n').length} packages\n`,
  );
  warnings.push(...warnOfLooseOtree(requirements.otree, lockedVersion(lock, 'otree') ?? ''));
  await makeEnvironment(task, lock);
  await asBuilder(task, [interpreter.file, '-I', '-S', '-m', 'compileall', '-q', '--', project], { mayFail: true });
  await sealProject(ground, project, spec.osUserId);
  await removeLists(dir);
  await replaceFile(path.join(dir, 'lock.txt'), `${lock}\n`, { mode: 0o644 });
  onOutput('-----> Reading settings.py\n');
  const { description, hasOwnPassword } = await describeProject(ground, spec, { releaseNumber, signal });
  const { sessionConfigs, rooms, otreeVersion } = description;
  await checkApps(project, sessionConfigs, (name) => isInstalled(dir, name));
  warnings.push(...warnOfSettings({ description, hasOwnPassword }));
  if (/^SECRET_KEY\s*=\s*['"\d]/m.test(read('settings.py')?.toString('utf8') ?? ''))
    onOutput('       SECRET_KEY in settings.py is not used: the panel gives every instance one of its own.\n');
  onOutput(
    `       oTree ${otreeVersion} · session configs: ${sessionConfigs.map(({ name }) => name).join(', ') || 'none'} · rooms: ${rooms.map(({ name }) => name).join(', ') || 'none'}\n`,
  );
  return { releaseNumber, requirementsHash, lock, isLockReused, warnings, project: description };
}

async function findLock(task: BuildTask, requirementsHash: string, request: BuildRequest): Promise<{ lock: string; isLockReused: boolean }> {
  const earlier = await request.lockFor(requirementsHash);
  if (earlier !== null) return { lock: earlier.trim(), isLockReused: true };
  task.onOutput('-----> Choosing versions\n');
  return { lock: await resolveLock(task), isLockReused: false };
}

type Described = { readonly description: ProjectDescription; readonly hasOwnPassword: boolean };

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
    const line = result.stdout.split('\n').findLast((text) => text.startsWith(DESCRIBED));
    if (result.exitCode !== 0 || line === undefined)
      throw diagnoseDescribe({ exitCode: result.exitCode, output: result.stderr, isTimedOut: result.isTimedOut });
    return readDescription(line.slice(DESCRIBED.length));
  } finally {
    await rm(file, { force: true });
  }
}

/** What comes from foreign code is copied field by field. */
function readDescription(json: string): Described {
  const raw = JSON.parse(json) as ProjectDescription & { hardCodedPassword?: unknown };
  const description: ProjectDescription = {
    otreeVersion: String(raw.otreeVersion),
    pythonVersion: String(raw.pythonVersion),
    adminUsername: String(raw.adminUsername),
    sessionConfigs: raw.sessionConfigs.map((config) => ({
      name: String(config.name),
      displayName: String(config.displayName),
      appSequence: config.appSequence.map(String),
      numDemoParticipants: Number(config.numDemoParticipants) || 1,
    })),
    rooms: raw.rooms.map((room) => ({
      name: String(room.name),
      displayName: String(room.displayName),
      labels: Array.isArray(room.labels) ? room.labels.map(String) : null,
      usesSecureUrls: Boolean(room.usesSecureUrls),
      hasWelcomePage: Boolean(room.hasWelcomePage),
      problem: typeof room.problem === 'string' ? room.problem : null,
    })),
  };
  return { description, hasOwnPassword: raw.hardCodedPassword === true };
}

function warnOfSettings({ description, hasOwnPassword }: Described): string[] {
  const rooms = description.rooms.filter(({ problem }) => problem !== null);
  return [
    ...rooms.map(({ name, problem }) => `Nobody can enter the room “${name}”: ${problem} Correct it, commit, push again.`),
    ...(hasOwnPassword
      ? [
          'settings.py sets ADMIN_PASSWORD itself; the panel’s password is the one that holds. Write `ADMIN_PASSWORD = environ.get("OTREE_ADMIN_PASSWORD")` and keep passwords out of git.',
        ]
      : []),
  ];
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

const readerOf =
  (project: string) =>
  (name: string): Buffer | null => {
    try {
      return readFileSync(path.join(project, name));
    } catch {
      return null;
    }
  };

async function refuseFullDisk(ground: Ground): Promise<void> {
  await lstat(ground.layout.instancesDir);
  const { bavail, bsize } = await statfs(ground.layout.instancesDir);
  const freeMib = Math.floor((bavail * bsize) / 1024 / 1024);
  if (freeMib < NEEDED_MIB) throw new AppError('disk_full', { freeMib });
}
