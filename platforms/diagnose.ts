// What uv, Python and oTree print when something fails, turned into one of our errors. Pure.

import { AppError } from '../contracts/errors.ts';
import { isBefore5, packageOf } from './import-names.ts';

/** What `launcher/problems.py` prints as its last line. */
type Problem = { code: string; file: string | null; line: number | null; module: string | null; message: string };

export type Failure = {
  readonly exitCode: number | null;
  /** Everything it printed, or the end of it. */
  readonly output: string;
  readonly isTimedOut?: boolean;
};

const MARK = 'ARBORETUM-PROBLEM ';
/** launcher/start.py: oTree is older than 5. */
const EXIT_TOO_OLD = 78;

/** The launcher's own diagnosis in an output, else null. */
export function diagnoseLauncher({ exitCode, output }: Failure): AppError | null {
  const old = exitCode === EXIT_TOO_OLD ? /oTree (\S+) is too old/.exec(output) : null;
  if (old !== null) return new AppError('otree_too_old', { version: old[1] ?? '' });
  const problem = readProblem(output);
  if (problem === null) return null;
  const { module, message } = problem;
  const place = { file: problem.file ?? 'the project', line: problem.line ?? '?' };
  switch (problem.code) {
    case 'settings_missing':
      return new AppError('settings_missing');
    case 'settings_syntax':
    case 'syntax_error':
      return new AppError('syntax_error', { ...place, message });
    case 'settings_import':
    case 'module_missing':
      return isMissing(problem) ? explainMissing(module ?? '', place.file) : new AppError('otree_check', { message });
    case 'settings_invalid':
      return new AppError('settings_invalid', { ...place, file: problem.file ?? 'settings.py', message });
    case 'path_not_supported':
      return new AppError('path_not_supported', { version: /\(([^)]+)\)/.exec(message)?.[1] ?? '' });
    case 'otree_check':
      return new AppError('otree_check', { message });
    default:
      return null;
  }
}

/** A module that is there but lacks a name (`cannot import name …`) is a mistake in the project, not in requirements.txt. */
const isMissing = ({ module, message }: Problem): boolean => module !== null && /No module named/.test(message);

/** Python names a part only when the whole is there: `No module named 'a.b'` means that `a` was found. */
function explainMissing(module: string, file: string): AppError {
  if (isBefore5(module)) return new AppError('otree_django', { module, file });
  const parent = module.split('.').slice(0, -1).join('.');
  if (parent !== '') return new AppError('module_incomplete', { module, parent, file });
  const named = packageOf(module);
  return named === null ? new AppError('module_missing', { module, file }) : new AppError('module_named_otherwise', { module, file, package: named });
}

function readProblem(output: string): Problem | null {
  const line = output.split('\n').findLast((text) => text.startsWith(MARK));
  if (line === undefined) return null;
  try {
    return JSON.parse(line.slice(MARK.length)) as Problem;
  } catch {
    return null;
  }
}

/** Why the trial did not answer. */
export const diagnoseTrial = (failure: Failure): AppError => diagnoseLauncher(failure) ?? new AppError('trial_failed', { lastLine: lastWords(failure) });

/** Why settings.py could not be read. */
export const diagnoseDescribe = (failure: Failure): AppError =>
  diagnoseLauncher(failure) ?? new AppError('settings_invalid', { message: lastWords(failure), file: 'settings.py', line: '?' });

