// What the scripts tell a person who cannot go on: one sentence and one hint.

/** Ends a start in a way that was foreseen; shown without a stack. */
export class StartProblem extends Error {
  readonly hint: string;
  /** 1, or 78 (EX_CONFIG of sysexits.h) for settings: the service keeper does not try those again. */
  readonly exitCode: number;

  constructor(sentence: string, hint: string, exitCode = 1) {
    super(sentence);
    this.name = 'StartProblem';
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/** The error's own words. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
