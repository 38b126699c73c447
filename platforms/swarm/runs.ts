// Running a container once, to its end: output as it comes, a time limit, an abort, a watch over its disk, and nothing left.

import { PassThrough } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type Docker from 'dockerode';
import { AppError } from '../../contracts/errors.ts';
import type { CommandResult } from '../run-command.ts';
import { asking, ifThere, statusOf } from './engine.ts';
import type { Ground } from './ground.ts';

export type ContainerRun = {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Receives stdout and stderr as they come. */
  readonly onOutput?: (text: string) => void;
  /** How large its own layer may grow; not watched when left out. */
  readonly diskMib?: number;
};

export type ContainerResult = Pick<CommandResult, 'exitCode' | 'stdout' | 'stderr' | 'isTimedOut'> & {
  /** The kernel ended one of its processes for its memory. */
  readonly isOutOfMemory: boolean;
  readonly isTooLarge: boolean;
};

const MAX_CAPTURE_BYTES = 1024 * 1024;
const DISK_CHECK_MS = 2000;
/** How long output is still read after the container has ended. */
const DRAIN_MS = 2000;

/** Makes a container, hands it over, and removes it whatever happens. @throws platform_failed */
export async function withContainer<T>(ground: Ground, spec: Docker.ContainerCreateOptions, work: (container: Docker.Container) => Promise<T>): Promise<T> {
  const { id } = await asking(ground.engine.quick.createContainer(spec));
  const container = ground.engine.patient.getContainer(id);
  try {
    return await work(container);
  } finally {
    await removeContainer(ground, id);
  }
}

/** Ends and removes a container with its volumes. Gone already: returns. */
export async function removeContainer(ground: Ground, id: string): Promise<void> {
  try {
    await ifThere(ground.engine.patient.getContainer(id).remove({ force: true, v: true }));
  } catch (error) {
    // Somebody else is removing it just now.
    if (!(error instanceof AppError) || statusOf(error.cause) !== 409) throw error;
  }
}

/** Starts a container that was made and waits for its end. @throws the signal's reason when aborted; platform_failed */
export async function runToEnd(container: Docker.Container, run: ContainerRun): Promise<ContainerResult> {
  run.signal.throwIfAborted();
  const stream = await asking(container.attach({ stream: true, stdout: true, stderr: true }));
  const output = capture(container, stream, run.onOutput);
  const over = new AbortController();
  const kill = (): void => void container.kill().catch(() => undefined); // it may have ended by itself
  run.signal.addEventListener('abort', kill, { once: true });
  const timer = setTimeout(() => {
    over.abort('time');
    kill();
  }, run.timeoutMs);
  try {
    await asking(container.start());
    const watching = watchDisk(container, run.diskMib, { over, kill });
    const { StatusCode } = (await asking(container.wait())) as { StatusCode: number };
    const { State } = await asking(container.inspect());
    const reason: unknown = over.signal.reason;
    over.abort('ended');
    await watching;
    await Promise.race([finished(stream).catch(() => undefined), pause(DRAIN_MS)]);
    run.signal.throwIfAborted();
    const { stdout, stderr } = output();
    return { exitCode: StatusCode, stdout, stderr, isTimedOut: reason === 'time', isTooLarge: reason === 'disk', isOutOfMemory: State.OOMKilled };
  } finally {
    clearTimeout(timer);
    over.abort('ended');
    run.signal.removeEventListener('abort', kill);
  }
}

/** The end of both streams, decoded; what is asked for at the end is all that came. */
function capture(container: Docker.Container, stream: NodeJS.ReadableStream, onOutput?: (text: string) => void): () => { stdout: string; stderr: string } {
  const kept = { stdout: '', stderr: '' };
  const into = (name: 'stdout' | 'stderr'): PassThrough => {
    const [sink, decoder] = [new PassThrough(), new StringDecoder('utf8')];
    sink.on('data', (chunk: Buffer) => {
      const text = decoder.write(chunk);
      kept[name] = (kept[name] + text).slice(-MAX_CAPTURE_BYTES);
      onOutput?.(text);
    });
    return sink;
  };
  (container.modem as Docker['modem']).demuxStream(stream, into('stdout'), into('stderr'));
  return () => ({ ...kept });
}

/** Docker limits a layer on few file systems only, so it is looked at. */
async function watchDisk(container: Docker.Container, diskMib: number | undefined, { over, kill }: { over: AbortController; kill: () => void }): Promise<void> {
  if (diskMib === undefined) return;
  while (!over.signal.aborted) {
    await pause(DISK_CHECK_MS, undefined, { signal: over.signal }).catch(() => undefined);
    if (over.signal.aborted) return;
    const seen = (await container.inspect({ size: true } as Docker.ContainerInspectOptions).catch(() => null)) as { SizeRw?: number } | null;
    if ((seen?.SizeRw ?? 0) <= diskMib * 1024 * 1024) continue;
    over.abort('disk');
    kill();
  }
}
