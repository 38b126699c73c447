// The health check of a container, and a trial from an env.json: what the Swarm platform runs besides the server.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { marked, processesWith, repository, temporaryDatabase, temporaryFolder } from './instance.ts';
import { runCommand } from '../../platforms/run-command.ts';
import { pythonWith } from './venv.ts';

const check = async (socket: string, seconds = 20) =>
  await runCommand({
    file: '/usr/bin/python3',
    args: ['-I', '-S', join(repository, 'launcher/answers.py'), socket, String(seconds)],
    env: {},
    timeoutMs: 50_000,
  });

test('is well only while /login answers 200', async () => {
  const socket = join(temporaryFolder(), 'otree.sock');
  let status = 200;
  const server = http.createServer((request, response) => void response.writeHead(request.url === '/login' ? status : 404).end());
  onTestFinished(() => void server.close());
  expect(await check(socket)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no answer') });
  server.listen(socket);
  await once(server, 'listening');
  expect((await check(socket)).exitCode).toBe(0);
  status = 500;
  expect(await check(socket)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('it answers with 500') });
});

test('a server that hangs is not well', async () => {
  const socket = join(temporaryFolder(), 'otree.sock');
  const server = http.createServer(() => {}).listen(socket);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  expect((await check(socket, 1)).exitCode).toBe(1);
});

test('tries a project by its env.json, on a socket of its own, and leaves nothing running', { timeout: 120_000 }, async () => {
  const folder = temporaryFolder();
  const config = {
    environment: { DATABASE_URL: await temporaryDatabase(), OTREE_REST_KEY: 'rest-key' },
    adminPassword: 'the-panels-password',
    secretKey: 'a-secret',
    roomSecret: 'room-secret',
    cookieName: 'otree_k3v9',
    socket: join(folder, 'live.sock'),
    projectDir: join(repository, 'tests/projects/lab-games'),
  };
  writeFileSync(join(folder, 'env.json'), JSON.stringify(config));
  const done = spawnSync(pythonWith('6.0.15'), [join(repository, 'launcher/start.py'), join(folder, 'env.json'), 'try'], {
    env: { PATH: '/usr/bin:/bin' },
    encoding: 'utf8',
    timeout: 90_000,
  });
  expect(done.status, done.stderr).toBe(0);
  expect(marked(done.stdout, 'ARBORETUM-CHECK')).toEqual({ missingTemplates: [] });
  expect(processesWith(folder)).toEqual([]);
});
