// Acts out the Dockerfile of a derived tree without an image: the same instructions, with /app in a folder of this machine.
//
// Only what the panel's Dockerfile says is understood; anything else is an error of the test. Where a test does not ask for
// pip itself, uv takes its place (wheels are shared between tests), and the environment that a RUN makes is kept between
// runs, as Docker's layers are.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, cp, mkdir, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { Unrecorded } from './replay-call.ts';

/** What a finished build leaves for its containers. */
export type Image = {
  readonly id: string;
  /** What it begins with; nothing of it is here. */
  readonly base: string;
  /** Where `/app` of the image lies here; containers get copies. */
  readonly top: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDir: string;
  /** null: root's own id. */
  readonly userId: number | null;
  /** app.json of the tree, parsed; null without one. */
  readonly appJson: unknown;
};

export type ImageRequest = {
  /** The unpacked tree. */
  readonly context: string;
  /** Folder for the image; made here. */
  readonly folder: string;
  readonly id: string;
  readonly onOutput: (text: string) => void;
  readonly signal: AbortSignal;
  /** Every RUN word by word, with pip; programs are looked for in this folder before `/usr/bin`. */
  readonly pip?: { readonly programs: string };
};

/** A RUN ended with another exit code than 0. */
export class BuildFailed extends Error {}

const TOP = '/app';
const PATH = '/usr/local/bin:/usr/bin:/bin';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
/** Shared by all runs of this user, so that only the first one downloads. */
const CACHE = path.join('/var/tmp', `arboretum-tests-${process.getuid?.() ?? 0}`, 'dokku');

