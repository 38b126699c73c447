// Instances and projects for the contract suite: made anew for each test, with secrets that break careless quoting.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import pg from 'pg';
import { AppError, type ErrorCode } from '../../contracts/errors.ts';
import type { InstanceSpec, Observation, Platform } from '../../platforms/platform.ts';
import type { BuiltRelease } from '../../platforms/release.ts';
import { Secret } from '../../platforms/secret.ts';
import { freeUserId } from '../user-ids.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
export const TRUST_GAME = path.join(ROOT, 'samples', 'trust-game');
export const LAB_GAMES = path.join(ROOT, 'tests', 'projects', 'lab-games');

const never = new AbortController().signal;

/** A new instance of a stranger; secrets hold what breaks careless quoting. On a real host its name tells whose run made it. */
export function makeSpec(overrides: Partial<InstanceSpec> = {}): InstanceSpec {
  const { ARBORETUM_TEST_RUN: run = '', ARBORETUM_TEST_DOMAIN: domain } = process.env;
  const instanceId = `t${run}${randomBytes(6).toString('hex')}`.slice(0, 12);
  return {
    instanceId,
    osUserId: freeUserId(),
    hostName: domain === undefined ? null : `${instanceId}.${domain}`,
    pathPrefix: '',
    cookieName: `otree_${instanceId}`,
    databasePassword: new Secret(`p@ss:/?#%'"\\ ${instanceId}`),
    adminPassword: new Secret(`admin '"$%\\ ${instanceId}`),
    secretKey: new Secret(`key-${instanceId}`),
    roomSecret: new Secret(`room-${instanceId}`),
    restKey: new Secret(`rest-${instanceId}`),
    environment: {},
    sessionFields: {},
    limits: { memoryMib: 512, diskMib: 256, processes: 64 },
    ...overrides,
  };
}

/** Opens a folder as the tar stream that a push would give. */
export const archiveOf = (dir: string) => (): Readable =>
  spawn('tar', ['-c', '-C', dir, '--exclude=__pycache__', '.'], { stdio: ['ignore', 'pipe', 'ignore'] }).stdout;

/** A copy of a project in which files are replaced (null: taken out). */
export async function projectWith(source: string, files: Readonly<Record<string, string | Buffer | null>>): Promise<string> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'project-'));
  await cp(source, dir, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    if (content === null) await rm(path.join(dir, name), { recursive: true });
    else await writeFile(path.join(dir, name), content);
  }
  return dir;
}

/** Builds and hands back what it said. */
export async function build(
  platform: Platform,
  spec: InstanceSpec,
  from: { dir: string; number: number; lock?: string },
): Promise<{ release: BuiltRelease; output: string }> {
  let output = '';
  const release = await platform.build(spec, {
    releaseNumber: from.number,
    openArchive: archiveOf(from.dir),
    lockFor: async () => from.lock ?? null,
    signal: never,
    onOutput: (text) => {
      output += text;
    },
  });
  return { release, output };
}

/** From nothing to answering. */
export async function deploy(platform: Platform, spec: InstanceSpec, from: { dir: string; number?: number }): Promise<BuiltRelease> {
  const number = from.number ?? 1;
  await platform.create(spec, never);
  const { release } = await build(platform, spec, { dir: from.dir, number });
  await platform.selectRelease(spec, number);
  await platform.start(spec, never);
  return release;
}

/** What the platform sees of one instance. */
export const stateOf = async (platform: Platform, spec: InstanceSpec): Promise<Observation> => {
  const seen = (await platform.observe([spec.instanceId])).get(spec.instanceId);
  if (seen === undefined) throw new Error('the instance was not observed');
  return seen;
};

/** The code and details of the AppError that something ends with. */
export async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw new Error(`expected an AppError, got ${String(error)}`, { cause: error });
  return error;
}

/** Asks with the panel's role, in the panel's own database (null) or another of the same server. */
export async function askPostgres(adminUrl: string, database: string | null, text: string): Promise<pg.QueryResult<Record<string, unknown>>> {
  const address = new URL(adminUrl);
  if (database !== null) address.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: address.href });
  client.on('error', () => {});
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end().catch(() => {});
  }
}

/** What is wrong, which files make it so (null: taken out), and how it is refused. */
export const brokenProjects: readonly [string, Readonly<Record<string, string | null>>, { code: ErrorCode; details?: Readonly<Record<string, unknown>> }][] = [
  ['no requirements.txt', { 'requirements.txt': null }, { code: 'requirements_missing' }],
  ['no settings.py', { 'settings.py': null }, { code: 'settings_missing' }],
  ['no oTree', { 'requirements.txt': 'numpy\n' }, { code: 'otree_missing' }],
  ['an oTree before 5', { 'requirements.txt': 'otree==3.3.11\n' }, { code: 'otree_too_old', details: { version: '3.3.11' } }],
  [
    'a package that does not exist',
    { 'requirements.txt': 'otree\narboretum-no-such-package-zz9\n' },
    { code: 'package_unknown', details: { requirement: 'arboretum-no-such-package-zz9' } },
  ],
  ['a broken line in settings.py', { 'settings.py': 'SESSION_CONFIGS = [\n' }, { code: 'syntax_error', details: { file: 'settings.py', line: 1 } }],
  [
    'settings.py that needs an undeclared module',
    { 'settings.py': 'import not_declared\n' },
    { code: 'module_missing', details: { module: 'not_declared', file: 'settings.py' } },
  ],
  ['settings.py that stops', { 'settings.py': 'x = 1\nraise ValueError("no")\n' }, { code: 'settings_invalid', details: { line: 2 } }],
];
