// A container of the replay host: a real process in a copy of the image's folder, looked after as Docker does.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { cp, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { freePort } from '../free-ports.ts';
import { type Call, passOn, say } from './replay-call.ts';
import { type Image, placed } from './replay-image.ts';
import { hex, nanoNow } from './replay-state.ts';

export type LogLine = { readonly time: string; readonly text: string };

/** Docker's `on-failure:10`, which Dokku sets, with Docker's own pauses: 100 ms, doubled each time, from the start again after 10 s. */
const MAX_RESTARTS = 10;
const FIRST_PAUSE_MS = 100;
const STEADY_MS = 10_000;
/** Docker keeps the last 10 MiB; this many lines come to less. */
const MAX_LINES = 50_000;
/** Time between SIGTERM and SIGKILL. Dokku gives 30 s; a test that waits for it would only be slower. */
const GRACE_MS = 5000;

/** Makes the folder of a container: its own files, one environment for all of an image. */
async function makeFolder(image: Image, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const top = path.join(folder, 'app');
  await cp(image.top, top, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  if (image.userId !== null) await own(image, top);
  return top;
}

/** Copying makes root the owner of what RUN gave to the image's user. */
async function own(image: Image, top: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const script = 'cd "$1" && find . -user "$3" -exec chown -h "$3:$3" "$2/{}" ";"';
  const child = spawn('/bin/sh', ['-c', script, 'own', image.top, top, String(image.userId)], { stdio: 'ignore' });
  await once(child, 'close');
}

type Start = {
  readonly image: Image;
  readonly config: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly name: string;
  readonly memoryMib: number;
};

/** Begins words in the folder of a container, with the image's variables and user. */
export function spawnIn(image: Image, top: string, run: { words: readonly string[]; env: Readonly<Record<string, string>> }): ChildProcess {
  const [program = '', ...args] = run.words.map((word) => placed(word, top));
  const entries = Object.entries({ PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/app', ...image.environment }).map(([key, value]) => [key, placed(value, top)]);
  const user = process.getuid?.() === 0 && image.userId !== null ? { uid: image.userId, gid: image.userId } : {};
  return spawn(program, args, {
    cwd: placed(image.workingDir, top),
    env: { ...(Object.fromEntries(entries) as Record<string, string>), ...run.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: when its first process ends, a container ends as a whole.
    detached: true,
    ...user,
  });
}

/** Runs words in a container of their own, to their end. Returns their exit code. */
export async function runOnce(call: Call, { image, config, folder, name }: Omit<Start, 'memoryMib'>, words: readonly string[]): Promise<number> {
  const top = await makeFolder(image, folder);
  try {
    return await runWords(call, { image, top, env: { DYNO: name, ...config } }, words);
  } finally {
    endStragglers(folder);
    await rm(folder, { recursive: true, force: true });
  }
}

type Place = { readonly image: Image; readonly top: string; readonly env: Readonly<Record<string, string>> };

async function runWords(call: Call, { image, top, env }: Place, words: readonly string[]): Promise<number> {
  const child = spawnIn(image, top, { words, env });
  try {
    return await passOn(child, call);
  } catch {
    return say(call, 'run-not-found', { nosuchcmd: words[0] ?? '' });
  } finally {
    endGroup(child, 'SIGKILL');
  }
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody of it is left.
  }
}

/** Ends what works in a folder and has left its group: it would have died with a real container. */
export function endStragglers(folder: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`)) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It is gone, or somebody else's.
    }
  }
}

export class Container {
  readonly id = hex(64);
  readonly created = new Date();
  readonly image: Image;
  readonly log: LogLine[] = [];
  /** Told by ps:inspect, held by nobody here; 0: no limit. */
  readonly memoryMib: number;
  port = 0;
  restartCount = 0;
  exitCode = 0;
  startedAt = new Date(0);
  finishedAt: Date | null = null;
  #config: Readonly<Record<string, string>>;
  #folder: string;
  #top = '';
  #name: string;
  #child: ChildProcess | null = null;
  #isEnding = false;
  #timer: NodeJS.Timeout | null = null;
  #retirement: NodeJS.Timeout | null = null;
  #pauseMs = FIRST_PAUSE_MS;

  constructor({ image, config, folder, name, memoryMib }: Start) {
    [this.image, this.#config, this.#folder, this.#name, this.memoryMib] = [image, config, folder, name, memoryMib];
  }

  /** Begins with the image's CMD. */
  async start(): Promise<void> {
    this.#top = await makeFolder(this.image, this.#folder);
    this.port = await freePort();
    this.#spawn();
  }

  /** Docker says “running” as well while it waits to restart it. */
  isRunning(): boolean {
    return this.#child !== null || this.#timer !== null;
  }

  isRestarting(): boolean {
    return this.#timer !== null;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get variables(): readonly string[] {
    return Object.keys(this.#config);
  }

  /** SIGTERM, and SIGKILL when that does not help. The log and the last exit code stay. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const child = this.#child;
    if (child === null) return;
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    const killer = setTimeout(() => endGroup(child, 'SIGKILL'), GRACE_MS);
    await ended;
    clearTimeout(killer);
  }

  /** Ends the process as an out-of-memory or a bug would; Docker then restarts it. */
  crash(): void {
    if (this.#child !== null) endGroup(this.#child, 'SIGKILL');
  }

  /** Ends and removes it later. */
  retireAfter(delayMs: number, then: () => void): void {
    this.#retirement = setTimeout(() => void this.remove().then(then), delayMs);
  }

  async remove(): Promise<void> {
    if (this.#retirement !== null) clearTimeout(this.#retirement);
    await this.stop();
    endStragglers(this.#folder);
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Runs words beside the running process. */
  async enter(call: Call, words: readonly string[]): Promise<number> {
    return await runWords(call, { image: this.image, top: this.#top, env: this.#environment() }, words);
  }

  #environment(): Record<string, string> {
    // HOSTNAME comes from Docker itself. @see record ps-inspect (Config.Hostname)
    return { DYNO: this.#name, HOSTNAME: this.id.slice(0, 12), ...this.#config, PORT: String(this.port) };
  }

  #spawn(): void {
    this.#timer = null;
    this.startedAt = new Date();
    const child = spawnIn(this.image, this.#top, { words: this.image.command, env: this.#environment() });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) if (stream !== null) this.#collect(stream);
    child.once('error', () => this.#ended(127));
    child.once('exit', () => endGroup(child, 'SIGKILL'));
    child.once('close', (code, signal) => this.#ended(code ?? 128 + (signal === 'SIGKILL' ? 9 : 15)));
  }

  #collect(stream: NodeJS.ReadableStream): void {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#note(line);
    });
    stream.on('end', () => {
      if (rest !== '') this.#note(rest);
    });
  }

  #note(text: string): void {
    this.log.push({ time: nanoNow(), text });
    if (this.log.length > MAX_LINES) this.log.shift();
  }

  #ended(code: number): void {
    if (this.#child === null) return;
    this.#child = null;
    [this.exitCode, this.finishedAt] = [code, new Date()];
    if (this.#isEnding || code === 0 || this.restartCount >= MAX_RESTARTS) return;
    if (Date.now() - this.startedAt.getTime() > STEADY_MS) this.#pauseMs = FIRST_PAUSE_MS;
    this.#timer = setTimeout(() => {
      this.restartCount += 1;
      this.#spawn();
    }, this.#pauseMs);
    this.#pauseMs *= 2;
  }
}
