// The front door without root: the same walk in a process of an ordinary user.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const NOBODY = 65_534;

test('an ordinary user starts, changes, loses and repairs the door; a port below 1024 is refused by name', async () => {
  const isRoot = process.getuid?.() === 0;
  const root = new URL('../../', import.meta.url);
  const argv = ['--import', 'tsx', 'tests/platforms/nginx-plain-walk.ts'];
  const { stdout } = await promisify(execFile)(process.execPath, argv, {
    cwd: root,
    env: { HOME: '/tmp', TMPDIR: '/tmp' },
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const told = JSON.parse(stdout) as Record<string, unknown>;
  expect(told).toMatchObject({ answer: 'one', fallback: 503, health: { state: 'ok' }, isSocketOpen: true, post: 500_000 });
  expect(told['uid']).not.toBe(0);
  // Containers may let everybody have low ports.
  const lowest = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  expect(told['refused']).toEqual(lowest > 1 ? ['low'] : []);
  expect(told['lowHttps']).toContain(lowest > 1 ? 'port 1 may not be opened: ports below 1024 belong to root.' : 'open');
  if (lowest > 1) expect(told['afterwards']).toBe('one');
}, 30_000);
