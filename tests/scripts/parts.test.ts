// The small parts of the scripts that can be looked at alone.

import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layoutOf } from '../../platforms/layout.ts';
import { findListener } from '../../scripts/port-owner.ts';
import { checkPort } from '../../scripts/preflight.ts';
import { identify, isAlive, readPid } from '../../scripts/process-identity.ts';
import { rotateLogs } from '../../scripts/rotate-logs.ts';
import { ensureSecretKey } from '../../scripts/secret-key.ts';
import { deriveSecret } from '../../scripts/service-secrets.ts';
import { groundUnit, panelUnit, supervisorConfig } from '../../scripts/service-units.ts';
import { takeLock } from '../../scripts/start-lock.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'parts-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('derived service secrets', () => {
  it('are the same for the same key and purpose, for good', () => {
    // Fixed: another derivation would lock every panel out of its own database.
    expect(deriveSecret(Buffer.alloc(32, 7), 'postgres role arboretum')).toMatchInlineSnapshot(`"TShGSJ1H3FwScK-8yxmbnFJWN8v1T4fW_GUWhYlKNJM"`);
  });

  it('differ by key and by purpose and need no quoting', () => {
    const key = randomBytes(32);
    expect(new Set([deriveSecret(key, 'redis'), deriveSecret(key, 'postgres role arboretum'), deriveSecret(randomBytes(32), 'redis')]).size).toBe(3);
    expect(deriveSecret(key, 'redis')).toMatch(/^[\w-]{43}$/);
  });
});

describe('the panel’s key', () => {
  const fresh = () => layoutOf(mkdtempSync(path.join(dir, 'data-')), path.join(dir, 'run'));

  it('is made once, for its owner’s eyes only', () => {
    const layout = fresh();
    const key = ensureSecretKey(layout, undefined, null);
    expect(key).toHaveLength(32);
    expect(statSync(layout.secretKeyFile).mode & 0o777).toBe(0o600);
    expect(ensureSecretKey(layout, undefined, null)).toEqual(key);
  });

  it('that is lost stops the start instead of being replaced', () => {
    const layout = fresh();
    ensureSecretKey(layout, undefined, null);
    rmSync(layout.secretKeyFile);
    expect(() => ensureSecretKey(layout, undefined, null)).toThrow(`The panel’s key is missing: ${layout.secretKeyFile}.`);
    expect(existsSync(layout.secretKeyFile)).toBe(false);
  });

  it('that is another one stops the start', () => {
    const layout = fresh();
    ensureSecretKey(layout, undefined, null);
    writeFileSync(layout.secretKeyFile, randomBytes(32).toString('base64'));
    expect(() => ensureSecretKey(layout, undefined, null)).toThrow('not the one that its data were sealed with');
  });
});

describe('the start lock', () => {
  it('names the process that holds it, and is free after its release', () => {
    const file = path.join(dir, 'start.lock');
    const lock = takeLock(file);
    expect(takeLock(file)).toEqual({ holder: identify(process.pid) });
    if ('release' in lock) lock.release();
    expect('release' in takeLock(file)).toBe(true);
  });

  it('is taken over from a process that is gone, also when its number belongs to another one now', () => {
    const file = path.join(dir, 'stale.lock');
    writeFileSync(file, JSON.stringify({ pid: process.pid, startedAt: '1' }));
    expect('release' in takeLock(file)).toBe(true);
    expect(readPid(file)).toEqual(identify(process.pid));
  });

  it('does not take a stranger with the same number for a process of before', () => {
    expect(isAlive({ pid: process.pid, startedAt: '1' })).toBe(false);
    expect(identify(2 ** 22 + 1)).toBeNull();
  });
});

describe('a port in use', () => {
  it('is refused with one sentence that names who listens there', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    expect(findListener(port)).toMatch(new RegExp(`\\(process ${process.pid}\\)$`));
    await expect(checkPort('PORT', port)).rejects.toThrow(`Port ${port} (PORT) is in use by `);
    await new Promise((resolve) => server.close(resolve));
    await expect(checkPort('PORT', port)).resolves.toBeUndefined();
  });
});

describe('logs', () => {
  it('that grow too large are copied away and emptied, and the oldest is dropped', () => {
    const logs = mkdtempSync(path.join(dir, 'logs-'));
    for (let round = 1; round <= 5; round += 1) {
      writeFileSync(path.join(logs, 'server.log'), Buffer.alloc(10 * 1024 ** 2 + 1, String(round)));
      rotateLogs(logs);
    }
    const first = (number: number): string => readFileSync(path.join(logs, `server.log.${number}`), 'utf8').slice(0, 1);
    expect([first(1), first(2), first(3), existsSync(path.join(logs, 'server.log.4')), statSync(path.join(logs, 'server.log')).size]).toEqual([
      '5',
      '4',
      '3',
      false,
      0,
    ]);
  });
});

describe('service texts', () => {
  const place = {
    root: '/srv/my $lab 100%',
    node: '/usr/bin/node',
    envFile: '/data/service/settings.env',
    path: '/usr/bin:/bin',
    dataDir: '/data',
    toolsDir: '/data/tools',
    pidFile: '/run/a/service.pid',
    socket: '/run/a/service.sock',
  };

  it('quote paths for systemd and for supervisord', () => {
    expect(panelUnit(place)).toContain('ExecStart="/usr/bin/node" "--env-file=/data/service/settings.env" "/srv/my $$lab 100%%/scripts/start.mjs" "start"');
    expect(supervisorConfig(place)).toContain('"/srv/my $lab 100%%/scripts/start.mjs"');
  });

  it('end no experiment with the panel, and bring both back', () => {
    for (const unit of [groundUnit(place), panelUnit(place)])
      expect(unit).toMatch(/\nRestart=always\nRestartSec=2\n[^]*\nKillMode=process\n[^]*WantedBy=multi-user\.target/);
    expect(groundUnit(place)).toContain('ExecStop=');
    expect(panelUnit(place)).not.toContain('ExecStop=');
  });
});
