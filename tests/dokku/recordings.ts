// Reads what a real Dokku 0.38.27 answered; see README.md beside it.

import { readFileSync } from 'node:fs';
import path from 'node:path';

export type Recording = {
  readonly name: string;
  readonly via: 'ssh' | 'git';
  /** The exact string on the wire; empty for git. */
  readonly line: string;
  readonly stdin: string;
  /** Bytes in latin1 when the output was not text. */
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
};

type Row = Omit<Recording, 'line'> & { readonly argv: readonly string[]; readonly stdoutEncoding?: 'base64' };

/** All recordings, in the order in which they were made. */
export const readRecordings = (): readonly Recording[] =>
  readFileSync(path.join(import.meta.dirname, 'recordings-0.38.27.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((row) => JSON.parse(row) as Row)
    .map((row) => ({
      name: row.name,
      via: row.via,
      line: row.via === 'ssh' ? (row.argv.at(-1) ?? '') : '',
      stdin: row.stdin ?? '',
      stdout: row.stdoutEncoding === 'base64' ? Buffer.from(row.stdout, 'base64').toString('latin1') : row.stdout,
      stderr: row.stderr,
      exitCode: row.exitCode,
    }));
