// What `npm run test:dokku` says before it begins, and that it clears away its own things and nobody else's.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DokkuConnection } from '../../platforms/dokku/connection.ts';
import { appsCreate, postgresCreate } from '../../platforms/dokku-commands.ts';
import { Secret } from '../../platforms/secret.ts';
import { clearHost, lookAtHost, type TestHost } from '../../scripts/test-dokku-host.ts';
import { requireEnvironment } from '../contract/local-stand.ts';
import { ReplayHost } from '../dokku/replay-host.ts';
import { newSshKey } from '../../platforms/ssh-key.ts';

const root = path.join(import.meta.dirname, '..', '..');
const home = mkdtempSync(path.join(os.tmpdir(), 'test-dokku-'));
const key = path.join(home, 'key');
const keys = newSshKey();
let host: ReplayHost;
beforeAll(async () => {
  writeFileSync(key, keys.private, { mode: 0o600 });
  host = await ReplayHost.start({ publicKey: keys.public, databaseUrl: requireEnvironment('ARBORETUM_TEST_DATABASE_URL') });
});
afterAll(async () => {
  await host.close();
  rmSync(home, { recursive: true, force: true });
});

const site = (more: Partial<TestHost> = {}): TestHost => ({
  host: '127.0.0.1',
  port: host.port,
  key,
  user: 'dokku',
  'http-port': host.httpPort,
  'https-port': host.httpsPort,
  run: 'ab12',
  ...more,
});

function start(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--import', 'tsx', path.join(root, 'scripts', 'test-dokku.ts'), ...args], { cwd: root, encoding: 'utf8' });
}

describe('npm run test:dokku', () => {
  it('names every option, what the host needs and what it makes there', () => {
    const { status, stdout } = start('--help');
    expect(status).toBe(0);
    for (const option of ['host', 'key', 'port', 'user', 'host-key', 'base-image', 'python', 'http-host', 'http-port', 'https-port', 'index-url', 'ca-file'])
      expect(stdout).toMatch(new RegExp(`^  --${option}\\b`, 'm'));
    expect(stdout).toContain('dokku plugin:install https://github.com/dokku/dokku-postgres.git');
    expect(stdout).toContain('i-t…');
  });

  it.each([
    [[], '✗ --host is missing'],
    [['--host', 'h'], '✗ --key is missing'],
    [['--host', 'h', '--key', '/no/such/key'], '✗ --key /no/such/key cannot be read (ENOENT).'],
    [['--host', 'h', '--key', key, '--port', 'many'], '✗ --port many is no port.'],
    [['--hots', 'h'], '✗ Unknown option'],
  ])('with %j says what is missing in one sentence, and begins nothing', (args, sentence) => {
    const { status, stderr } = start(...args);
    expect(status).toBe(2);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('    at ');
  });
});

describe('the host of the suite', () => {
  it('is looked at first', async () => {
    expect(await lookAtHost(site())).toEqual({ version: '0.38.27', domain: 'lab.test', webProblem: null });
    await expect(lookAtHost(site({ port: 9 }))).rejects.toThrow('it refuses connections on port 9');
    // A host without any app may listen nowhere yet.
    expect(await lookAtHost(site({ 'http-port': 9 }))).toMatchObject({ webProblem: 'nobody answers at http://127.0.0.1:9 (ECONNREFUSED)' });
    await expect(lookAtHost(site({ 'host-key': `SHA256:${'A'.repeat(43)}` }))).rejects.toThrow('another key than --host-key says');
    const other = path.join(home, 'other');
    writeFileSync(other, newSshKey().private);
    await expect(lookAtHost(site({ key: other }))).rejects.toThrow(`does not accept the key ${other}`);
    writeFileSync(other, 'no key');
    await expect(lookAtHost(site({ key: other }))).rejects.toThrow('is no private key');
  });

  it('loses what this run left there, and keeps everything else', async () => {
    const connection = new DokkuConnection({ host: '127.0.0.1', port: host.port, user: 'dokku', privateKey: new Secret(keys.private), hostKey: null });
    const [ours, theirs] = ['i-tab121234567', 'i-tcd341234567'];
    for (const name of [ours, `${ours}-try`, theirs, 'i-tab12']) await connection.run(appsCreate(name));
    for (const name of [ours, `${ours}-r00ff00ff`, theirs]) await connection.run(postgresCreate(name));
    expect(await clearHost(site())).toEqual([ours, `${ours}-try`, `${ours} (postgres)`, `${ours}-r00ff00ff (postgres)`]);
    expect([...host.state.apps.keys()].toSorted()).toEqual(['i-tab12', theirs]);
    expect([...host.state.services.keys()]).toEqual([theirs]);
    expect(await clearHost(site())).toEqual([]);
    await connection.close();
    expect(host.unrecorded()).toEqual([]);
  });
});
