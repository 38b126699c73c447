// How Dokku takes a line from ssh apart: two splitters, words that get lost, and flags that count wherever they stand.

export type Line = {
  readonly command: string;
  readonly words: readonly string[];
  readonly isQuiet: boolean;
  readonly isForced: boolean;
  /** App named by `--app NAME` anywhere in the line, else null. */
  readonly namedApp: string | null;
  /** What the splitter itself wrote on stderr. */
  readonly complaint: string;
  /** Words that nobody recorded in such a place, else null. */
  readonly unknown: string | null;
};

/** Takes a line apart as Dokku 0.38 does. @see records config-set-mixed-quotes, git-set-quoted, run-dash-e-word, config-set-word-app */
export function takeApart(line: string): Line {
  const isGit = /^(?:--\w+\s+)*\S*git\S*/.test(line);
  const { words: split, complaint } = isGit ? { words: line.split(/\s+/).filter(Boolean), complaint: '' } : splitLikeXargs(line);
  const plain = line.split(/[\s"']+/);
  const at = plain.indexOf('--app');
  const words = isGit ? split : split.flatMap(echoed);
  const [command = '', ...rest] = words.filter((word) => word !== '--quiet' && word !== '--force');
  return {
    command,
    words: rest,
    isQuiet: plain.includes('--quiet'),
    isForced: plain.includes('--force'),
    namedApp: at === -1 ? null : (plain[at + 1] ?? ''),
    complaint,
    unknown: split.find((word) => word === '--trace' || (!isGit && (word === '--help' || word === '--version'))) ?? null,
  };
}

/** The splitter runs `echo` on each word: `-n` leaves nothing at all, `-e` and `-E` leave an empty word. */
function echoed(word: string): string[] {
  if (!/^-[neE]+$/.test(word)) return [word];
  return word.includes('n') ? [] : [''];
}

function splitLikeXargs(line: string): { words: string[]; complaint: string } {
  const words: string[] = [];
  let [word, isOpen]: [string, boolean] = ['', false];
  for (let index = 0; index < line.length; index += 1) {
    const character = line.charAt(index);
    if (character === '"' || character === "'") {
      const end = line.indexOf(character, index + 1);
      const newline = line.indexOf('\n', index);
      if (end === -1 || (newline !== -1 && newline < end)) return { words, complaint: unmatched(character) };
      [word, isOpen, index] = [word + line.slice(index + 1, end), true, end];
    } else if (/\s/.test(character)) {
      if (isOpen) words.push(word);
      [word, isOpen] = ['', false];
    } else {
      if (character === '\\') index += 1;
      [word, isOpen] = [word + line.charAt(index), true];
    }
  }
  if (isOpen) words.push(word);
  return { words, complaint: '' };
}

const unmatched = (quote: string): string =>
  `xargs: unmatched ${quote === "'" ? 'single' : 'double'} quote; by default quotes are special to xargs unless you use the -0 option\n`;

export type Arguments = { readonly places: readonly string[]; readonly flags: ReadonlyMap<string, string> };

/**
 * Flags and the other words of a command; flags may stand before or after the app.
 * @param known flag → whether a value follows
 * @returns null when a word looks like a flag that is not known
 */
export function readArguments(words: readonly string[], known: Readonly<Record<string, boolean>>): Arguments | null {
  const [places, flags]: [string[], Map<string, string>] = [[], new Map()];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (!word.startsWith('-') || word === '-' || word === '--') places.push(word);
    else if (known[word] === undefined) return null;
    else if (known[word]) flags.set(word, words[(index += 1)] ?? '');
    else flags.set(word, '');
  }
  return { places, flags };
}