/** Puts `/app` of an image to where it lies here, within any text. */
export const placed = (text: string, top: string): string => text.replaceAll(/(?<![\w.-])\/app(?=[/\s"':;&]|$)/g, top);

type Draft = { base: string; environment: Record<string, string>; workingDir: string; userId: number | null; command: readonly string[] };

/** Builds an image. @throws BuildFailed, Unrecorded for an instruction that the panel does not use */
export async function buildImage(request: ImageRequest): Promise<Image> {
  const top = path.join(request.folder, 'app');
  await mkdir(top, { recursive: true, mode: 0o755 });
  const lines = readFileSync(path.join(request.context, 'Dockerfile'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const draft: Draft = { base: '', environment: {}, workingDir: '/', userId: null, command: [] };
  for (const [index, line] of lines.entries()) {
    request.signal.throwIfAborted();
    request.onOutput(`Step ${index + 1}/${lines.length} : ${line}\n`);
    await follow(line, draft, { ...request, top });
    request.onOutput(
      ` ---> ${createHash('sha256')
        .update(lines.slice(0, index + 1).join('\n'))
        .digest('hex')
        .slice(0, 12)}\n`,
    );
  }
  const appJson = path.join(request.context, 'app.json');
  return { ...draft, id: request.id, top, appJson: existsSync(appJson) ? (JSON.parse(readFileSync(appJson, 'utf8')) as unknown) : null };
}

type Ground = ImageRequest & { readonly top: string };

async function follow(line: string, draft: Draft, ground: Ground): Promise<void> {
  const [, instruction = '', rest = ''] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
  if (instruction === 'EXPOSE') return;
  if (instruction === 'FROM') draft.base = rest;
  else if (instruction === 'ENV') for (const pair of rest.split(' ')) draft.environment[pair.replace(/=.*/, '')] = pair.replace(/^[^=]*=/, '');
  else if (instruction === 'USER') draft.userId = Number(/^\d+/.exec(rest)?.[0] ?? refuse(line));
  else if (instruction === 'CMD') draft.command = JSON.parse(rest) as string[];
  else if (instruction === 'COPY') await copy(rest, draft, ground);
  else if (instruction === 'RUN') await runScript(rest, draft, ground);
  else if (instruction === 'WORKDIR' && (rest === TOP || rest.startsWith(`${TOP}/`))) {
    draft.workingDir = rest;
    await mkdir(placed(rest, ground.top), { recursive: true, mode: 0o755 });
  } else refuse(line);
}

function refuse(line: string): never {
  throw new Unrecorded(`an instruction in the Dockerfile: ${line}`);
}

async function copy(rest: string, draft: Draft, { context, top }: Ground): Promise<void> {
  const [from = '', to = ''] = rest.split(' ');
  const target = placed(path.posix.resolve(draft.workingDir, to), top);
  await cp(path.join(context, from), target, { recursive: true, verbatimSymlinks: true });
  await chmod(target, 0o755);
}

/** Runs a RUN as root, as Docker does. */
async function runScript(script: string, draft: Draft, ground: Ground): Promise<void> {
  const code = ground.pip === undefined ? await runWithUv(script, draft, ground) : await runAsWritten(script, draft, ground);
  if (code === 0) return;
  ground.onOutput(`The command '/bin/sh -c ${script}' returned a non-zero code: ${code}\n`);
  throw new BuildFailed();
}

const runAsWritten = async (script: string, draft: Draft, ground: Ground): Promise<number> =>
  await shell(placed(owned(script), ground.top), {
    ground,
    cwd: placed(draft.workingDir, ground.top),
    env: { ...(process.env as Record<string, string>), ...draft.environment, PATH: `${ground.pip?.programs}:/usr/bin:/bin` },
  });

/** What it makes of a list of packages is taken from the cache when it is there. */
async function runWithUv(script: string, draft: Draft, ground: Ground): Promise<number> {
  const { top } = ground;
  const venv = path.join(top, 'venv');
  const kept = script.includes(`${TOP}/venv`) ? path.join(CACHE, 'layers', hashOf(script, path.join(top, 'packages'))) : null;
  const isKept = kept !== null && existsSync(kept);
  if (isKept) await symlink(kept, venv);
  const pipConfig = path.join(top, 'packages', 'pip.conf');
  const environment = uvEnvironment(existsSync(pipConfig) ? readFileSync(pipConfig, 'utf8') : '', top);
  const code = await shell(placed(withUv(script, isKept), top), {
    ground,
    cwd: placed(draft.workingDir, top),
    env: { PATH, HOME: ground.folder, ...environment, ...draft.environment },
  });
  if (code === 0 && kept !== null && !isKept && existsSync(venv)) await keep(venv, kept);
  return code;
}

/** Moves an environment into the cache. Two test runs may build the same at once: the second one's is thrown away. */
async function keep(venv: string, kept: string): Promise<void> {
  const draft = `${kept}.${process.pid}.${path.basename(path.dirname(path.dirname(venv)))}`;
  await mkdir(path.dirname(kept), { recursive: true, mode: 0o755 });
  await cp(venv, draft, { recursive: true, verbatimSymlinks: true });
  await rename(draft, kept).catch(async () => await rm(draft, { recursive: true }));
  await rm(venv, { recursive: true });
  await symlink(kept, venv);
}

/** Without `chown` for those who cannot. */
const owned = (script: string): string => (process.getuid?.() === 0 ? script : script.replaceAll(/chown [\d:]+/g, 'true'));

/** `python3 -m venv` and pip as the panel's Dockerfile writes them, done by uv. */
function withUv(script: string, isKept: boolean): string {
  const uv = path.join(process.env['ARBORETUM_TEST_TOOLS'] ?? '', 'bin', 'uv');
  return owned(script)
    .replaceAll(/\( python3 -m venv [^()]* \)/g, isKept ? 'true' : `${uv} venv --quiet --python /usr/bin/python3 ${TOP}/venv`)
    .replaceAll(
      /\S+\/python -m pip install --no-deps[^&]*--requirement (\S+)/g,
      isKept ? 'true' : `${uv} pip install --python ${TOP}/venv/bin/python --no-deps --requirement $1`,
    );
}

/** pip.conf as uv's environment. */
function uvEnvironment(pipConf: string, top: string): Record<string, string> {
  const setting = (name: string): string | null => new RegExp(`^${name} = (.+)$`, 'm').exec(pipConf)?.[1] ?? null;
  const [index, extra, certificate, proxy] = ['index-url', 'extra-index-url', 'cert', 'proxy'].map((name) => setting(name ?? ''));
  return {
    UV_CACHE_DIR: path.join(CACHE, 'uv'),
    UV_NO_CONFIG: '1',
    UV_NO_PROGRESS: '1',
    UV_PYTHON_DOWNLOADS: 'never',
    UV_LINK_MODE: 'hardlink',
    ...(typeof index === 'string' ? { UV_DEFAULT_INDEX: index } : {}),
    ...(typeof extra === 'string' ? { UV_INDEX: extra } : {}),
    ...(typeof proxy === 'string' ? { HTTPS_PROXY: proxy, HTTP_PROXY: proxy } : {}),
    ...(typeof certificate === 'string' ? { SSL_CERT_FILE: placed(certificate, top) } : existsSync(CERTIFICATES) ? { SSL_CERT_FILE: CERTIFICATES } : {}),
  };
}

function hashOf(script: string, folder: string): string {
  const hash = createHash('sha256').update(script);
  if (existsSync(folder))
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
      const file = path.join(folder, name);
      if (statSync(file).isFile()) hash.update(`\0${name}\0`).update(readFileSync(file));
    }
  return hash.digest('hex').slice(0, 32);
}

type ShellRun = { readonly ground: Ground; readonly cwd: string; readonly env: Record<string, string> };

async function shell(script: string, { ground, cwd, env }: ShellRun): Promise<number> {
  const child = spawn('/bin/sh', ['-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', ground.onOutput);
  const end = () => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  ground.signal.addEventListener('abort', end, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 137));
    });
  } finally {
    ground.signal.removeEventListener('abort', end);
  }
}
