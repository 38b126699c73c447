// The panel's own log: one JSON object a line on standard output, for people and for machines.

import type { Config } from './config.ts';
import type { Log } from './context.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** @param process name of the process that writes, `server` or `worker` */
export function makeLog(config: Pick<Config, 'LOG_LEVEL'>, process_: string): Log {
  const least = levels.indexOf(config.LOG_LEVEL);
  const write = (level: (typeof levels)[number], message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    if (levels.indexOf(level) < least) return;
    process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), level, process: process_, message, ...fields })}\n`);
  };
  return {
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
  };
}
