// Our nginx as processes: find it, start it, signal it, ask which configuration is live.

import { readFile, rm, stat } from 'node:fs/promises';
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Layout } from './layout.ts';
import { nginxHere, type NginxHost } from './nginx-host.ts';
import { controlSocketOf, errorLogOf } from './nginx-settings.ts';

/** What came of testing, starting or reloading: `complaint` is nginx's own text. */
export type NginxOutcome = { readonly ok: true } | { readonly ok: false; readonly complaint: string };

/** What a worker says of itself on the control socket. */
export type NginxVoice = { readonly pid: number; readonly generation: string };

/** The installed nginx, and how many files one process of it may open. */
export type NginxBuild = {
  readonly isAtLeast: (major: number, minor: number, patch: number) => boolean;
  readonly hasTls: boolean;
  readonly hasHttp2: boolean;
  readonly openFiles: number;
};

/** How long nginx may take; five tries to bind a port that is in use last 2.5 s. */
const LIVE_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 10;

/** Files that one process may open: the hard limit of ours, 32,768 at most. */
export async function readOpenFilesLimit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1];
  return Math.min(32_768, hard === undefined ? 32_768 : Number(hard));
}

/** The one nginx of a layout. Nothing here touches another nginx of the machine. */
export class NginxProcess {
  readonly #layout: Layout;
  readonly #host: NginxHost;

  /** @param where its program, when it runs beside us, else who keeps it */
  constructor(layout: Layout, where: string | NginxHost) {
    this.#layout = layout;
    this.#host = typeof where === 'string' ? nginxHere(where, { config: layout.nginxConfig, dir: layout.nginxDir }) : where;
  }

  /** What the installed program can do, or null when there is none. */
  async build(): Promise<NginxBuild | null> {
    const { text } = await this.#host.run(['-V']);
    const match = /nginx\/(\d+)\.(\d+)\.(\d+)/.exec(text);
    if (match === null) return null;
    const version = match.slice(1).map(Number);
    return {
      isAtLeast: (...wanted) => {
        const at = wanted.findIndex((number, index) => number !== version[index]);
        return at === -1 || (version[at] ?? 0) > (wanted[at] ?? 0);
      },
      hasTls: text.includes('--with-http_ssl_module'),
      hasHttp2: text.includes('--with-http_v2_module'),
      openFiles: await readOpenFilesLimit(),
    };
  }

