// Keeping a child process: starts it, starts it again when it dies, ends it in order.

import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, closeSync, openSync, rmSync } from 'node:fs';
import { identify, endProcess, notePid } from './process-identity.ts';
import type { Account } from './run.ts';

export type Service = {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Its whole environment: secrets come here, never by argv. */
  readonly env: Readonly<Record<string, string>>;
  readonly account: Account | null;
  readonly cwd: string;
  readonly logFile: string;
  /** Names it, so that a start after a kill -9 finds and ends it. */
  readonly pidFile: string;
  readonly stopGraceMs: number;
  /** Called before a second and later start, with how many there were in a row within seconds. */
  readonly beforeRestart?: (quickDeaths: number) => void;
};

export type Watcher = {
  /** One line for people and log. */
  readonly onEvent: (line: string) => void;
  /** It died too often; the panel should end and let its own keeper decide. */
  readonly onGiveUp: (line: string) => void;
};

const backOffMs = [200, 1000, 2000, 4000] as const;
/** A process that lived this long had started well. */
const wellMs = 10_000;
const maxRestarts = 20;
const restartWindowMs = 10 * 60_000;

/** A child that is kept alive until `stop`. */
export class KeptProcess {
  readonly #service: Service;
  readonly #watcher: Watcher;
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isStopping = false;
  #quickDeaths = 0;
  #restarts: number[] = [];

  constructor(service: Service, watcher: Watcher) {
    this.#service = service;
    this.#watcher = watcher;
  }

  start(): void {
    const { file, args, env, account, cwd, logFile, pidFile, name } = this.#service;
    const log = openSync(logFile, 'a', 0o640);
    const identity = account === null ? {} : { uid: account.uid, gid: account.gid };
    // A group of its own: the terminal's Ctrl-C reaches only us, and we end it in order.
    const child = spawn(file, [...args], { cwd, env: { ...env }, stdio: ['ignore', log, log], detached: true, ...identity });
    closeSync(log);
    chmodSync(logFile, 0o640);
    const startedAt = Date.now();
    this.#child = child;
    if (child.pid !== undefined) notePid(pidFile, child.pid);
    child.once('error', (error) => this.#died(`${name} could not be started: ${error.message}`, startedAt));
    child.once('exit', (code, signal) => this.#died(`${name} ended (${signal ?? `code ${code}`})`, startedAt));
  }

  /** Whether it lives just now. */
  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** SIGTERM, the grace, SIGKILL; it does not come back. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const identity = this.isRunning ? identify(this.#child?.pid ?? 0) : null;
    if (identity !== null) await endProcess(identity, this.#service.stopGraceMs);
    rmSync(this.#service.pidFile, { force: true });
  }

  #died(what: string, startedAt: number): void {
    this.#child = null;
    if (this.#isStopping) return;
    const now = Date.now();
    this.#quickDeaths = now - startedAt < wellMs ? this.#quickDeaths + 1 : 0;
    this.#restarts = [...this.#restarts.filter((at) => now - at < restartWindowMs), now];
    if (this.#restarts.length > maxRestarts)
      return this.#watcher.onGiveUp(`${what} for the ${this.#restarts.length}th time in ten minutes; see ${this.#service.logFile}`);
    const delayMs = backOffMs[Math.min(this.#quickDeaths, backOffMs.length - 1)] ?? 4000;
    this.#watcher.onEvent(`${what}; starting it again`);
    this.#timer = setTimeout(() => {
      this.#service.beforeRestart?.(this.#quickDeaths);
      this.start();
    }, delayMs);
  }
}
