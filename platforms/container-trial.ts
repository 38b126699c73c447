// What a trial inside a container came to (launcher/trial.py).

import { diagnoseTrial, findMissingTemplate } from './diagnose.ts';
import type { CommandResult } from './run-command.ts';

type Ended = Pick<CommandResult, 'exitCode' | 'stdout' | 'stderr'> & { readonly isTimedOut?: boolean };

/** Says how long it took until oTree answered. @param began when it was started, milliseconds @throws trial_failed, module_missing, syntax_error, otree_check, template_missing */
export function judgeTrial(
  { exitCode, stdout, stderr, isTimedOut = false }: Ended,
  { began, onOutput }: { began: number; onOutput: (text: string) => void },
): void {
  if (exitCode !== 0) {
    onOutput(forPeople(stderr));
    throw diagnoseTrial({ exitCode, output: stderr, isTimedOut });
  }
  onOutput(`       it answers after ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
  const problem = findMissingTemplate(stdout);
  if (problem !== null) throw problem;
}

/** The end of the output, moved to the right; people know their files from the project's folder on. */
const forPeople = (output: string): string =>
  output
    .replace(/^ARBORETUM-PROBLEM .*\n?/gm, '')
    .replace(/\/app\/project\//g, '')
    .slice(-8192)
    .replace(/^(?=.)/gm, '       ');
