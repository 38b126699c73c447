// The hook and its socket: one question a push, only with its token, and no answer means no.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import type { Log } from '../../domain/context.ts';
import { startHookSocket, type HookSocket, type PushJudge } from '../../server/git-hook-socket.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'arboretum-hook-'));
const socketPath = path.join(folder, 'hook.sock');
const log = { info: vi.fn<Log['info']>(), warn: vi.fn<Log['warn']>(), error: vi.fn<Log['error']>() };
const start = (): Promise<HookSocket> => startHookSocket({ socketPath, hooksDir: path.join(folder, 'hooks'), nodeBinary: process.execPath, log });
const update = { ref: 'refs/heads/main', oldCommit: '0'.repeat(40), newCommit: 'a'.repeat(40) };
let socket: HookSocket;

beforeAll(async () => (socket = await start()));
afterAll(async () => {
  await socket.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the hook as git does. */
function runHook(
  environment: Readonly<Record<string, string>>,
  input = `${update.oldCommit} ${update.newCommit} ${update.ref}\n`,
): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(path.join(folder, 'hooks', 'pre-receive'), { env: { PATH: '/usr/bin:/bin', ...environment } }, (error, _stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stderr }),
    );
    child.stdin?.end(input);
  });
}

/** Asks the socket directly. */
function ask(body: string): Promise<string> {
  return new Promise((resolve) => {
    const asking = request({ socketPath, method: 'POST' }, (response) => {
      let text = '';
      response.on('data', (bytes: Buffer) => (text += bytes.toString())).on('end', () => resolve(text));
    });
    asking.on('error', (error) => resolve(error.message)).end(body);
  });
}

describe('the hook', () => {
  test('hands over refs and options, and lets an allowed push pass', async () => {
    const judge = vi.fn<PushJudge>(async () => ({ allowed: true }));
    const { environment } = socket.expect(judge);
    expect(await runHook({ ...environment, GIT_PUSH_OPTION_COUNT: '1', GIT_PUSH_OPTION_0: 'reason=pilot' })).toEqual({ code: 0, stderr: '' });
    expect(judge.mock.calls).toEqual([[{ updates: [update], options: ['reason=pilot'] }]]);
  });

  test('prints reason and hint as a block, without escape sequences of a pushed name', async () => {
    const { environment } = socket.expect(async () => ({ allowed: false, reason: 'Not “\u001b[2Jx\u0007”.', hint: 'First.\nSecond.' }));
    expect(await runHook(environment)).toEqual({ code: 1, stderr: '\n  Refused: Not “x”.\n  First.\n  Second.\n\n' });
  });

  test('says what an expected error says, and nothing of an unexpected one', async () => {
    const expected = socket.expect(() => Promise.reject(new AppError('disk_full', { freeMib: 3 })));
    expect((await runHook(expected.environment)).stderr).toContain('Refused: The disk is nearly full: 3 MiB are left.');
    const unexpected = socket.expect(() => Promise.reject(new Error('password=hunter2')));
    const { code, stderr } = await runHook(unexpected.environment);
    expect([code, stderr.includes('hunter2'), stderr.includes('Something unexpected happened')]).toEqual([1, false, true]);
    expect(log.error).toHaveBeenCalledOnce();
  });

  test.each([
    ['has no token', { ARBORETUM_PUSH: '' }],
    ['has a foreign token', { ARBORETUM_PUSH: 'f'.repeat(64) }],
    ['finds no socket', { ARBORETUM_HOOK_SOCKET: path.join(folder, 'nowhere.sock') }],
  ])('refuses when it %s', async (_name, wrong) => {
    const judge = vi.fn<PushJudge>(async () => ({ allowed: true }));
    const { code, stderr } = await runHook({ ...socket.expect(judge).environment, ...wrong });
    expect([code, judge.mock.calls.length, stderr.includes('Refused: ')]).toEqual([1, 0, true]);
  });

  test.each(['', '{}', '{"allowed":"true"}', 'HTTP/1.1 200 OK\r\n\r\nnot json', 'HTTP/1.1 200 OK\r\n\r\n{"allowed":1}'])(
    'refuses when the answer is %j',
    async (answer) => {
      const wrong = path.join(folder, 'wrong.sock');
      const server = createServer((connection) =>
        connection
          .on('error', () => undefined)
          .resume()
          .end(answer),
      );
      await new Promise<void>((resolve) => server.listen(wrong, resolve));
      const { environment } = socket.expect(async () => ({ allowed: true }));
      expect(await runHook({ ...environment, ARBORETUM_HOOK_SOCKET: wrong })).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('so nothing was changed'),
      });
      await new Promise((resolve) => server.close(resolve));
    },
  );
});

describe('the socket', () => {
  test('belongs to the panel’s user alone', () => {
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  });

  test('answers a token once, and not at all when the push has ended', async () => {
    const judge = vi.fn<PushJudge>(async () => ({ allowed: true }));
    const once = socket.expect(judge);
    expect([(await runHook(once.environment)).code, (await runHook(once.environment)).code]).toEqual([0, 1]);
    const over = socket.expect(judge);
    over.forget();
    expect([(await runHook(over.environment)).code, judge.mock.calls.length]).toEqual([1, 1]);
  });

  test('asks nobody about what is not a question', async () => {
    const judge = vi.fn<PushJudge>(async () => ({ allowed: true }));
    const token = socket.expect(judge).environment['ARBORETUM_PUSH'];
    const questions = [
      { token, updates: [], options: [] },
      { token, updates: [{ ...update, newCommit: 'x' }], options: [] },
      { token, updates: [{ ...update, more: 1 }], options: [] },
      { token, updates: [update] },
      null,
      'text',
    ];
    for (const question of questions) expect(await ask(JSON.stringify(question))).toContain('"allowed":false');
    for (const body of ['', '{', 'x'.repeat(3 * 1024 * 1024)]) expect(await ask(body)).not.toContain('true');
    expect(judge).not.toHaveBeenCalled();
    expect(await ask(JSON.stringify({ token, updates: [update], options: [] }))).toBe('{"allowed":true}');
  });

  test('takes the place of one that was left behind, and of nothing else', async () => {
    await socket.close();
    const left = createServer().listen(socketPath);
    socket = await start();
    expect((await runHook(socket.expect(async () => ({ allowed: true })).environment)).code).toBe(0);
    await new Promise((resolve) => left.close(resolve));
    await socket.close();
    writeFileSync(socketPath, 'a file of somebody');
    await expect(start()).rejects.toThrow(/EADDRINUSE/);
    rmSync(socketPath);
    socket = await start();
  });
});
