// The one kept ssh connection to a Dokku host: opened when first needed, its host key pinned, a channel for each command.

import { createHash } from 'node:crypto';

import ssh2, { type Client } from 'ssh2';

import { AppError } from '../../contracts/errors.ts';
import type { DokkuCommand, DokkuResult } from '../dokku-commands.ts';
import type { Secret } from '../secret.ts';
import { type DokkuIo, NotSent, runOnChannel } from './channel.ts';

export type DokkuHost = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Private key, OpenSSH or PEM, without a passphrase. */
  readonly privateKey: Secret;
  /** Fingerprint that the host must show (`SHA256:…`, of its ed25519 key if it has one); null keeps the first one that is seen. */
  readonly hostKey: string | null;
  /** Limit for connecting and signing in; default 10 s. */
  readonly connectMs?: number;
  /** Pause between two questions whether the host is there; three without an answer end the connection. Default 10 s. */
  readonly keepaliveMs?: number;
};

/** `downSince` and `reason` (“it refuses connections on port 22”) stay until it is up again; null before the first attempt. */
export type DokkuConnectionState = { readonly isUp: boolean; readonly downSince: Date | null; readonly reason: string | null };

/** Commands at once; sshd allows 10 channels on a connection (MaxSessions). */
const CHANNELS = 8;
const UP: DokkuConnectionState = { isUp: true, downSince: null, reason: null };

/** Opens itself again with the next command after it was lost. */
export class DokkuConnection {
  readonly #options: Required<DokkuHost>;
  readonly #turns = new Turns(CHANNELS);
  /** Commands under way, by the connection that they run on. */
  readonly #running = new Map<Client, number>();
  #client: Client | null = null;
  #opening: Promise<Client> | null = null;
  /** The newest one, signed in or not. */
  #fresh: Client | null = null;
  #hostKey: string | null;
  #state: DokkuConnectionState = { isUp: false, downSince: null, reason: null };
  #isClosed = false;
  #isRetired = false;

  constructor(options: DokkuHost) {
    this.#options = { connectMs: 10_000, keepaliveMs: 10_000, ...options };
    this.#hostKey = options.hostKey;
  }

  /** The fingerprint that is required from now on; null while none was given or seen. Store it after the first command. */
  hostKey(): string | null {
    return this.#hostKey;
  }

  state(): DokkuConnectionState {
    return this.#state;
  }

