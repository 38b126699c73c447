// Talking to the Docker Engine: its errors as ours, and what is not there as null.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type Docker from 'dockerode';
import { AppError } from '../../contracts/errors.ts';

const TIMEOUT_MS = 60_000;
const AWAY = new Set(['ECONNREFUSED', 'ENOENT', 'EACCES', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

/** dockerode, loaded when there is an engine: with what it brings it takes some 20 MiB, which panels without one do not owe. */
export const loadDocker = (): typeof Docker => createRequire(import.meta.url)('dockerode') as typeof Docker;

export class Engine {
  readonly #socketPath: string;
  #quick: Docker | null = null;
  #patient: Docker | null = null;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** For short questions. @throws platform_failed when there is nothing at its socket's place */
  get quick(): Docker {
    this.#quick ??= this.#connect({ timeout: TIMEOUT_MS });
    return this.#quick;
  }

  /** For what ends when it ends: waiting for a container, its output, archives, a commit. @throws platform_failed */
  get patient(): Docker {
    this.#patient ??= this.#connect({});
    return this.#patient;
  }

  #connect(options: { timeout?: number }): Docker {
    if (!existsSync(this.#socketPath)) throw engineAway(Object.assign(new Error('no socket'), { code: 'ENOENT' }));
    return new (loadDocker())({ socketPath: this.#socketPath, ...options });
  }
}

/** The answer of the engine. @throws platform_failed */
export async function asking<T>(question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (error) {
    throw explain(error);
  }
}

/** The answer of the engine, or null when it says that the thing is not there. @throws platform_failed */
export async function ifThere<T>(question: Promise<T>): Promise<T | null> {
  try {
    return await question;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw explain(error);
  }
}

/** HTTP status that the engine answered with; null when it did not answer. */
export const statusOf = (error: unknown): number | null =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : null;

/** Whether the engine could not be asked at all. */
export const isAway = (error: unknown): boolean => error instanceof Error && 'code' in error && AWAY.has(String(error.code));

const engineAway = (cause: unknown): AppError => new AppError('platform_failed', { reason: 'the Docker Engine does not answer.' }, { cause });

function explain(error: unknown): unknown {
  if (isAway(error)) return engineAway(error);
  if (statusOf(error) === null || !(error instanceof Error)) return error;
  return new AppError('platform_failed', { reason: `the Docker Engine says “${sentenceOf(error)}”.` }, { cause: error });
}

/** dockerode puts `(HTTP code 500) server error - ` before the engine's own words. */
export const sentenceOf = (error: Error): string => error.message.replace(/^\(HTTP code \d+\) [^-]*- /, '').trim();