/** Why uv could not resolve, build or install. @param python version, for the sentence */
export function diagnoseUv(failure: Failure, python: string): AppError {
  const output = failure.output.replace(/\s+/g, ' ');
  if (failure.isTimedOut === true) return new AppError('build_failed', { reason: 'it took longer than 15 minutes.' });
  if (/No space left on device|os error 28/.test(output)) return new AppError('disk_full', { freeMib: 0 });
  const otree = /Failed to build `otree==([^`]+)`/.exec(output);
  if (/This version of oTree is only compatible/.test(output)) return new AppError('otree_python', { version: otree?.[1] ?? 'of this version', python });
  return diagnoseResolution(output, python) ?? diagnoseSource(output) ?? new AppError('build_failed', { reason: lastWords(failure) });
}

function diagnoseResolution(output: string, python: string): AppError | null {
  if (/error sending request|dns error|Failed to fetch|network was disabled/.test(output)) {
    return new AppError('build_failed', { reason: 'the package index cannot be reached. Try again later, or look at the panel’s package settings.' });
  }
  const bad = /Couldn't parse requirement in `[^`]*` at position \d+ cause: (.*?)(?: \^|$)/.exec(output);
  if (bad !== null) return new AppError('build_failed', { reason: `a line is not a requirement: ${bad[1]}.` });
  const unknown =
    /Because (\S+) was not found in the package registry/.exec(output) ??
    /Because there (?:is|are) no versions? of (\S+)/.exec(output) ??
    /Because (\S+) has no (?:wheels|usable wheels)/.exec(output) ??
    /Because only (?:the following versions of )?(\S+?)(?: are available|: )/.exec(output) ??
    /Because the (?:current|requested) Python version .*? does not satisfy Python\S+ and (\S+)/.exec(output);
  if (unknown !== null) return new AppError('package_unknown', { requirement: (unknown[1] ?? '').replace(/,$/, ''), python });
  const conflict = /No solution found when resolving dependencies:? (?:cause: )?(.*?)(?: hint:|$)/.exec(output);
  return conflict === null ? null : new AppError('build_failed', { reason: `two requirements exclude each other. ${conflict[1]}` });
}

/** A source package that could not be compiled. */
function diagnoseSource(output: string): AppError | null {
  const source = /Failed to (?:build|download and build) `([^`]+)`/.exec(output);
  if (source === null) return null;
  const missing =
    /([\w./+-]+?)(?: executable)? not found\b/.exec(output) ??
    /fatal error: (\S+?): No such file/.exec(output) ??
    /(?:command|unable to execute) '([^']+)'/.exec(output);
  const cause = missing === null ? '' : ` (${missing[1]} is missing on this machine)`;
  return new AppError('build_failed', { reason: `${source[1]} has no ready-made package for this Python and could not be built from source${cause}.` });
}

/** The last line that says something: without the launcher's remarks, Python's markers and decoration. */
export function lastWords({ exitCode, output, isTimedOut }: Failure): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter(
      (line) => /[A-Za-z]/.test(line) && !line.startsWith(MARK) && !line.startsWith('hint:') && !/^\[arboretum\] .*(?:started (?:as|in)|ended with)/.test(line),
    );
  const line = lines.findLast((text) => /Error|error|cannot|failed/.test(text)) ?? lines.at(-1);
  if (line !== undefined) return line.length > 300 ? `${line.slice(0, 300)}…` : line;
  if (isTimedOut === true) return 'It did not answer in time, and said nothing.';
  return exitCode === null ? 'It was killed, perhaps because it used more memory than it may.' : `It ended with exit code ${exitCode}, and said nothing.`;
}

const CHECKED = 'ARBORETUM-CHECK ';

/** The first page without a template, else null. @param output what `launcher/check_pages.py` printed */
export function findMissingTemplate(output: string): AppError | null {
  const line = output.split('\n').findLast((text) => text.startsWith(CHECKED));
  if (line === undefined) return null;
  const { missingTemplates } = JSON.parse(line.slice(CHECKED.length)) as { missingTemplates: Record<'app' | 'page' | 'template' | 'there', string | null>[] };
  const [first] = missingTemplates;
  if (first === undefined) return null;
  const there = first.there ? `It is called \`${first.there}\` there, and capital letters count: rename one of them` : 'Add the file, or correct template_name';
  return new AppError('template_missing', {
    app: String(first.app),
    page: String(first.page),
    template: String(first.template),
    hint: `${there}, commit, push again.`,
  });
}
