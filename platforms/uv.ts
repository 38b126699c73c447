// Running uv, as the build id with the shared cache or as an instance's own user with its own.

import path from 'node:path';
import type { AppError } from '../contracts/errors.ts';
import { type BuildGround, runConfined } from './confined.ts';
import { diagnoseUv } from './diagnose.ts';
import type { Interpreter } from './interpreter.ts';
import { makeDirectory, replaceFile } from './owned-files.ts';
import type { InstanceSpec } from './platform.ts';
import type { Requirements } from './requirements.ts';
import type { CommandResult } from './run-command.ts';

export type BuildTask = {
  readonly ground: BuildGround;
  /** Whose build it is, and the user id that runs the source packages of others; null: the panel's own. */
  readonly spec: Pick<InstanceSpec, 'instanceId' | 'osUserId'>;
  readonly releaseDir: string;
  readonly requirements: Requirements;
  /** What packages are chosen and built with on this machine. */
  readonly interpreter: Interpreter;
  /** Version of the Python that the release runs under. */
  readonly python: string;
  /** Whether that one is not the interpreter but another machine's, which has Linux and that version. */
  readonly isForElsewhere: boolean;
  readonly signal: AbortSignal;
  readonly onOutput: (text: string) => void;
};

/** What running uv itself asks for. */
export type UvTask = Pick<BuildTask, 'ground' | 'spec' | 'signal'>;

const LIMIT_MS = 15 * 60_000;
const BUILD_LIMITS = { memoryMib: 2048, processes: 512, fileMib: 4096, openFiles: 4096, cpuSeconds: 900 } as const;

export const cacheOf = (ground: BuildGround, ...parts: string[]): string => path.join(ground.layout.cacheDir, ...parts);

/** Where an instance's own user builds source packages, and what is installed from there. */
export const foreignPlaces = (ground: BuildGround, instanceId: string) => ({
  dir: cacheOf(ground, 'foreign', instanceId),
  cache: cacheOf(ground, 'foreign', instanceId, 'uv'),
  wheels: cacheOf(ground, 'foreign', instanceId, 'wheels'),
  installCache: cacheOf(ground, 'foreign-install', instanceId),
});

/** Folders of the shared cache; the wheels are the panel's own, copied there after they were built. */
export async function prepareCache(ground: BuildGround): Promise<void> {
  await makeDirectory(ground, ground.layout.cacheDir, { mode: 0o711 });
  for (const name of ['foreign', 'foreign-install']) await makeDirectory(ground, cacheOf(ground, name), { mode: 0o711 });
  await makeDirectory(ground, cacheOf(ground, 'wheels'), { mode: 0o755 });
  for (const name of ['uv', 'environments', 'home']) await makeDirectory(ground, cacheOf(ground, name), { mode: 0o755, userId: ground.buildUserId });
}

/** Runs uv as the build id. Never with anything that could run foreign code: wheels only, or packages that we named ourselves. */
export async function uv(task: UvTask, args: readonly string[], cache = cacheOf(task.ground, 'uv')): Promise<CommandResult> {
  const place = { userId: task.ground.buildUserId, home: cacheOf(task.ground, 'home'), group: `build-${task.spec.instanceId}` };
  return await runAs(task, place, { command: [task.ground.uvBinary, ...args, '--color', 'never'], env: uvEnvironment(task.ground, cache) });
}

/** Runs uv as the instance's user: it may build source packages, which is running them. */
export async function uvAsInstance(task: BuildTask, args: readonly string[]): Promise<CommandResult> {
  const { dir, cache } = foreignPlaces(task.ground, task.spec.instanceId);
  await makeDirectory(task.ground, dir, { mode: 0o711, userId: task.spec.osUserId });
  return await runAsInstance(task, [task.ground.uvBinary, ...args, '--color', 'never'], uvEnvironment(task.ground, cache));
}

