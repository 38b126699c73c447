// One command on one channel of an open ssh connection: input, output as it comes, limits, and how it ended.

import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';

import type { Client, ClientChannel } from 'ssh2';

import { AppError } from '../../contracts/errors.ts';
import type { DokkuCommand, DokkuResult } from '../dokku-commands.ts';

/** What goes in and out besides the result. Streams are ended or destroyed whatever happens. */
export type DokkuIo = {
  /** For commands that take input, and only for them. */
  readonly input?: Buffer | Readable;
  /** Receives stdout and stderr as they come, whole UTF-8 characters, any chunking. */
  readonly onOutput?: (text: string) => void;
  /** Receives stdout as bytes; the result's `stdout` is then empty. It is waited for. */
  readonly output?: Writable;
  readonly signal?: AbortSignal;
};

/** The host opened no channel, or the connection broke before: nothing was sent. */
export class NotSent extends Error {
  constructor(cause: unknown) {
    super('No channel', { cause });
    this.name = 'NotSent';
  }
}

/** How much of the end of each stream is kept. */
const MAX_CAPTURE_BYTES = 32 * 1024 * 1024;

/**
 * Runs a command and waits for its end; one that the host killed has exit code 255. When the signal aborts, only the
 * channel is closed: what the host has begun it may finish.
 * @throws NotSent; the signal's reason; outcome_unknown when the connection broke or the command's time was over
 */
export const runOnChannel = (client: Client, command: DokkuCommand, io: ChannelIo): Promise<DokkuResult> => new Errand(client, command, io).run();

type ChannelIo = DokkuIo & { readonly signal: AbortSignal; readonly host: string };

/** One command under way; ends once, by whatever comes first. */
class Errand {
  readonly #client: Client;
  readonly #command: DokkuCommand;
  readonly #io: ChannelIo;
  #channel: ClientChannel | null = null;
  #hasExitCode = false;
  #isSettled = false;

  constructor(client: Client, command: DokkuCommand, io: ChannelIo) {
    this.#client = client;
    this.#command = command;
    this.#io = io;
  }

  run(): Promise<DokkuResult> {
    const { signal } = this.#io;
    const { timeoutMs, line } = this.#command;
    return new Promise((resolve, reject) => {
      const settle = (end: () => void): void => {
        if (this.#isSettled) return;
        this.#isSettled = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        this.#client.removeListener('close', broken);
        end();
      };
      const fail = (error: unknown): void =>
        settle(() => {
          this.#channel?.close();
          reject(error);
        });
      const abort = (): void => fail(signal.reason);
      // Without a channel the callback of exec is told next.
      const broken = (): void => (this.#channel === null || this.#isWhole() ? undefined : fail(this.#outcomeUnknown('the connection broke')));
      const timer = setTimeout(() => fail(this.#outcomeUnknown(`it took longer than ${timeoutMs / 1000} seconds`)), timeoutMs);
      signal.addEventListener('abort', abort, { once: true });
      this.#client.once('close', broken);
      try {
        this.#client.exec(line, (error, channel) => {
          this.#opened(error, channel).then((result) => settle(() => resolve(result)), fail);
        });
      } catch (error) {
        fail(new NotSent(error));
      }
    });
  }

  async #opened(error: Error | undefined, channel: ClientChannel): Promise<DokkuResult> {
    // “Unable to exec” comes after the command was sent; every other error before.
    if (error !== undefined) throw error.message === 'Unable to exec' ? this.#outcomeUnknown('the connection broke') : new NotSent(error);
    if (this.#isSettled) {
      channel.close();
      throw new NotSent('aborted');
    }
    this.#channel = channel;
    channel.once('exit', () => (this.#hasExitCode = true));
    feed(channel, this.#io.input);
    const { exitCode, ...outputs } = await follow(channel, this.#io);
    if (exitCode === undefined) throw this.#outcomeUnknown('the host closed the channel without an exit code');
    return { exitCode: exitCode ?? 255, ...outputs };
  }

  /** The exit code may come before the last of the output: only both are an end. */
  #isWhole(): boolean {
    return this.#hasExitCode && this.#channel !== null && this.#channel.readableEnded && (this.#channel.stderr as Readable).readableEnded;
  }

  /** Only the command's name is told: its words may hold values. */
  #outcomeUnknown(reason: string): AppError {
    return new AppError('outcome_unknown', { what: this.#command.line.replace(/^--quiet /, '').split(' ')[0] ?? '', host: this.#io.host, reason });
  }
}

function feed(channel: ClientChannel, input: Buffer | Readable | undefined): void {
  // A program that does not read to the end is no error.
  channel.on('error', () => undefined);
  if (input === undefined) channel.end();
  else if (Buffer.isBuffer(input)) channel.end(input);
  else input.pipe(channel);
}

/** Reads both outputs to their end; null is the exit code of what a signal ended, undefined when the host told none. */
async function follow(channel: ClientChannel, { onOutput, output }: DokkuIo): Promise<{ exitCode: number | null | undefined; stdout: string; stderr: string }> {
  const stdout = output === undefined ? capture(channel, onOutput) : passOn(channel, output);
  const stderr = capture(channel.stderr, onOutput);
  const [exitCode] = await Promise.all([closed(channel), closed(channel.stderr)]);
  return { exitCode, stdout: await stdout(), stderr: await stderr() };
}

const closed = (stream: Readable): Promise<number | null | undefined> => new Promise((resolve) => stream.once('close', resolve));

/** Keeps the end of a stream and passes all of it on as text. */
function capture(stream: Readable, onOutput: DokkuIo['onOutput']): () => Promise<string> {
  const chunks: Buffer[] = [];
  const decoder = new StringDecoder('utf8');
  let sizeBytes = 0;
  const tell = (text: string): void => {
    if (text !== '') onOutput?.(text);
  };
  stream.on('data', (chunk: Buffer) => {
    tell(decoder.write(chunk));
    chunks.push(chunk);
    sizeBytes += chunk.length;
    while (chunks.length > 1 && sizeBytes - (chunks[0]?.length ?? 0) >= MAX_CAPTURE_BYTES) sizeBytes -= chunks.shift()?.length ?? 0;
  });
  stream.once('end', () => tell(decoder.end()));
  return () => Promise.resolve(Buffer.concat(chunks).subarray(-MAX_CAPTURE_BYTES).toString('utf8'));
}

/** Passes bytes on no faster than they are taken; its errors reach the caller by the signal (see connection.ts). */
function passOn(stream: Readable, output: Writable): () => Promise<string> {
  stream.on('data', (chunk: Buffer) => {
    if (output.destroyed || output.write(chunk)) return;
    stream.pause();
    output.once('drain', () => stream.resume());
  });
  return async () => {
    output.end();
    await finished(output);
    return '';
  };
}
