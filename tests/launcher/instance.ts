/** One instance for a test: a copy of a project, an env.json, a database, and the launcher run on it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { systemPython } from './venv.ts';

export const repository = join(import.meta.dirname, '../..');
export const confine = join(repository, 'launcher/confine.py');
export const start = join(repository, 'launcher/start.py');
export const isRoot = process.getuid?.() === 0;

/** False without root: what only root can do is then not shown. In CI that is a failure, not a pass. */
export function canTryAsRoot(): boolean {
  if (!isRoot && process.env['CI']) throw new Error('This test needs root: run it in a container as root.');
  return isRoot;
}

/** Poll until `question` answers with something, at most `timeoutMs`. @throws with `what` */
export async function until<T>(what: string, question: () => T | Promise<T>, timeoutMs = 60_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'arboretum-launcher-'));
  chmodSync(folder, 0o755);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A user id that nobody else has, for tests that run as root. */
export function freeUid(): number {
  return randomInt(300_000, 900_000_000);
}

/** An empty database that is dropped after the test; returns its URL. */
export async function temporaryDatabase(): Promise<string> {
  const name = `launcher_${randomBytes(5).toString('hex')}`;
  await query(serverUrl(), `create database ${name}`);
  onTestFinished(() => drop(name));
  return serverUrl().replace(/\/[^/?]*(\?|$)/, `/${name}$1`);
}

/** PostgreSQL's own autovacuum, which is not ours to end, may be at it for a moment. */
async function drop(name: string): Promise<void> {
  await until(`the database ${name} is gone`, async () => {
    try {
      await query(serverUrl(), `drop database if exists ${name} with (force)`);
      return true;
    } catch (error) {
      if ((error as { code?: string }).code === '42501') return false;
      throw error;
    }
  });
}

export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function serverUrl(): string {
  const url = process.env['ARBORETUM_TEST_DATABASE_URL'];
  if (!url) throw new Error('Set ARBORETUM_TEST_DATABASE_URL to a PostgreSQL URL with the right to create databases.');
  return url;
}

export interface InstanceOptions {
  python: string;
  /** Folder below the repository, copied; its files may be replaced by `files` (null removes one). */
  project: string;
  files?: Record<string, string | Buffer | null>;
  databaseUrl?: string;
  config?: Record<string, unknown>;
}

export class Instance {
  readonly folder = temporaryFolder();
  readonly project = join(this.folder, 'project');
  readonly socket = join(this.folder, 'run/otree.sock');
  readonly log = join(this.folder, 'log/otree.log');
  readonly uid: number | undefined;
  private readonly envFile = join(this.folder, 'env.json');
  private readonly options: InstanceOptions;
  private config: Record<string, unknown>;

  constructor(options: InstanceOptions) {
    this.options = options;
    // A Python in root's home runs for root only.
    this.uid = isRoot && !realpathSync(options.python).startsWith(`${homedir()}/`) ? freeUid() : undefined;
    mkdirSync(join(this.folder, 'log'));
    mkdirSync(join(this.folder, 'run'));
    if (this.uid) chownSync(join(this.folder, 'run'), this.uid, this.uid);
    chmodSync(join(this.folder, 'run'), 0o2770);
    cpSync(join(repository, options.project), this.project, { recursive: true });
    for (const [name, content] of Object.entries(options.files ?? {})) replace(join(this.project, name), content);
    this.config = {
      environment: {
        DATABASE_URL: options.databaseUrl ?? '',
        OTREE_PRODUCTION: '1',
        OTREE_AUTH_LEVEL: 'STUDY',
        OTREE_REST_KEY: 'rest-key',
      },
      adminPassword: 'the-panels-password',
      secretKey: 'secret-of-this-instance',
      roomSecret: 'room-secret-of-this-instance',
      cookieName: 'otree_k3v9',
      socket: this.socket,
      projectDir: this.project,
      ...options.config,
    };
    this.configure({});
  }

