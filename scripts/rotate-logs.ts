// Keeps the services' logs small: what grows beyond 10 MB is copied to .1, .2, .3 and emptied.

import { copyFileSync, existsSync, readdirSync, renameSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';

const maxBytes = 10 * 1024 ** 2;
const kept = 3;

/**
 * Copies and empties instead of renaming: whoever writes keeps its open file (all of them append).
 * supervisord turns its own log itself.
 */
export function rotateLogs(logsDir: string): void {
  for (const name of readdirSync(logsDir).filter((entry) => entry.endsWith('.log') && entry !== 'supervisord.log')) {
    const file = path.join(logsDir, name);
    if (statSync(file).size <= maxBytes) continue;
    for (let number = kept - 1; number >= 1; number -= 1) if (existsSync(`${file}.${number}`)) renameSync(`${file}.${number}`, `${file}.${number + 1}`);
    copyFileSync(file, `${file}.1`);
    truncateSync(file, 0);
  }
}
