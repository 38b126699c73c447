// From words to the one line that Dokku gets over ssh: its two ways of splitting, and the words that it would take for itself.

/** Length at which a line is refused, bytes: Linux passes it to Dokku as one environment string, which ends at 128 KiB (30 KB were tried). */
const MAX_LINE_BYTES = 100_000;
/** Dokku runs `echo` on each word, which takes these for its own and prints nothing (`-nE` as well). @see dokku 0.38 recording run-word-n */
const SWALLOWED = /^(?:-[neE]+|--help|--version)$/;
/** Dokku looks for these flags everywhere in the line, even inside a quoted value. @see dokku 0.38 recordings run-word-app, config-set-word-app */
const OWN_FLAGS = new Set(['--app', '--force', '--quiet', '--trace', '--rm', '--rm-container']);
/** What neither splitter touches. */
const PLAIN = /^[A-Za-z0-9_./:=@%+,-]+$/;

/** Dokku's own flags of one line; words can never become one of them. */
export type OwnFlags = { readonly isQuiet?: boolean; readonly isForced?: boolean };

/**
 * The line of a command and its words. Normal commands are split by the rules of xargs: a word is put into double quotes
 * where it needs them. Commands with `git` in their name are split at blanks and keep quotes: there only plain words pass.
 * @throws Error (a bug of the caller) for a word that would not arrive as it is
 */
export function lineOf(command: string, words: readonly string[], { isQuiet = false, isForced = false }: OwnFlags = {}): string {
  words.forEach(refuse);
  const written = command.includes('git') ? words.map(asItIs) : words.map(quoted);
  const line = [...(isQuiet ? ['--quiet'] : []), command, ...written, ...(isForced ? ['--force'] : [])].join(' ');
  if (Buffer.byteLength(line) > MAX_LINE_BYTES) throw new Error(`A line for Dokku is longer than ${MAX_LINE_BYTES} bytes`);
  return line;
}

/** @throws Error for what no quoting can save */
function refuse(word: string): void {
  if (word === '') throw new Error('An empty word cannot be sent to Dokku');
  if (/\p{Cc}|\p{Cs}/u.test(word)) throw new Error('A word with a line break or another control character cannot be sent to Dokku');
  if (SWALLOWED.test(word)) throw new Error(`Dokku swallows the word ${word}`);
  const taken = word.split(/[\s"'\\]+/).find((part) => OWN_FLAGS.has(part.replace(/=.*$/, '')));
  if (taken !== undefined) throw new Error(`Dokku takes ${taken} for its own flag`);
}

const quoted = (word: string): string => (PLAIN.test(word) ? word : `"${word.replaceAll('"', `"'"'"`)}"`);

function asItIs(word: string): string {
  if (!PLAIN.test(word)) throw new Error('A git command of Dokku takes no blanks, quotes or special characters');
  return word;
}

/** Whether this can be the name of an app, a service or a process in a line. */
export const isName = (name: string): boolean => /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/.test(name);