  /** Pid of the living master, or null. A pid that now belongs to another program counts as not running. */
  async masterPid(): Promise<number | null> {
    const isOurs = async (pid: number): Promise<boolean> => {
      const title = await this.#host.titleOf(pid);
      return title.startsWith('nginx: master process') && `${title} `.includes(`-c ${this.#layout.nginxConfig} `);
    };
    const noted = Number((await readFile(this.#layout.nginxPid, 'utf8').catch(() => '')).trim());
    if (Number.isInteger(noted) && noted > 1 && (await isOurs(noted))) return noted;
    // Somebody may have cleaned the run directory under a living nginx.
    for (const pid of await this.#host.pids()) if (await isOurs(pid)) return pid;
    return null;
  }

  /**
   * What the process that answers on the control socket says; null when nobody does.
   * Asked again after a silence: when the one worker that the kernel woke dies before it accepts, the connection
   * waits until another one comes (EPOLLEXCLUSIVE; met 1 time in 7 when workers were killed one after the other).
   */
  async ask(): Promise<NginxVoice | null> {
    for (const timeoutMs of [250, 500, 1000]) {
      const answer = await get(controlSocketOf(this.#layout), timeoutMs).catch((error: NodeJS.ErrnoException) =>
        error.code === 'ENOENT' || error.code === 'ECONNREFUSED' ? 'nobody' : '',
      );
      const match = /^(\d+) (\S+)$/.exec(answer.trim());
      if (match !== null) return { pid: Number(match[1]), generation: match[2] ?? '' };
      if (answer === 'nobody') return null;
    }
    return null;
  }

  /** Pids of the workers that accept connections. */
  async workersOf(master: number): Promise<readonly number[]> {
    const children = await this.#host.childrenOf(master);
    const accepting = await Promise.all(children.map(this.#isAccepting));
    return children.filter((_, index) => accepting[index]);
  }

  /** Whether all of them still do. */
  async doAccept(workers: readonly number[]): Promise<boolean> {
    return !(await Promise.all(workers.map(this.#isAccepting))).includes(false);
  }

  /** `nginx -t` on everything. Says nothing about ports in use. */
  async test(): Promise<NginxOutcome> {
    const { code, text } = await this.#host.run(['-t', '-q']);
    return code === 0 ? { ok: true } : { ok: false, complaint: text };
  }

  /** Starts the door, first sending home workers that outlived a killed master (they finish what they have open). */
  async start(generation: string): Promise<NginxOutcome> {
    await this.#dismissOrphans('SIGQUIT');
    await rm(controlSocketOf(this.#layout), { force: true });
    const { code, text } = await this.#host.run([]);
    return code === 0 ? this.#waitUntilLive(generation, { offset: await this.#logSize(), oldWorkers: [] }) : { ok: false, complaint: text };
  }

  /** Reloads and waits until no worker of before accepts connections any more. */
  async reload(master: number, generation: string): Promise<NginxOutcome> {
    const before = { offset: await this.#logSize(), oldWorkers: await this.#host.childrenOf(master) };
    await this.#host.signal(master, 'SIGHUP');
    if ((await this.#host.titleOf(master)) === '') return { ok: false, complaint: 'nginx has just ended' };
    return this.#waitUntilLive(generation, before);
  }

  /**
   * Takes a master away that does not answer (its control socket was deleted) without closing what its workers have open.
   * SIGKILL, because a master that quits removes the pid file, by then its successor's.
   */
  async retire(master: number): Promise<void> {
    const workers = await this.#host.childrenOf(master);
    await this.#host.signal(master, 'SIGKILL');
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    // Again and again: one that was only just made bears its master's name and hears nothing yet; it would listen for ever.
    for (let left = workers; left.length > 0 && Date.now() < deadline; left = await this.#notLeaving(workers)) {
      for (const pid of left) if (await this.#isAccepting(pid)) await this.#host.signal(pid, 'SIGQUIT');
      await delay(POLL_MS);
    }
  }

  /** Ends it and closes every connection. */
  async stop(): Promise<void> {
    const master = await this.masterPid();
    if (master !== null) await this.#end([master, ...(await this.#host.childrenOf(master))]);
    await this.#dismissOrphans('SIGTERM');
    await rm(controlSocketOf(this.#layout), { force: true });
  }

  /** Every worker still listening answers on the control socket sooner or later: ask until nobody does. */
  async #dismissOrphans(signal: NodeJS.Signals): Promise<void> {
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    for (let voice = await this.ask(); voice !== null && Date.now() < deadline; voice = await this.ask()) {
      if (await this.#isAccepting(voice.pid)) await this.#host.signal(voice.pid, signal);
      await delay(POLL_MS);
    }
  }

  async #waitUntilLive(generation: string, before: { readonly offset: number; readonly oldWorkers: readonly number[] }): Promise<NginxOutcome> {
    const deadline = Date.now() + LIVE_TIMEOUT_MS;
    while (Date.now() < deadline) {
      if ((await this.ask())?.generation === generation && !(await this.#someAccept(before.oldWorkers))) return { ok: true };
      const complaint = await this.#emergencies(before.offset);
      if (complaint !== null) return { ok: false, complaint };
      await delay(POLL_MS);
    }
    return { ok: false, complaint: `the new configuration was not live within ${LIVE_TIMEOUT_MS / 1000} seconds` };
  }

  /** What nginx has logged since as the reason why it keeps the old configuration; null while it still tries. */
  async #emergencies(offset: number): Promise<string | null> {
    const log = (await readFile(errorLogOf(this.#layout)).catch(() => Buffer.alloc(0))).subarray(offset).toString('utf8');
    const lines = log.split('\n').filter((line) => line.includes('[emerg]'));
    const isFinal = lines.some((line) => !/bind\(\) to .* failed \(98/.test(line));
    return isFinal ? lines.join('\n') : null;
  }

  async #logSize(): Promise<number> {
    return (await stat(errorLogOf(this.#layout)).catch(() => null))?.size ?? 0;
  }

  readonly #isAccepting = async (pid: number): Promise<boolean> => (await this.#host.titleOf(pid)) === 'nginx: worker process';

  async #someAccept(pids: readonly number[]): Promise<boolean> {
    return (await Promise.all(pids.map(this.#isAccepting))).includes(true);
  }

  /** Those that neither have ended nor finish what they have open. */
  async #notLeaving(pids: readonly number[]): Promise<readonly number[]> {
    const titles = await Promise.all(pids.map((pid) => this.#host.titleOf(pid)));
    return pids.filter((_, index) => titles[index]?.startsWith('nginx: ') && titles[index] !== 'nginx: worker process is shutting down');
  }

  /** Ends the first, waits for all, and kills what is left of our nginx after the deadline. */
  async #end(pids: readonly number[]): Promise<void> {
    const living = async (): Promise<readonly number[]> => {
      const titles = await Promise.all(pids.map((pid) => this.#host.titleOf(pid)));
      return pids.filter((_, index) => titles[index]?.startsWith('nginx: '));
    };
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    if (pids[0] !== undefined) await this.#host.signal(pids[0], 'SIGTERM');
    while ((await living()).length > 0 && Date.now() < deadline) await delay(POLL_MS);
    for (const pid of await living()) await this.#host.signal(pid, 'SIGKILL');
  }
}

function get(socketPath: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = http.get({ socketPath, path: '/.arboretum/generation', agent: false, signal }, (response) => {
      let body = '';
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (body += chunk))
        .on('end', () => resolve(body))
        .on('error', reject);
    });
    request.on('error', reject);
  });
}
