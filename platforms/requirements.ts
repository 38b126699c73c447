// Reading requirements.txt as people really write it (facts: oTree 11), into what can be installed here. Pure.

import { createHash } from 'node:crypto';
import path from 'node:path';
import { AppError } from '../contracts/errors.ts';

export type Requirements = {
  /** What to install, one requirement each. */
  readonly lines: readonly string[];
  readonly constraints: readonly string[];
  /** One sentence for each thing that was read differently than written. */
  readonly notes: readonly string[];
  /** Sentences about what may be missing afterwards. */
  readonly warnings: readonly string[];
  /** The line that asks for oTree. */
  readonly otree: string;
  /** Whether something comes from an address instead of the package index. */
  readonly hasAddresses: boolean;
};

/** `3.9`, and the file that says so. */
export type WantedPython = { readonly version: string; readonly file: string };

type Gathered = { lines: string[]; constraints: string[]; notes: string[]; warnings: string[] };
type Reader = (name: string) => Buffer | null;

/**
 * Reads requirements.txt and what it refers to.
 * @param read gives a file of the project by its name, null when there is none
 * @throws requirements_missing, requirements_other, requirements_encoding, requirements_conda, otree_missing, otree_too_old, build_failed
 */
export function readRequirements(read: Reader): Requirements {
  if (read('requirements.txt') === null) throw explainMissing(read);
  const gathered: Gathered = { lines: [], constraints: [], notes: [], warnings: [] };
  gather(read, { name: 'requirements.txt', into: gathered, isConstraint: false, seen: new Set() });
  const lines = replaceDriver(gathered);
  const otree = lines.find((line) => nameOf(line) === 'otree' || nameOf(line) === 'otree-core');
  if (otree === undefined) throw new AppError('otree_missing');
  refuseOldOtree(otree);
  return { lines, constraints: gathered.constraints, notes: gathered.notes, warnings: gathered.warnings, otree, hasAddresses: lines.some(isAddress) };
}

/** What other tools keep instead, and the command that writes a requirements.txt from it. */
const otherLists: readonly (readonly [string, string])[] = [
  ['Requirements.txt', 'git mv Requirements.txt requirements.txt'],
  ['requirement.txt', 'git mv requirement.txt requirements.txt'],
  ['requirements.txt.txt', 'git mv requirements.txt.txt requirements.txt'],
  ['Pipfile', 'pipenv requirements > requirements.txt'],
  ['poetry.lock', 'pip list --format=freeze > requirements.txt'],
  ['pyproject.toml', 'uv pip compile pyproject.toml -o requirements.txt'],
  ['environment.yml', 'pip list --format=freeze > requirements.txt'],
  ['environment.yaml', 'pip list --format=freeze > requirements.txt'],
];

function explainMissing(read: Reader): AppError {
  const [file, command] = otherLists.find(([name]) => read(name) !== null) ?? [];
  return file === undefined || command === undefined ? new AppError('requirements_missing') : new AppError('requirements_other', { file, command });
}

/** A sentence when the line names an older oTree than the one that was taken, and nothing keeps it from changing again. */
export function warnOfLooseOtree(line: string, taken: string): string[] {
  const from = />=?\s*(\d+)/.exec(line);
  if (/==|~=|</.test(line) || from === null || Number(from[1]) >= Number(taken.split('.')[0])) return [];
  return [
    `requirements.txt asks for “${line}”, which means oTree ${taken} today. If the project was made for an older one, write its version; to keep this one, write \`otree==${taken}\`.`,
  ];
}

/** Stands for equal requirements on an equal Python; comments and spelling of white space do not count. */
export const hashRequirements = (requirements: Requirements, pythonVersion: string): string =>
  createHash('sha256')
    .update(JSON.stringify([pythonVersion, requirements.lines, requirements.constraints]))
    .digest('hex');

/** Which Python the project asks for (runtime.txt of Heroku, .python-version), for example `3.9`; null when it does not say. */
export function wantedPython(read: Reader): WantedPython | null {
  for (const file of ['.python-version', 'runtime.txt']) {
    const found = /^\s*(?:python-)?(\d+\.\d+)/m.exec(read(file)?.toString('utf8') ?? '');
    if (found !== null) return { version: found[1] ?? '', file };
  }
  return null;
}

