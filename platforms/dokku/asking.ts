// Asking the Dokku host and changing something there, so that the truth is known afterwards.

import type { Readable, Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../contracts/errors.ts';
import { appsLocked, appsUnlock, buildsCancel, buildsList, type DokkuCommand, type DokkuResult } from '../dokku-commands.ts';
import { type DokkuFailureKind, explainFailure } from '../dokku-failures.ts';
import { readBuilds } from '../dokku-reports.ts';
import type { Host } from './host.ts';

export type Io = {
  readonly input?: Buffer | Readable;
  /** Receives stdout as bytes. */
  readonly output?: Writable;
  readonly onOutput?: (text: string) => void;
  readonly signal?: AbortSignal;
};

const POLL_MS = 500;
/** How long a deploy that outlived its client may go on before it is cancelled. */
const DEPLOY_WAIT_MS = 3 * 60_000;
const CANCEL_WAIT_MS = 60_000;

/** Whether nobody knows how a command ended: the connection broke after it was sent, or it took too long. */
export const isUnknown = (error: unknown): boolean => error instanceof AppError && error.code === 'outcome_unknown';

/** Asks something that changes nothing; when the connection breaks it is asked once more. @throws platform_failed with Dokku's reason */
export async function ask(host: Host, command: DokkuCommand, io: Io = {}): Promise<DokkuResult> {
  const result = await tryToAsk(host, command, io);
  if (result.exitCode === 0) return result;
  throw failure(command, result);
}

/** As `ask`, with the answer whatever the exit code is. */
export async function tryToAsk(host: Host, command: DokkuCommand, io: Io = {}): Promise<DokkuResult> {
  try {
    return await host.connection.run(command, io);
  } catch (error) {
    if (!isUnknown(error) || io.input !== undefined || io.output !== undefined) throw error;
    return await host.connection.run(command, io);
  }
}

export type Change = Io & {
  /** Kinds of failure that leave what was wanted, for example `exists`. */
  readonly fine?: readonly DokkuFailureKind[];
  /** The app whose deploy the command may leave behind; without it the command starts none. */
  readonly app?: string;
  /** Whether things are as they should be after the command; asked when nobody knows how it ended. */
  readonly isDone: () => Promise<boolean>;
};

/**
 * Runs a command that changes something. When its outcome is unknown, what it may have left is waited for and the state
 * itself is asked: it goes on when that is what was wanted.
 * @returns null when only the state told that it was done
 * @throws platform_failed with Dokku's reason, or saying that it was not done
 */
export async function change(host: Host, command: DokkuCommand, { fine = [], app, isDone, ...io }: Change): Promise<DokkuResult | null> {
  io.signal?.throwIfAborted();
  try {
    const result = await host.connection.run(command, io);
    if (result.exitCode === 0 || fine.includes(explainFailure(command, result).kind)) return result;
    throw failure(command, result);
  } catch (error) {
    if (app !== undefined && (isUnknown(error) || io.signal?.aborted === true)) host.settled.delete(app);
    if (!isUnknown(error) || io.signal?.aborted === true) throw error;
    if (app !== undefined) await settle(host, app);
    if (await isDone()) return null;
    throw lost(command, error);
  }
}

/** The error that a failed command means. */
export function failure(command: DokkuCommand, result: DokkuResult): AppError {
  const { sentence, detail } = explainFailure(command, result);
  return detail === null ? new AppError('platform_failed', { reason: sentence }) : new AppError('host_command_failed', { reason: sentence, lastLine: detail });
}

const lost = (command: DokkuCommand, cause: unknown): AppError => {
  const name = command.line.replace(/^--quiet /, '').split(' ')[0] ?? '';
  return new AppError('platform_failed', { reason: `the connection to the Dokku host broke during ${name}, and it was not done.` }, { cause });
};

/**
 * Makes sure that no deploy of an app is under way that somebody left behind. The live one is waited for, since a
 * deploy that is cancelled may leave a container that nobody sees; `now` cancels at once, where nothing can run.
 */
export async function settle(host: Host, app: string, how: 'wait' | 'now' = 'wait'): Promise<void> {
  if (host.settled.has(app)) return;
  const deadline = Date.now() + (how === 'wait' ? DEPLOY_WAIT_MS : 0);
  let isCancelled = false;
  for (;;) {
    if (!(await isDeploying(host, app))) break;
    if (!isCancelled && Date.now() >= deadline) {
      // The list goes by process ids, which may be somebody else's by now; this one looks at the lock.
      if ((await ask(host, buildsCancel(app))).stdout.includes('not currently deploying')) break;
      isCancelled = true;
    }
    if (Date.now() > deadline + CANCEL_WAIT_MS)
      throw new AppError('platform_failed', { reason: 'another deploy of this experiment on the Dokku host does not end.' });
    await pause(POLL_MS);
  }
  await freeLock(host, app);
  host.settled.add(app);
}

/** A deploy that was killed leaves its lock, and every later one is refused. Only called when none is under way. */
async function freeLock(host: Host, app: string): Promise<void> {
  if ((await tryToAsk(host, appsLocked(app))).exitCode !== 0) return;
  await change(host, appsUnlock(app), { fine: ['not_locked'], isDone: async () => (await tryToAsk(host, appsLocked(app))).exitCode !== 0 });
}

async function isDeploying(host: Host, app: string): Promise<boolean> {
  const command = buildsList(app);
  const result = await tryToAsk(host, command);
  if (result.exitCode === 0) return readBuilds(result.stdout).some(({ status }) => status === 'running');
  if (explainFailure(command, result).kind === 'app_missing') return false;
  throw failure(command, result);
}
