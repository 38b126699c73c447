// An nginx in a container of its own, asked through its keeper (`scripts/keep-nginx.ts`) on a Unix socket.

import http from 'node:http';
import type { NginxHost } from './nginx-host.ts';

/** One question to the keeper: a method of `NginxHost` with its arguments, and how its answer comes back. */
export type KeeperQuestion =
  | { readonly ask: 'run'; readonly argv: readonly string[] }
  | { readonly ask: 'signal'; readonly pid: number; readonly signal: NodeJS.Signals }
  | { readonly ask: 'titleOf' | 'childrenOf'; readonly pid: number }
  | { readonly ask: 'pids' };

const TIMEOUT_MS = 20_000;

/**
 * The nginx that another container keeps. While that one is away there is no process and every run fails with that sentence,
 * as where nginx cannot be started: the next round tries again.
 */
export function nginxKept(socketPath: string): NginxHost {
  const ask = async <T>(question: KeeperQuestion, whileAway: T): Promise<T> => {
    try {
      return (await post(socketPath, question)) as T;
    } catch (error) {
      if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? '')) return whileAway;
      throw error;
    }
  };
  return {
    run: async (argv) => await ask({ ask: 'run', argv }, { code: 1, text: 'the container of nginx does not answer' }),
    signal: async (pid, signal) => void (await ask({ ask: 'signal', pid, signal }, null)),
    titleOf: async (pid) => await ask({ ask: 'titleOf', pid }, ''),
    pids: async () => await ask<readonly number[]>({ ask: 'pids' }, []),
    childrenOf: async (pid) => await ask<readonly number[]>({ ask: 'childrenOf', pid }, []),
  };
}

function post(socketPath: string, question: KeeperQuestion): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, method: 'POST', path: '/', agent: false, timeout: TIMEOUT_MS }, (response) => {
      let body = '';
      response
        .setEncoding('utf8')
        .on('data', (text: string) => (body += text))
        .on('error', reject)
        .on('end', () => {
          if (response.statusCode === 200) return resolve((JSON.parse(body) as { answer: unknown }).answer);
          reject(new Error(`the keeper of nginx refused: ${body}`));
        });
    });
    request.on('timeout', () => request.destroy(new Error('the keeper of nginx does not answer'))).on('error', reject);
    request.end(JSON.stringify(question));
  });
}