/** `otree==6.0.15` of a lock → `6.0.15`; null when the lock has none. */
export const lockedVersion = (lock: string, name: string): string | null =>
  lock
    .split('\n')
    .map((line) => /^([^=\s]+)==(\S+)/.exec(line))
    .find((found) => found?.[1] === name)?.[2] ?? null;

/** Package name as the index spells it (PEP 503); empty for an address without a name. */
export const nameOf = (line: string): string => (/^([A-Za-z0-9][\w.-]*)\s*(?:\[|[<>=!~;@]|$|\s)/.exec(line)?.[1] ?? '').toLowerCase().replace(/[-_.]+/g, '-');

export const isAddress = (line: string): boolean => /^(?:git|hg|svn|bzr)\+|^https?:|^[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*@/.test(line);

/** Text of a requirements file; what Windows tools make of it is understood where it is unambiguous. @throws requirements_encoding */
export function decodeText(content: Buffer, name: string): { text: string; note: string | null } {
  const [first, second] = [content[0], content[1]];
  const isLittle = (first === 0xff && second === 0xfe) || (second === 0 && first !== 0 && first !== undefined);
  const isBig = (first === 0xfe && second === 0xff) || (first === 0 && second !== 0);
  if (isLittle || isBig) {
    const text = new TextDecoder(isLittle ? 'utf-16le' : 'utf-16be').decode(content);
    if (text.includes('\u0000') || text.includes('\ufffd')) throw new AppError('requirements_encoding', { encoding: 'UTF-16, damaged' });
    return { text, note: `${name} is saved as UTF-16; it was read all the same. Better save it as UTF-8.` };
  }
  try {
    const hasMark = first === 0xef && second === 0xbb && content[2] === 0xbf;
    return {
      text: new TextDecoder('utf-8', { fatal: true }).decode(content),
      note: hasMark ? `${name} begins with a byte order mark, which was skipped.` : null,
    };
  } catch {
    const text = content.toString('latin1');
    const isOnlyInComments = text.split('\n').every((line) => /^[\x09\x0a\x0d\x20-\x7e]*$/.test(line.replace(/(^|\s)#.*$/, '')));
    if (!isOnlyInComments) throw new AppError('requirements_encoding', { encoding: 'perhaps Latin-1' });
    return { text, note: `${name} is not UTF-8 in its comments; better save it as UTF-8.` };
  }
}

function gather(read: Reader, file: { name: string; into: Gathered; isConstraint: boolean; seen: Set<string> }): void {
  const { name, into, isConstraint, seen } = file;
  if (seen.has(name)) return;
  seen.add(name);
  const content = name.startsWith('..') || path.posix.isAbsolute(name) ? null : read(name);
  if (content === null) throw new AppError('build_failed', { reason: `requirements.txt refers to “${name}”, which is not in the project.` });
  const { text, note } = decodeText(content, name);
  if (note !== null) into.notes.push(note);
  for (const line of logicalLines(text)) {
    const reference = /^(?:-r|--requirement|-c|--constraint)[\s=]*(\S.*)$/.exec(line);
    const target = path.posix.normalize(path.posix.join(path.posix.dirname(name), reference?.[1] ?? ''));
    if (reference !== null) gather(read, { name: target, into, isConstraint: isConstraint || /^(?:-c|--c)/.test(line), seen });
    else takeLine(line, into, isConstraint);
  }
}

/** Lines with continuations joined, comments and blank lines taken out. */
const logicalLines = (text: string): string[] =>
  text
    .replace(/^\uFEFF/, '')
    .replace(/\\\r?\n/g, ' ')
    .split(/\r\n|\n|\r/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');

/** Only wheels for Windows are on the index (pypi.org, their file lists); `pip freeze` on Windows writes them all the same. */
const windowsOnly = new Set(['pypiwin32', 'pywin32', 'pywinpty', 'twisted-iocpsupport', 'windows-curses']);
/** What `pip freeze` in a conda environment writes: `six @ file:///croot/six_1644875935023/work`. Other paths may be packages of one's own, which must not be taken from the index. */
const condaBuild =
  /^([A-Za-z0-9][\w.-]*)\s*@\s*file:\/\/\/(?:[A-Za-z]:\/)?(?:croot|ci(?:_\d+)?|b\/abs_\w+\/croot|tmp\/build\/80754af9|opt\/conda\/conda-bld|home\/conda\/feedstock_root|bld|feedstock_root)\//;

function takeLine(line: string, into: Gathered, isConstraint: boolean): void {
  const plain = line
    .replace(/\s--hash[=\s]\S+/g, '')
    .replace(/^(?:-e|--editable)[\s=]+/, '')
    .trim();
  if (/^[A-Za-z0-9][\w.-]*=[^=\s]/.test(plain)) throw new AppError('requirements_conda', { line: plain });
  const conda = condaBuild.exec(plain);
  if (windowsOnly.has(nameOf(plain)) && !plain.includes(';')) {
    into.warnings.push(`“${plain}” in requirements.txt exists for Windows only; it was left out. Take the line out if the experiment does not need it.`);
  } else if (conda !== null) {
    into.warnings.push(
      `“${conda[1]}” in requirements.txt names a folder of conda instead of a version; the newest one was taken. Write \`${conda[1]}==…\` with the version you want.`,
    );
    (isConstraint ? into.constraints : into.lines).push(conda[1] ?? '');
  } else if (plain.startsWith('-')) {
    into.notes.push(`“${plain.split(/[\s=]/)[0]}” in requirements.txt is not followed: where packages come from is a setting of the panel.`);
  } else if (/^(?:\.{0,2}\/|\.$|\.\[|file:|[A-Za-z]:\\)|@\s*file:/.test(plain)) {
    into.warnings.push(
      `“${plain}” in requirements.txt is a path on the machine where it was written; it was left out. Name the package and its version instead.`,
    );
  } else (isConstraint ? into.constraints : into.lines).push(plain.replace(/\s+/g, ' '));
}

/** psycopg2 must be compiled; psycopg2-binary is the same module ready-made. Its version makes no difference to oTree. */
function replaceDriver({ lines, constraints, notes }: Gathered): string[] {
  const isDriver = (line: string): boolean => ['psycopg2', 'psycopg2-binary'].includes(nameOf(line)) && !isAddress(line);
  const replaced = lines.map((line) => {
    if (!isDriver(line)) return line;
    const relaxed = line
      .replace(/^psycopg2(?:[-_.]binary)?/i, 'psycopg2-binary')
      .replace(/={2,3}\s*([\w.]+)(\.\*)?/, '>=$1')
      .replace(/,?\s*<=?\s*[\w.]+/g, '');
    if (relaxed !== line) notes.push(`“${line}” is installed as “${relaxed}”, which needs no compiler.`);
    return relaxed;
  });
  for (const [at, line] of constraints.entries()) if (isDriver(line)) constraints[at] = 'psycopg2-binary';
  if (!replaced.some((line) => nameOf(line) === 'psycopg2-binary')) {
    notes.push('psycopg2-binary was added: oTree needs it for PostgreSQL.');
    replaced.push('psycopg2-binary');
  }
  return [...new Set(replaced)];
}

function refuseOldOtree(line: string): void {
  if (nameOf(line) === 'otree-core') throw new AppError('otree_too_old', { version: '2' });
  const pinned = /(?:={2,3}|~=)\s*(\d+)((?:\.[\w*]+)*)/.exec(line);
  const below = /<(=?)\s*(\d+)((?:\.\d+)*)/.exec(line);
  if (pinned !== null && Number(pinned[1]) < 5) throw new AppError('otree_too_old', { version: `${pinned[1]}${pinned[2]}`.replace(/\.\*$/, '') });
  const isBelowFive = below !== null && (Number(below[2]) < 5 || (Number(below[2]) === 5 && below[1] === '' && /^[.0]*$/.test(below[3] ?? '')));
  if (isBelowFive) throw new AppError('otree_too_old', { version: `${below[2]}${below[3]} or earlier` });
}
