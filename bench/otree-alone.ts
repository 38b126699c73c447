// A real oTree of the launcher on a Unix socket, without a panel: what stands behind the front door in these measurements.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pythonWith } from '../tests/launcher/venv.ts';

const root = path.join(import.meta.dirname, '..');

export type OtreeAlone = { readonly stop: () => Promise<void> };

/** Status of a page, asked at the socket; 0 while nobody answers. */
export const statusAt = (socketPath: string, target: string): Promise<number> =>
  new Promise((resolve) => {
    const request = http.get({ socketPath, path: target, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', () => resolve(0));
  });

/** Starts it on the sample project and waits for its first answer. @param pathPrefix what its addresses begin with; '' for none */
export async function startOtree({ folder, socket, pathPrefix }: { folder: string; socket: string; pathPrefix: string }): Promise<OtreeAlone> {
  const project = path.join(folder, 'project');
  mkdirSync(path.dirname(socket), { recursive: true });
  cpSync(path.join(root, 'samples', 'trust-game'), project, { recursive: true });
  const envFile = path.join(folder, 'env.json');
  const config = {
    environment: { DATABASE_URL: `sqlite:///${path.join(folder, 'db.sqlite3')}`, OTREE_PRODUCTION: '1', OTREE_AUTH_LEVEL: 'STUDY', OTREE_REST_KEY: 'rest-key' },
    adminPassword: 'a password',
    secretKey: 'a secret',
    roomSecret: 'another secret',
    cookieName: 'otree_bench',
    socket,
    projectDir: project,
    pathPrefix,
  };
  writeFileSync(envFile, JSON.stringify(config), { mode: 0o400 });
  const child = spawn(pythonWith('6.0.15'), [path.join(root, 'launcher', 'start.py'), envFile, 'serve'], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  const ended = once(child, 'exit');
  while ((await statusAt(socket, '/login')) !== 200) {
    if (child.exitCode !== null) throw new Error('oTree ended before it answered.');
    await wait(100);
  }
  return {
    async stop() {
      // Its own group: the process of timeouts goes as well.
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
      await ended;
    },
  };
}