  /** Write env.json anew; counts from the next start. */
  configure(changes: Record<string, unknown>): void {
    this.config = { ...this.config, ...changes };
    rmSync(this.envFile, { force: true });
    writeFileSync(this.envFile, JSON.stringify(this.config), { mode: 0o400 });
    if (this.uid) chownSync(this.envFile, this.uid, this.uid);
  }

  /** Run a command that ends by itself. */
  run(command: string, ...words: string[]): { code: number | null; stdout: string; stderr: string } {
    const argv = [...this.argv([], command), ...words];
    const done = spawnSync(systemPython, argv, { encoding: 'utf8', timeout: 60_000 });
    return { code: done.status, stdout: done.stdout, stderr: done.stderr };
  }

  /** Start the server and wait for its first answer; it ends with the test. */
  async serve(): Promise<ChildProcess> {
    const keeper = spawn(systemPython, this.argv(['--log', this.log], 'serve'), { stdio: 'ignore' });
    onTestFinished(async () => void (await stop(keeper)));
    await until(`the server answers; its log: ${this.log}`, async () => {
      if (keeper.exitCode !== null) throw new Error(`the server ended: ${readFileSync(this.log, 'utf8')}`);
      return (await this.request('GET', '/login').catch(() => null))?.status === 200;
    });
    return keeper;
  }

  request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = http.request({ socketPath: this.socket, agent: false, method, path, headers: options.headers ?? {} }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (piece: string) => (body += piece));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      });
      request.on('error', reject).end(options.body);
    });
  }

  /** oTree's REST API with the instance's key. */
  async rest(path: string, body: unknown): Promise<Record<string, string>> {
    const headers = { 'otree-rest-key': 'rest-key', 'content-type': 'application/json', host: 'lab.example' };
    const answer = await this.request('POST', path, { headers, body: JSON.stringify(body) });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body) as Record<string, string>;
  }

  /** Sign in as the admin; returns the cookie, or null when refused. */
  async signIn(password: string): Promise<string | null> {
    const page = await this.request('GET', '/login');
    const token = /name="csrftoken" value="(\w+)"/.exec(page.body)?.[1] ?? '';
    const body = new URLSearchParams({ csrftoken: token, username: 'admin', password }).toString();
    const headers = { cookie: cookieOf(page), 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await this.request('POST', '/login', { headers, body });
    return answer.status === 302 ? cookieOf(answer) : null;
  }

  private argv(more: string[], command: string): string[] {
    const identity = this.uid ? ['--uid', String(this.uid)] : ['--pid-file', join(this.folder, 'pid')];
    const home = ['--kill-others', '--home', this.folder, '--cwd', this.project];
    return ['-I', confine, ...identity, ...home, ...more, '--', this.options.python, start, this.envFile, command];
  }
}

interface RequestOptions {
  headers?: Record<string, string>;
  body?: string;
}
export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** `name=value` of the first cookie that an answer sets. */
export function cookieOf(answer: Answer): string {
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

/** The JSON behind the marker on the last line that has one. */
export function marked(text: string, marker: string): Record<string, unknown> {
  const last = text.trimEnd().split('\n').at(-1) ?? '';
  if (!last.startsWith(`${marker} `)) throw new Error(`no ${marker} on the last line of:\n${text}`);
  return JSON.parse(last.slice(marker.length + 1)) as Record<string, unknown>;
}

/** SIGTERM, and wait for the end. */
export async function stop(child: ChildProcess): Promise<number | null> {
  child.kill('SIGTERM');
  await until('the process ends', () => child.exitCode !== null || child.signalCode !== null);
  return child.exitCode;
}

/** Live processes whose command line has all the words, without the caller's own. */
export function processesWith(...words: string[]): number[] {
  const listing = spawnSync('ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' }).stdout;
  return listing
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((match) => match && !match[2]?.startsWith('Z') && words.every((word) => match[3]?.includes(word)))
    .map((match) => Number(match?.[1]));
}

function replace(path: string, content: string | Buffer | null): void {
  rmSync(path, { recursive: true, force: true });
  if (content === null) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
