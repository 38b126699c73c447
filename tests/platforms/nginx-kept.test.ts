// An nginx that its own keeper runs, as in docker-compose.yml: changed, refused, killed, through the keeper alone.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { nginxKept } from '../../platforms/nginx-kept.ts';
import { NginxProcess } from '../../platforms/nginx-process.ts';
import { makeStand, never, seenBy, until } from './nginx-stand.ts';
import type { Stand } from './nginx-stand.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const keeperFile = path.join(import.meta.dirname, '..', '..', 'scripts', 'keep-nginx.ts');
let stand: Stand;
let keeper: ChildProcess;
let door: ReturnType<Stand['newDoor']>;

const keep = async (): Promise<void> => {
  const { dataDir, runDir, nginxKeeper } = stand.layout;
  keeper = spawn(process.execPath, ['--import', 'tsx', keeperFile, dataDir, path.dirname(runDir)], { stdio: 'ignore' });
  await until('the keeper answers', async () => existsSync(nginxKeeper) && (await nginxKept(nginxKeeper).pids()).length > 0, 30_000);
};

beforeEach(async () => {
  stand = await makeStand();
  await stand.upstream('one');
  await keep();
  door = stand.newDoor({ nginxHost: nginxKept(stand.layout.nginxKeeper) });
});

afterEach(async () => {
  const ended = once(keeper, 'exit');
  if (keeper.exitCode === null) {
    keeper.kill('SIGTERM');
    await ended;
  }
  await stand.clear();
});

const nameAt = async (host: string): Promise<string> => seenBy(await stand.ask(host)).name;
const post = (question: unknown): Promise<number> =>
  new Promise((resolve, reject) => {
    const request = http.request({ socketPath: stand.layout.nginxKeeper, method: 'POST' }, (response) => resolve(response.resume().statusCode ?? 0));
    request.on('error', reject).end(JSON.stringify(question));
  });

test('the worker has it started, and a site that nginx refuses takes nobody down', async () => {
  await stand.upstream('two');
  await door.apply([stand.route('one')], never);
  expect(await nameAt('one.lab.test')).toBe('one');
  const taken = net.createServer().listen(0, '0.0.0.0');
  await once(taken, 'listening');
  const { port } = taken.address() as net.AddressInfo;
  const busy = stand.route('busy', { address: { mode: 'port', port, certificate: null } });
  const { refused } = await door.apply([stand.route('one'), busy, stand.route('two')], never);
  taken.close();
  expect(refused).toMatchObject([{ instanceId: 'busy', reason: expect.stringContaining(String(port)) }]);
  expect(await nameAt('one.lab.test')).toBe('one');
  expect(await nameAt('two.lab.test')).toBe('two');
});

test('an nginx that dies is back without the worker, and its end is the end of nginx', async () => {
  await door.apply([stand.route('one')], never);
  const nginx = new NginxProcess(stand.layout, nginxKept(stand.layout.nginxKeeper));
  const first = await nginx.masterPid();
  for (const pid of [first ?? 0, ...(await nginx.workersOf(first ?? 0))]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // A worker of before the last change ended meanwhile.
    }
  }
  await until(
    'nginx is back',
    async () => (await nginx.masterPid()) !== null && (await nginx.masterPid()) !== first && (await nameAt('one.lab.test').catch(() => '')) === 'one',
    30_000,
  );
  keeper.kill('SIGTERM');
  await once(keeper, 'exit');
  await expect(stand.ask('one.lab.test')).rejects.toThrow();
  expect(await door.check()).toMatchObject({ state: 'away' });
});

test('workers that outlived their master go on until the worker has it replaced', async () => {
  await door.apply([stand.route('one')], never);
  const nginx = new NginxProcess(stand.layout, nginxKept(stand.layout.nginxKeeper));
  process.kill((await nginx.masterPid()) ?? 0, 'SIGKILL');
  expect(await nameAt('one.lab.test')).toBe('one');
  await door.repair(never);
  expect(await nginx.masterPid()).not.toBeNull();
  expect(await nameAt('one.lab.test')).toBe('one');
});

test('it does nothing else, and for nobody else', async () => {
  expect(statSync(stand.layout.nginxKeeper).mode & 0o777).toBe(0o600);
  expect(await post({ ask: 'run', argv: ['-c', '/etc/passwd'] })).toBe(400);
  expect(await post({ ask: 'signal', pid: process.pid, signal: 'SIGTERM' })).toBe(400);
  expect(await post({ ask: 'signal', pid: -1, signal: 'SIGKILL' })).toBe(400);
  expect(await post({ ask: 'anything' })).toBe(400);
  expect(await post({ ask: 'run', argv: ['-V'] })).toBe(200);
});
