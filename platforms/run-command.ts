// Running one program: argv instead of a shell, a time limit, an abort signal, bounded memory, and no orphans.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

export type Command = {
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment of the program; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Becomes the program's standard input; none when left out. */
  readonly input?: Readable;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Receives stdout and stderr as they come, as UTF-8 text in any chunking. */
  readonly onOutput?: (text: string) => void;
  /** How much of the *end* of each stream is kept, bytes (default 1 MiB). */
  readonly maxCaptureBytes?: number;
};

export type CommandResult = {
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly endedBySignal: NodeJS.Signals | null;
  readonly isTimedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
};

/** How long output is still read after the program has ended. */
const DRAIN_MS = 1000;

/**
 * Runs a program in a process group of its own and waits for its end. The whole group is killed when the time is over,
 * when the signal aborts, and when the program ends but leaves children behind.
 * @throws the signal's reason when aborted; the system's error when the program cannot be started
 */
export async function runCommand(command: Command): Promise<CommandResult> {
  command.signal?.throwIfAborted();
  const child = spawn(command.file, [...command.args], {
    env: { ...command.env },
    cwd: command.cwd,
    detached: true,
    stdio: [command.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const endGroup = (): void => killGroup(child);
  let isTimedOut = false;
  const timer = setTimeout(() => {
    isTimedOut = true;
    endGroup();
  }, command.timeoutMs);
  command.signal?.addEventListener('abort', endGroup, { once: true });
  const stdout = capture(child.stdout, command);
  const stderr = capture(child.stderr, command);
  try {
    const feeding = feed(child, command.input);
    const end = await ended(child);
    const inputError = await feeding;
    command.signal?.throwIfAborted();
    if (inputError !== null) throw inputError;
    return { ...end, isTimedOut, stdout: stdout(), stderr: stderr() };
  } finally {
    clearTimeout(timer);
    command.signal?.removeEventListener('abort', endGroup);
  }
}

const killGroup = (child: ChildProcess): void => {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // the group is gone already
  }
};

const ended = (child: ChildProcess): Promise<Pick<CommandResult, 'exitCode' | 'endedBySignal'>> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => {
      // What the program left running would hold the pipes open: it is ended, and what left the group is not listened to.
      killGroup(child);
      setTimeout(() => [child.stdout, child.stderr].forEach((stream) => stream?.destroy()), DRAIN_MS).unref();
    });
    child.once('close', (exitCode, endedBySignal) => resolve({ exitCode, endedBySignal }));
  });

/** Pipes the input; a program that does not read to the end is no error, an input that breaks is. */
function feed(child: ChildProcess, input: Readable | undefined): Promise<Error | null> {
  const stdin = child.stdin;
  if (input === undefined || stdin === null) return Promise.resolve(null);
  return new Promise((resolve) => {
    stdin.on('error', () => {});
    input.once('error', (error: Error) => {
      killGroup(child);
      resolve(error);
    });
    input.once('close', () => resolve(null));
    child.once('close', () => {
      input.destroy();
      resolve(null);
    });
    input.pipe(stdin);
  });
}

/** Keeps the end of a stream and passes all of it on as text. */
function capture(stream: Readable | null, { onOutput, maxCaptureBytes = 1024 * 1024 }: Command): () => string {
  const chunks: Buffer[] = [];
  const decoder = new StringDecoder('utf8');
  let sizeBytes = 0;
  stream?.on('data', (chunk: Buffer) => {
    onOutput?.(decoder.write(chunk));
    chunks.push(chunk);
    sizeBytes += chunk.length;
    while (chunks.length > 1 && sizeBytes - (chunks[0]?.length ?? 0) >= maxCaptureBytes) sizeBytes -= chunks.shift()?.length ?? 0;
  });
  return () => Buffer.concat(chunks).subarray(-maxCaptureBytes).toString('utf8');
}
