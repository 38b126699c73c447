// The panel's own key for the Dokku host.

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, expect, it, vi } from 'vitest';
import { ensureKey } from '../../platforms/dokku/keys.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'arb-dokku-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('is made once, for its owner alone, and one that cannot be read is said', async () => {
  const file = path.join(folder, 'key');
  const made = await ensureKey(file);
  expect(made.publicKey).toMatch(/^ssh-ed25519 \S+ arboretum$/);
  expect([(await ensureKey(file)).publicKey, statSync(file).mode & 0o777]).toEqual([made.publicKey, 0o600]);
  writeFileSync(file, 'cut off');
  await expect(ensureKey(file)).rejects.toThrow('cannot be read');
});

it('is made once more when ssh2 cannot read what it made', async () => {
  const making = vi.spyOn(ssh2.utils, 'generateKeyPairSync').mockReturnValueOnce({ private: 'unreadable', public: '' });
  try {
    expect((await ensureKey(path.join(folder, 'second-try'))).publicKey).toMatch(/^ssh-ed25519 /);
    // The second one may happen to be such a key, too.
    expect(making.mock.calls.length).toBeGreaterThan(1);
  } finally {
    making.mockRestore();
  }
});
