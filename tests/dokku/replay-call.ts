// One command on its way through the replay host: what came in, where its words go, and the ways in which it ends.

import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { recorded, substitute } from './replay-recordings.ts';
import { type Arguments, readArguments } from './replay-words.ts';

export type Call = {
  readonly command: string;
  readonly words: readonly string[];
  readonly isQuiet: boolean;
  readonly isForced: boolean;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Set off when the client has gone; the command goes on all the same. */
  readonly gone: AbortSignal;
};

/** Ends a command with the words and the exit code of a record. */
export class Refused extends Error {
  readonly record: string;
  readonly names: Readonly<Record<string, string>>;
  /** Build commands write their errors to stdout. @see git-from-archive-same */
  readonly isMerged: boolean;
  constructor(record: string, names: Readonly<Record<string, string>> = {}, isMerged = false) {
    super(record);
    [this.record, this.names, this.isMerged] = [record, names, isMerged];
  }
}

/** A command, a flag or a situation of which there is no record: an error of the test. */
export class Unrecorded extends Error {}

/** Answers as recorded, with other names in it. Returns the recorded exit code. */
export function say(call: Pick<Call, 'stdout' | 'stderr'>, record: string, names: Readonly<Record<string, string>> = {}): number {
  const { stdout, stderr, exitCode } = recorded(record);
  if (stdout !== '') call.stdout.write(substitute(stdout, names));
  if (stderr !== '') call.stderr.write(substitute(stderr, names));
  return exitCode;
}

/** Flags and words of a call. @throws Unrecorded for a flag that is not known here */
export function argumentsOf(call: Call, known: Readonly<Record<string, boolean>> = {}): Arguments & { place: (index: number) => string } {
  const found = readArguments(call.words, known);
  if (found === null) throw new Unrecorded(`a flag of ${call.command}`);
  return {
    ...found,
    place: (index) => {
      const word = found.places[index];
      if (word === undefined) throw index === 0 ? new Refused('apps-create-noname') : new Unrecorded(`${call.command} with too few words`);
      return word;
    },
  };
}

/** Reads all of stdin. */
export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Passes on what a program writes and hands back its exit code; a client that has gone does not hold the program up. */
export async function passOn(child: ChildProcess, { stdout, stderr, gone }: Pick<Call, 'stdout' | 'stderr' | 'gone'>): Promise<number> {
  const forward = (source: Readable | null, target: Writable): void => {
    source?.on('data', (chunk: Buffer) => {
      if (gone.aborted || target.write(chunk)) return;
      source.pause();
      const goOn = () => {
        target.off('drain', goOn);
        gone.removeEventListener('abort', goOn);
        source.resume();
      };
      target.once('drain', goOn);
      gone.addEventListener('abort', goOn);
    });
  };
  forward(child.stdout, stdout);
  forward(child.stderr, stderr);
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
