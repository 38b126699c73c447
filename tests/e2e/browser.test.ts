// The tests' browser is not disturbed by networks that other tests make.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { findProgram } from '../../scripts/binaries.ts';

const start = path.join(import.meta.dirname, 'browser-alone.py');
const run = (code: string): string => {
  const { stdout, stderr } = spawnSync(start, ['-c', code], {
    env: { ...process.env, ARBORETUM_TEST_CHROMIUM: findProgram('python3') ?? '' },
    encoding: 'utf8',
  });
  return `${stdout}${stderr}`;
};

it.runIf(process.platform === 'linux')('hears nothing of network cards, and has every other socket', () => {
  // Python asks with SOCK_CLOEXEC by itself, as glibc does: that one is left.
  expect(run('import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)')).toBe('');
  expect(run('import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM)')).toBe('');
  const raw = `import ctypes, os; c = ctypes.CDLL(None, use_errno=True); print(c.socket(16, 3, 0), os.strerror(ctypes.get_errno()))`;
  expect(run(raw).trim()).toBe('-1 Address family not supported by protocol');
});