/** Small commands as the instance's user, in its own cache. */
export async function runAsInstance(task: BuildTask, command: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
  const home = foreignPlaces(task.ground, task.spec.instanceId).dir;
  return await runAs(task, { userId: task.spec.osUserId, home, group: `source-${task.spec.instanceId}` }, { command, env });
}

/** Small commands on files of the build id, run as the build id. @throws build_failed unless it may fail */
export async function asBuilder(task: BuildTask, command: readonly string[], options: { mayFail?: boolean } = {}): Promise<void> {
  const place = { userId: task.ground.buildUserId, home: cacheOf(task.ground, 'home'), group: `build-${task.spec.instanceId}` };
  const result = await runAs(task, place, { command, env: {} });
  if (result.exitCode !== 0 && options.mayFail !== true) throw failed(task, result);
}

/** Gives a folder that the build id has filled its place, readable by everybody and writable by nobody else; one that is there already stays. */
export async function publish(task: UvTask, { part, place }: { part: string; place: string }): Promise<void> {
  const builder = { userId: task.ground.buildUserId, home: cacheOf(task.ground, 'home'), group: `build-${task.spec.instanceId}` };
  for (const command of [
    ['/bin/chmod', '-R', 'a+rX,go-w', part],
    ['/bin/mv', '--no-target-directory', part, place],
    ['/bin/rm', '-rf', part],
  ])
    await runAs(task, builder, { command, env: {} });
}

/** The error for what uv said, after showing all of it to the person who waits. */
export function failed(task: BuildTask, result: CommandResult): AppError {
  task.onOutput(result.stderr.replace(/^(?=.)/gm, '       '));
  return diagnoseUv({ exitCode: result.exitCode, output: result.stderr, isTimedOut: result.isTimedOut }, task.python);
}

/** Whether it failed only because wheels alone were allowed. */
export const needsSources = (result: CommandResult): boolean => /no usable wheels|building from source is disabled/i.test(result.stderr);

/** Writes a list for uv into the release's folder, readable by both users that run uv; it holds no secret. */
export async function writeList(task: BuildTask, name: string, lines: readonly string[]): Promise<string> {
  const file = path.join(task.releaseDir, name);
  await replaceFile(file, `${lines.join('\n')}\n`, { mode: 0o644 });
  return file;
}

type Place = { readonly userId: number | null; readonly home: string; readonly group: string };

async function runAs(task: UvTask, place: Place, run: { command: readonly string[]; env: Record<string, string> }): Promise<CommandResult> {
  const { userId, home, group } = place;
  const result = await runConfined(task.ground, {
    confinement: { userId, limits: BUILD_LIMITS, group, home, cwd: home },
    command: run.command,
    env: run.env,
    timeoutMs: LIMIT_MS,
    signal: task.signal,
  });
  return { ...result, stderr: result.stderr.replace(/^confine: limits by .*\n?/gm, '') };
}

/** What uv is told: cache, index, certificates, proxy. */
export function uvEnvironment(ground: BuildGround, cache: string): Record<string, string> {
  const { indexUrl, extraIndexUrl, findLinks, caFile, proxyUrl } = ground.packageIndex;
  return {
    UV_CACHE_DIR: cache,
    UV_NO_CONFIG: '1',
    UV_NO_PROGRESS: '1',
    UV_PYTHON_DOWNLOADS: 'never',
    UV_LINK_MODE: 'hardlink',
    PYTHONDONTWRITEBYTECODE: '1',
    ...(indexUrl === undefined ? {} : { UV_DEFAULT_INDEX: indexUrl.open() }),
    ...(extraIndexUrl === undefined ? {} : { UV_INDEX: extraIndexUrl.open() }),
    ...(findLinks === undefined ? {} : { UV_FIND_LINKS: findLinks }),
    ...(caFile === undefined ? {} : { SSL_CERT_FILE: caFile }),
    ...(proxyUrl === undefined ? {} : { HTTPS_PROXY: proxyUrl.open(), HTTP_PROXY: proxyUrl.open() }),
  };
}
