// Programs are started without a shell, are ended in time, and leave nothing behind.

import { existsSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../platforms/run-command.ts';

const env = { PATH: '/usr/bin:/bin' };
const node = (script: string, options: Partial<Parameters<typeof runCommand>[0]> = {}) =>
  runCommand({ file: process.execPath, args: ['-e', script], env, timeoutMs: 60_000, ...options });

describe('runCommand', () => {
  it('passes arguments as they are and nothing of our environment', async () => {
    const nasty = ['$(id)', '`id`', '; id', '"', "'", '*', '\n', '--', ''];
    const result = await runCommand({
      file: process.execPath,
      args: ['-e', 'console.log(JSON.stringify([process.argv.slice(1), process.env]))', '--', ...nasty],
      env: { ONLY: 'this' },
      timeoutMs: 60_000,
    });
    expect(JSON.parse(result.stdout)).toEqual([nasty, { ONLY: 'this' }]);
  });

  it('gives exit code, both streams, and the output as it comes', async () => {
    const seen: string[] = [];
    const result = await node('process.stdout.write("ä"); process.stderr.write("b"); process.exitCode = 3', { onOutput: (text) => seen.push(text) });
    expect(result).toMatchObject({ exitCode: 3, endedBySignal: null, isTimedOut: false, stdout: 'ä', stderr: 'b' });
    expect(seen.join('').split('').toSorted().join('')).toBe('bä');
  });

  it('keeps only the end of much output', async () => {
    const result = await node('for (let n = 0; n < 2000; n += 1) console.log("x".repeat(1000)); console.log("the end")', { maxCaptureBytes: 5000 });
    expect(Buffer.byteLength(result.stdout)).toBeLessThanOrEqual(5000);
    expect(result.stdout).toMatch(/the end\n$/);
  });

  it('feeds input, and does not mind a program that reads none of it', async () => {
    expect((await runCommand({ file: '/bin/cat', args: [], env, input: Readable.from(['a', 'b']), timeoutMs: 60_000 })).stdout).toBe('ab');
    expect(
      (await runCommand({ file: '/bin/true', args: [], env, input: Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(65_536))), timeoutMs: 60_000 }))
        .exitCode,
    ).toBe(0);
  });

  it('ends the program and says so when its input breaks', async () => {
    const input = new Readable({
      read() {
        this.destroy(new Error('the pusher left'));
      },
    });
    await expect(runCommand({ file: '/bin/cat', args: [], env, input, timeoutMs: 60_000 })).rejects.toThrow('the pusher left');
  });

  it('ends the whole group when the time is over', async () => {
    const file = path.join(await mkdtemp(path.join(os.tmpdir(), 'run-')), 'pid');
    // Long enough that a busy machine has come to the `wait`.
    const result = await runCommand({ file: '/bin/sh', args: ['-c', 'sleep 600 & echo $! > "$0"; wait', file], env, timeoutMs: 4000 });
    expect(result).toMatchObject({ isTimedOut: true, exitCode: null, endedBySignal: 'SIGKILL' });
    const pid = (await readFile(file, 'utf8')).trim();
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  it('ends at once when aborted, also before it began', async () => {
    const abort = new AbortController();
    const running = node('console.log("up"); setInterval(() => {}, 1000)', { signal: abort.signal, onOutput: () => abort.abort(new Error('stop it')) });
    await expect(running).rejects.toThrow('stop it');
    await expect(node('', { signal: abort.signal })).rejects.toThrow('stop it');
  });

  it('does not wait for a child that ran into a session of its own and holds the pipe', async () => {
    const script = 'const child = require("node:child_process").spawn("sleep", ["600"], { detached: true, stdio: "inherit" }); console.log(child.pid)';
    const result = await node(`${script}; process.exit(0)`);
    const pid = result.stdout.trim();
    expect(result).toMatchObject({ exitCode: 0, isTimedOut: false });
    expect(isRunning(pid), 'it goes on').toBe(true);
    process.kill(Number(pid), 'SIGKILL');
  });

  it('fails with the system’s word when there is no such program', async () => {
    await expect(runCommand({ file: '/nonexistent/program', args: [], env, timeoutMs: 1000 })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

const isRunning = (pid: string): boolean => existsSync(`/proc/${pid}`);
