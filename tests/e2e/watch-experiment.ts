// Watches one experiment from outside: a request every 100 ms, and a participant whose websocket must stay open.

import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Page, WebSocket } from 'playwright-core';

export type Report = { readonly answers: number; readonly failures: readonly string[]; readonly closedSockets: number };
export type Watch = { end(): Promise<Report> };

/**
 * @param page a fresh visitor, who will wait in a room for a session
 * @param at port of the front door, host name of the instance, path of a waiting page
 */
export async function watchExperiment(page: Page, at: { port: number; host: string; path: string }): Promise<Watch> {
  let closedSockets = 0;
  const opened = new Promise<WebSocket>((resolve) => {
    page.on('websocket', (socket) => {
      socket.on('close', () => (closedSockets += 1));
      resolve(socket);
    });
  });
  await page.goto(`http://${at.host}${at.path}`);
  await opened;
  const failures: string[] = [];
  let answers = 0;
  let isOver = false;
  const asking = (async () => {
    // Ended by `end()` below.
    // oxlint-disable-next-line no-unmodified-loop-condition
    while (!isOver) {
      const status = await statusOf(at).catch((error: unknown) => String(error));
      if (status === 200) answers += 1;
      else failures.push(`${new Date().toISOString()} ${status}`);
      await wait(100);
    }
  })();
  return {
    async end() {
      isOver = true;
      await asking;
      const report = { answers, failures, closedSockets };
      await page.context().close();
      return report;
    },
  };
}

const statusOf = ({ port, host }: { port: number; host: string }): Promise<number> =>
  new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/login', headers: { host }, agent: false, timeout: 5000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 5 s')));
    request.on('error', reject);
  });
