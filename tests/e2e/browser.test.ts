// The tests' browser is not disturbed by networks that other tests make.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { findProgram } from '../../scripts/binaries.ts';

const start = path.join(import.meta.dirname, 'browser-alone.py');
const ask = (kind: string): string => {
  const code = `import socket; socket.socket(${kind})`;
  const { stdout, stderr } = spawnSync(start, ['-c', code], {
    env: { ...process.env, ARBORETUM_TEST_CHROMIUM: findProgram('python3') ?? '' },
    encoding: 'utf8',
  });
  return `${stdout}${stderr}`;
};

it.runIf(process.platform === 'linux')('hears nothing of network cards, and has every other socket', () => {
  // Python asks with SOCK_CLOEXEC by itself, as glibc does: that one is left.
  expect(ask('socket.AF_NETLINK, socket.SOCK_RAW')).toBe('');
  expect(ask('socket.AF_INET, socket.SOCK_STREAM')).toBe('');
  const raw = `import ctypes, os; c = ctypes.CDLL(None, use_errno=True); print(c.socket(16, 3, 0), os.strerror(ctypes.get_errno()))`;
  const { stdout } = spawnSync(start, ['-c', raw], { env: { ...process.env, ARBORETUM_TEST_CHROMIUM: findProgram('python3') ?? '' }, encoding: 'utf8' });
  expect(stdout.trim()).toBe('-1 Address family not supported by protocol');
});
