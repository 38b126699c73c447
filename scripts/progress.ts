// What a person sees of a start: a line per step with its seconds; everything else goes into the log.

import { appendFileSync } from 'node:fs';

/** Tells people about steps; `log` only writes into the file. */
export type Progress = {
  /** Runs one step; prints `✓ name (12 s)` at its end and, when it takes long, `… name` meanwhile. */
  step<T>(name: string, work: (note: (text: string) => void) => Promise<T>): Promise<T>;
  say(line: string): void;
  /** Only for the person's eyes: not written into the log. */
  show(line: string): void;
  log(text: string): void;
  /** From now on `log` writes there, beginning with what was logged so far. */
  logTo(file: string): void;
};

/** After this time a step says that it is under way. */
const slowMs = 1500;

/** @param write where lines for people go, standard output by default */
export function makeProgress(write: (line: string) => void = (line) => process.stdout.write(line)): Progress {
  let file: string | null = null;
  let early = '';
  const log = (text: string): void => {
    if (file === null) early += text;
    else appendFileSync(file, text);
  };
  const say = (line: string): void => {
    write(`${line}\n`);
    log(`${new Date().toISOString()} ${line}\n`);
  };
  return {
    say,
    show: (line) => write(`${line}\n`),
    log,
    logTo(target) {
      appendFileSync(target, early);
      [file, early] = [target, ''];
    },
    async step(name, work) {
      const start = Date.now();
      log(`${new Date().toISOString()} ${name}\n`);
      const waiting = setTimeout(() => say(`… ${name}`), slowMs);
      try {
        const result = await work((text) => say(`  ${text}`));
        say(`✓ ${name} (${seconds(start)})`);
        return result;
      } catch (error) {
        say(`✗ ${name}`);
        throw error;
      } finally {
        clearTimeout(waiting);
      }
    },
  };
}

function seconds(start: number): string {
  const passed = (Date.now() - start) / 1000;
  return passed < 9.95 ? `${passed.toFixed(1)} s` : `${Math.round(passed)} s`;
}
