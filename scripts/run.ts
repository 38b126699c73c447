// Running a program to its end, perhaps as another user; argv instead of a shell.

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inheritedEnvironment } from './environment.ts';

/** A user of the system under whose id a service runs. */
export type Account = { readonly name: string; readonly uid: number; readonly gid: number };

export type Run = {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to what is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** True: nothing is inherited. */
  readonly isEnvWhole?: boolean;
  readonly cwd?: string;
  /** Null or left out: as we are. */
  readonly account?: Account | null;
  readonly input?: string;
  /** Default 60 s; then the program is killed. */
  readonly timeoutMs?: number;
  readonly onOutput?: (text: string) => void;
};

/** `exitCode` is null when a signal (or the time limit) ended it. */
export type RunResult = { readonly exitCode: number | null; readonly output: string };

/** Runs it; a program that cannot be started at all has exit code 127. */
export function run(command: Run): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command.file, [...command.args], {
      ...identityOf(command),
      cwd: command.cwd ?? '/',
      stdio: ['pipe', 'pipe', 'pipe'],
      // The terminal's Ctrl-C is for us; what is half done is ended in order.
      detached: true,
      timeout: command.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL',
    });
    const parts: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        parts.push(text);
        command.onOutput?.(text);
      });
    }
    child.once('error', (error) => resolve({ exitCode: 127, output: error.message }));
    child.once('close', (exitCode) => resolve({ exitCode, output: parts.join('') }));
    child.stdin.on('error', () => undefined).end(command.input ?? '');
  });
}

/** Runs it and returns its output. @throws with the last lines of its output when it fails */
export async function runOrThrow(command: Run, what: string): Promise<string> {
  const { exitCode, output } = await run(command);
  if (exitCode === 0) return output;
  throw new Error(`${what} failed${exitCode === null ? ' (killed, or it took too long)' : ''}: ${output.trim().split('\n').slice(-12).join('\n')}`);
}

/**
 * Starts a program that leaves a daemon behind. Its output goes through a file: a daemon that inherited a pipe of ours
 * would keep us waiting.
 */
export async function runDaemon(command: Omit<Run, 'input' | 'onOutput'>): Promise<RunResult> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'arboretum-run-'));
  const file = path.join(dir, 'output');
  const descriptor = openSync(file, 'w', 0o600);
  try {
    const exitCode = await new Promise<number | null>((resolve) => {
      const child = spawn(command.file, [...command.args], {
        ...identityOf(command),
        cwd: command.cwd ?? '/',
        stdio: ['ignore', descriptor, descriptor],
        detached: true,
        timeout: command.timeoutMs ?? 60_000,
        killSignal: 'SIGKILL',
      });
      child.once('error', () => resolve(127));
      child.once('exit', (code) => resolve(code));
    });
    return { exitCode, output: readFileSync(file, 'utf8') };
  } finally {
    closeSync(descriptor);
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Node drops supplementary groups when it changes the user id (libuv calls setgroups). */
function identityOf({ account, env, isEnvWhole }: Pick<Run, 'account' | 'env' | 'isEnvWhole'>): { uid?: number; gid?: number; env: Record<string, string> } {
  const base = { ...(isEnvWhole ? {} : inheritedEnvironment()), ...env };
  if (!account) return { env: base };
  return { uid: account.uid, gid: account.gid, env: { ...base, HOME: '/nonexistent', USER: account.name, LOGNAME: account.name } };
}
