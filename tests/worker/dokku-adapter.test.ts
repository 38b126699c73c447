// PLATFORM=dokku: the worker makes its key, keeps the host's, and starts whether or not the host lets it in.

import { mkdir, mkdtemp, readFile, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../domain/config.ts';
import type { WorkerContext } from '../../domain/context.ts';
import { openPlatform } from '../../worker/adapters.ts';
import { usePlatform } from '../../worker/use-platform.ts';
import { requireEnvironment, until } from '../contract/local-stand.ts';
import { ReplayHost } from '../dokku/replay-host.ts';
import { testContext, type TestContext } from '../factories.ts';
import { openDoor } from './stand.ts';

describe('the worker with a Dokku host', () => {
  let base: TestContext;
  let host: ReplayHost;
  let dataDir: string;
  const said: { message: string; fields: Readonly<Record<string, unknown>> | undefined }[] = [];
  const note = (message: string, fields?: Readonly<Record<string, unknown>>): void => void said.push({ message, fields });
  const file = (name: string): string => path.join(dataDir, 'dokku', name);

  /** Opens the platform as the worker does at its start. */
  const open = async (port: number) => {
    said.length = 0;
    const config = loadConfig({ PLATFORM: 'dokku', DOKKU_HOST: '127.0.0.1', DOKKU_PORT: String(port), DOKKU_DOMAIN: 'lab.test', DATA_DIR: dataDir });
    return await openPlatform({ ...base, config, log: { info: note, warn: note, error: note } });
  };

  beforeAll(async () => {
    base = await testContext();
    dataDir = await mkdtemp(path.join(os.tmpdir(), 'arb-'));
    // Nothing answers on port 1: the key is made all the same.
    await open(1);
    const publicKey = (await readFile(file('id_ed25519.pub'), 'utf8')).trim();
    host = await ReplayHost.start({ publicKey, databaseUrl: requireEnvironment('ARBORETUM_TEST_DATABASE_URL') });
  });

  afterAll(async () => {
    await host.close();
    await base.close();
  });

  it('starts without the host, and says what to add there', async () => {
    await open(1);
    expect(said).toEqual([
      { message: 'the Dokku host cannot be used yet', fields: expect.objectContaining({ publicKey: (await readFile(file('id_ed25519.pub'), 'utf8')).trim() }) },
    ]);
    expect((await stat(file('id_ed25519'))).mode & 0o777).toBe(0o600);
  });

  it('comes in with the key that it made, and keeps the key that the host showed', async () => {
    await open(host.port);
    expect(said).toEqual([{ message: 'the Dokku host answers', fields: { host: '127.0.0.1', version: '0.38.27' } }]);
    expect((await readFile(file('host_key'), 'utf8')).trim()).toBe(host.fingerprint());
  });

  it('leaves no connection to the host open once another platform is in use', async () => {
    const platform = await open(host.port);
    const { layout } = base.config;
    for (const dir of [layout.repositoriesDir, layout.instancesDir, layout.toolsDir]) await mkdir(dir, { recursive: true });
    const ctx: WorkerContext = { ...base, config: { ...base.config, PLATFORM: 'dokku' }, platform, frontDoor: openDoor };
    expect(host.connections()).toBeGreaterThan(0);
    host.cut();
    await until('only the connection of this test is open', async () => {
      await platform.lookAtHost();
      return host.connections() === 1;
    });
    await usePlatform(ctx, 'local');
    expect(ctx.platform.kind).toBe('local');
    await until('it is closed', () => host.connections() === 0);
    // Somebody who asks late is answered, and leaves nothing open either.
    expect(await platform.lookAtHost()).toMatchObject({ version: '0.38.27' });
    await until('it is closed again', () => host.connections() === 0);
    ctx.platform.retire();
  });

  it('sends nothing to a host that shows another key after a restart of the panel', async () => {
    host.changeHostKey();
    const before = host.commands().length;
    await open(host.port);
    expect(String(said[0]?.fields?.['problem'])).toContain('another key than before');
    expect(host.commands()).toHaveLength(before);
  });
});
