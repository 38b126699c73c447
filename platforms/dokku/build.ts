// The story of a build: inspect the project here, make its image on the host, ask the project there what it offers.

import { chmod, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../contracts/errors.ts';
import { botPackagesInContainer, type BotsTask } from '../bots.ts';
import type { BuildGround } from '../confined.ts';
import { run } from '../dokku-commands.ts';
import type { InstanceSpec } from '../platform.ts';
import type { BuildRequest, BuiltRelease } from '../release.ts';
import { judgeDescription, readDescription } from '../project-description.ts';
import { settle, tryToAsk } from './asking.ts';
import { launcherWords, type TreeSettings } from './dockerfile.ts';
import { keepFile } from '../kept-files.ts';
import { type Host, pathsOf, trialApp, trialPrefix } from './host.ts';
import { inspectForImage } from '../image-inspection.ts';
import { filesOf, readRelease } from './releases.ts';
import { addressOf, makeImage, runLauncher } from './runs.ts';
import { makeTree } from './tree.ts';

/** What builds need besides the host. */
export type Workshop = {
  /** This machine, on which projects are looked through and versions are chosen. */
  readonly ground: BuildGround;
  readonly tree: TreeSettings;
  /** Version of the Python in the base image, for example `3.11`. */
  readonly python: string;
};

type Task = { readonly spec: InstanceSpec; readonly request: BuildRequest };

const DESCRIBE_LIMIT_MS = 120_000;

/** Builds `releases/N`; one that was finished before is given back as it is. @see Platform.build */
export async function buildRelease(host: Host, workshop: Workshop, task: Task): Promise<BuiltRelease> {
  const { instanceId } = task.spec;
  const { releaseNumber, signal } = task.request;
  const earlier = await readRelease(host, instanceId, releaseNumber);
  if (earlier !== null) return earlier;
  signal.throwIfAborted();
  const { dir, record } = filesOf(host, instanceId, releaseNumber);
  const work = path.join(dir, 'work');
  await rm(dir, { recursive: true, force: true });
  try {
    await makeFolders(host, instanceId, work);
    const release = await buildInto(host, workshop, { ...task, work });
    await keepFile(record, JSON.stringify(release));
    await rm(work, { recursive: true, force: true });
    return release;
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** Whoever unpacks and resolves must get through to the innermost one. */
async function makeFolders(host: Host, instanceId: string, work: string): Promise<void> {
  await mkdir(work, { recursive: true });
  const { root, releases } = pathsOf(host, instanceId);
  for (const folder of [host.dataDir, root, releases, path.dirname(work), work]) await chmod(folder, 0o711);
}

async function buildInto(host: Host, workshop: Workshop, { spec, request, work }: Task & { work: string }): Promise<BuiltRelease> {
  const { releaseNumber, signal, onOutput } = request;
  const { ground, tree } = workshop;
  const inspection = await inspectForImage(ground, spec.instanceId, { request, dir: work, pythons: [workshop.python] });
  const { projectDir, requirementsHash, lock, isLockReused } = inspection;
  const botPackages = await packagesFor({ ground, spec, signal, onOutput }, { lock, python: workshop.python });
  await makeTree({ projectDir, lock, settings: tree, botPackages, file: filesOf(host, spec.instanceId, releaseNumber).tree, signal });
  onOutput('-----> Building the image on the Dokku host\n');
  await settle(host, trialApp(spec.instanceId), 'now');
  await makeImage(host, spec.instanceId, { release: releaseNumber, signal, onBuild: onOutput });
  onOutput('-----> Reading settings.py\n');
  const result = await runLauncher(host, spec, {
    release: releaseNumber,
    command: 'describe',
    // settings.py must never touch the live one from here.
    openDatabase: async () => await addressOf(host, spec.instanceId, trialPrefix(spec.instanceId)),
    timeoutMs: DESCRIBE_LIMIT_MS,
    signal,
    onBuild: onOutput,
  });
  const described = readDescription({ ...result, isTimedOut: false });
  const isInstalled = async (name: string): Promise<boolean> => await isPackage(host, spec.instanceId, name);
  const warnings = [...inspection.warnings, ...(await judgeDescription(described, { projectDir, isInstalled, onOutput }))];
  return { releaseNumber, requirementsHash, lock, isLockReused, warnings, project: described.description };
}

/** A version that bots cannot play is a version all the same. */
async function packagesFor(task: BotsTask, release: { lock: string; python: string }): Promise<string | null> {
  try {
    return await botPackagesInContainer(task, release);
  } catch (error) {
    if (task.signal.aborted || !(error instanceof AppError)) throw error;
    task.onOutput(`       ${error.message}\n`);
    return null;
  }
}

/** Whether an app of a session config is a package in the image instead of a folder of the project. */
async function isPackage(host: Host, instanceId: string, name: string): Promise<boolean> {
  if (!/^[A-Za-z_]\w*$/.test(name)) return false;
  const [python = ''] = launcherWords('describe');
  const question = `import importlib.util,sys;sys.exit(importlib.util.find_spec('${name}') is None)`;
  return (await tryToAsk(host, run(trialApp(instanceId), [python, '-c', question]))).exitCode === 0;
}
