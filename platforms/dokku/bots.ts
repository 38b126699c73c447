// Playing a project's bots: in memory, in a one-off container of the second app that knows no database, beside whatever runs.

import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { writeFile } from 'node:fs/promises';
import { AppError } from '../../contracts/errors.ts';
import { BOTS_LIMIT_MS, botsOutput, explainBots } from '../bots.ts';
import type { BotsRun, InstanceSpec } from '../platform.ts';
import type { Host } from './host.ts';
import { runLauncher } from './runs.ts';

/** What the launcher begins its lines of packed data with, and the exit codes of its own limit and of a command that it does not know. */
const DATA = 'ARBORETUM-BOTS-DATA ';
const OVER_TIME = 75;
const USAGE = 64;
/** The container ends itself at the limit; this is for making and removing it. */
const AROUND_MS = 90_000;
/** What is kept of their words, to tell why they failed. */
const KEPT_CHARS = 100_000;

/**
 * A play that was cancelled goes on in its container until its limit: Dokku ends nothing with a channel. It knows no database.
 * @see Platform.playBots
 */
export async function playBots(host: Host, spec: InstanceSpec, run: BotsRun): Promise<void> {
  const wanted = [run.config, run.participants === null ? '' : String(run.participants), run.exportTo !== null, BOTS_LIMIT_MS / 1000];
  const maxBytes = spec.limits.diskMib * 1024 * 1024;
  let [data, said] = [new BotsData(maxBytes, run.onOutput), ''];
  const { exitCode } = await runLauncher(host, spec, {
    release: run.releaseNumber,
    command: 'bots',
    words: [Buffer.from(JSON.stringify(wanted)).toString('base64')],
    openDatabase: () => Promise.resolve('none'),
    timeoutMs: BOTS_LIMIT_MS + AROUND_MS,
    signal: run.signal,
    onBuild: run.onOutput,
    onOutput: (text) => {
      said = (said + text).slice(-KEPT_CHARS);
      run.onOutput(botsOutput(text));
    },
    openOutput: () => (data = new BotsData(maxBytes, run.onOutput)),
  });
  if (exitCode === USAGE) throw failed(run, 'this version was made by an older panel. Push a new commit, and they can play it.');
  if (exitCode !== 0) throw explainBots({ exitCode, stdout: data.words, stderr: said, isTimedOut: exitCode === OVER_TIME }, run.config);
  if (data.isTooLarge) throw failed(run, `the bots wrote more than the ${spec.limits.diskMib} MiB that the instance may.`);
  if (run.exportTo !== null) await writeFile(run.exportTo, data.packed(), { mode: 0o600 });
}

const failed = ({ config }: BotsRun, reason: string): AppError => new AppError('bots_failed', { config, reason });

/** Takes the launcher's stdout apart: words for people go on as they come, lines of data are kept. */
class BotsData extends Writable {
  /** The last of what is for people. */
  words = '';
  isTooLarge = false;
  readonly #maxBytes: number;
  readonly #onWords: (text: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  readonly #pieces: Buffer[] = [];
  #sizeBytes = 0;
  #rest = '';

  constructor(maxBytes: number, onWords: (text: string) => void) {
    super();
    [this.#maxBytes, this.#onWords] = [maxBytes, onWords];
  }

  packed(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    this.#take(lines.map((line) => `${line}\n`));
    done();
  }

  override _final(done: () => void): void {
    this.#take([this.#rest + this.#decoder.end()]);
    done();
  }

  #take(lines: readonly string[]): void {
    for (const line of lines.filter((one) => one.startsWith(DATA))) this.#keep(Buffer.from(line.slice(DATA.length), 'base64'));
    const text = botsOutput(lines.filter((line) => !line.startsWith(DATA)).join(''));
    if (text === '') return;
    this.words = (this.words + text).slice(-KEPT_CHARS);
    this.#onWords(text);
  }

  #keep(piece: Buffer): void {
    this.#sizeBytes += piece.length;
    this.isTooLarge ||= this.#sizeBytes > this.#maxBytes;
    if (!this.isTooLarge) this.#pieces.push(piece);
  }
}
