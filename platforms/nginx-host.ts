// Where nginx lives: running it, signalling it, looking at its processes. On this machine by /proc; Linux. Imports nothing of ours: it goes into the ground's image.

import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';

/** What is done with the nginx of one configuration; another container's is asked through `nginx-kept.ts`. */
export type NginxHost = {
  /** One short-lived nginx (a daemon's parent included), to its end; `text` is all that it said. */
  run(argv: readonly string[]): Promise<{ readonly code: number; readonly text: string }>;
  /** A process that has ended meanwhile is no failure. */
  signal(pid: number, signal: NodeJS.Signals): Promise<void>;
  /** The process's own title; empty when there is none with this number. */
  titleOf(pid: number): Promise<string>;
  pids(): Promise<readonly number[]>;
  childrenOf(parent: number): Promise<readonly number[]>;
};

/** How long one short-lived nginx may take. */
const RUN_TIMEOUT_MS = 15_000;

/** The nginx of this machine. @param place the configuration and the folder that it is told as its own */
export function nginxHere(binary: string, place: { readonly config: string; readonly dir: string }): NginxHost {
  return {
    // In an environment of its own, because a daemon would keep ours for everybody to read.
    run: (argv) =>
      new Promise((resolve) => {
        const all = ['-c', place.config, '-p', `${place.dir}/`, ...argv];
        const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
        execFile(binary, all, { env, cwd: '/', timeout: RUN_TIMEOUT_MS }, (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : 1, text: `${stdout}${stderr}`.trim() || (error?.message ?? '') });
        });
      }),
    signal: async (pid, signal) => {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    },
    titleOf,
    pids: allPids,
    childrenOf,
  };
}

const titleOf = async (pid: number): Promise<string> => (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim();

const allPids = async (): Promise<readonly number[]> => (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);

/** `/proc/PID/task/PID/children` is not there on every kernel, hence the walk. */
async function childrenOf(parent: number): Promise<readonly number[]> {
  const pids = await allPids();
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')));
  // The name in parentheses may hold anything; the fields after it are state and parent.
  return pids.filter((_, index) => Number(/^.*\) \S (\d+)/s.exec(stats[index] ?? '')?.[1]) === parent);
}