  /**
   * Sends one command and waits for its end, whatever its exit code. At most 8 run at once; the others wait, and their
   * time limit begins when they are sent. Aborting does not stop what the host has begun.
   * @throws host_unreachable, host_key_changed, host_refuses_key (nothing was sent); outcome_unknown (it was); the signal's reason
   */
  async run(command: DokkuCommand, io: DokkuIo = {}): Promise<DokkuResult> {
    if (this.#isClosed) throw new Error('This connection was closed');
    if (command.takesInput !== (io.input !== undefined))
      throw new Error(`Input of ${command.line.split(' ')[0]}: ${command.takesInput ? 'missing' : 'unexpected'}`);
    const stop = new AbortController();
    const signal = io.signal === undefined ? stop.signal : AbortSignal.any([io.signal, stop.signal]);
    const input = Buffer.isBuffer(io.input) ? undefined : io.input;
    const stopBy = (error: unknown): void => stop.abort(error);
    io.output?.on('error', stopBy);
    input?.on('error', stopBy).once('close', () => input.readableEnded || stopBy(new Error('The input was closed before its end')));
    if (input?.destroyed === true) stopBy(new Error('The input was closed before its start'));
    try {
      return await this.#turns.take(signal, () => this.#runOnce(command, { ...io, signal }));
    } catch (error) {
      io.output?.destroy();
      throw error;
    } finally {
      input?.destroy();
    }
  }

  /** From now on a connection lasts only as long as commands run on it; a later command still opens one. */
  retire(): void {
    this.#isRetired = true;
    if (this.#client !== null) this.#endIfIdle(this.#client);
  }

  /** Ends the connection for good; commands under way end with `outcome_unknown`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const client of this.#running.keys()) client.end();
    this.#client?.end();
    this.#fresh?.destroy();
    await this.#opening?.catch(() => null);
  }

  /** A host that opens no more channels on this connection (those of aborted commands may still be held) gets another one, once. */
  async #runOnce(command: DokkuCommand, io: DokkuIo & { readonly signal: AbortSignal }, isAgain = false): Promise<DokkuResult> {
    const client = await orAborted(this.#connected(), io.signal);
    this.#running.set(client, (this.#running.get(client) ?? 0) + 1);
    try {
      return await runOnChannel(client, command, { ...io, host: this.#options.host });
    } catch (error) {
      if (!(error instanceof NotSent)) throw error;
      if (isAgain) throw this.#unreachable('it opens no channel for another command', error);
      if (this.#client === client) this.#client = null;
    } finally {
      this.#finished(client);
    }
    return this.#runOnce(command, io, true);
  }

  /** A connection that was left, or of which nobody needs more, ends with its last command. */
  #finished(client: Client): void {
    const left = (this.#running.get(client) ?? 1) - 1;
    if (left > 0) this.#running.set(client, left);
    else this.#running.delete(client);
    if (client !== this.#client || this.#isRetired) this.#endIfIdle(client);
  }

  #endIfIdle(client: Client): void {
    if (this.#running.has(client)) return;
    if (this.#client === client) this.#client = null;
    client.end();
  }

  async #connected(): Promise<Client> {
    if (this.#client !== null) return this.#client;
    this.#opening ??= this.#open().finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #open(): Promise<Client> {
    try {
      const client = await this.#signIn();
      if (this.#isClosed) client.end();
      this.#client = client;
      // Those who wait for it come first; they may have left meanwhile.
      if (this.#isRetired) setImmediate(() => this.#endIfIdle(client));
      this.#state = UP;
      client.once('error', (error: Error & { level?: string }) =>
        this.#lost(client, error.level === 'client-timeout' ? `it has not answered for ${(3 * this.#options.keepaliveMs) / 1000} seconds` : error.message),
      );
      client.once('close', () => this.#lost(client, 'it closed the connection'));
      return client;
    } catch (error) {
      this.#isDown(error instanceof AppError ? String(error.details['reason'] ?? error.message) : String(error));
      throw error;
    }
  }

  #lost(client: Client, reason: string): void {
    if (this.#client !== client) return;
    this.#client = null;
    this.#isDown(reason);
  }

  #isDown(reason: string): void {
    this.#state = { isUp: false, downSince: this.#state.downSince ?? new Date(), reason };
  }

  #signIn(): Promise<Client> {
    const { host, port, user, privateKey, connectMs, keepaliveMs } = this.#options;
    const client = new ssh2.Client();
    this.#fresh = client;
    client.setMaxListeners(0); // one for each command under way
    let shown: string | null = null;
    return new Promise((resolve, reject) => {
      client.on('error', (error) => reject(this.#refusal(error, shown)));
      client.once('close', () => reject(this.#unreachable('it closed the connection')));
      client.once('ready', () => {
        this.#hostKey ??= shown;
        resolve(client);
      });
      try {
        client.connect({
          host,
          port,
          username: user,
          privateKey: privateKey.open(),
          authHandler: ['publickey'],
          readyTimeout: connectMs,
          keepaliveInterval: keepaliveMs,
          keepaliveCountMax: 3,
          hostVerifier: (key: Buffer): boolean => {
            shown = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
            return this.#hostKey === null || this.#hostKey === shown;
          },
        });
        // A command is several small packets; the kernel would hold each back until the one before it was acknowledged (40 ms).
        client.setNoDelay(true);
      } catch (error) {
        reject(new AppError('platform_failed', { reason: 'The panel’s own key for the Dokku host cannot be read.' }, { cause: error }));
      }
    });
  }

  #refusal(error: Error & { level?: string; code?: string }, shown: string | null): AppError {
    const { host, port, connectMs } = this.#options;
    if (shown !== null && this.#hostKey !== null && shown !== this.#hostKey) return new AppError('host_key_changed', { host, found: shown }, { cause: error });
    if (error.level === 'client-authentication') return new AppError('host_refuses_key', { host }, { cause: error });
    if (error.level === 'client-timeout' || error.code === 'ETIMEDOUT') return this.#unreachable(`it did not answer within ${connectMs / 1000} seconds`, error);
    if (error.code === 'ECONNREFUSED') return this.#unreachable(`it refuses connections on port ${port}`, error);
    if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') return this.#unreachable('no address is known for this name', error);
    if (error.code === 'EHOSTUNREACH' || error.code === 'ENETUNREACH') return this.#unreachable('the network knows no way to it', error);
    return this.#unreachable(error.code === 'ECONNRESET' ? 'it closed the connection' : error.message, error);
  }

  #unreachable(reason: string, cause?: unknown): AppError {
    return new AppError('host_unreachable', { host: this.#options.host, port: this.#options.port, reason }, { cause });
  }
}

/** Lets so many in at once, the others in the order in which they came. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  /** @throws the signal's reason when it aborts before the turn came, and whatever `work` throws */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(enter);
    });
  }
}

/** Waits for what others wait for too: leaving does not stop it. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const left = new AbortController();
  const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: left.signal }));
  try {
    return await Promise.race([work, aborted]);
  } finally {
    left.abort();
  }
}
