// PLATFORM=swarm: the worker starts whether or not an engine answers, and settings that cannot work are refused.

import { mkdir, mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../domain/config.ts';
import { openPlatform } from '../../worker/adapters.ts';
import { testContext, type TestContext } from '../factories.ts';
import { requireEnvironment } from '../contract/local-stand.ts';

describe('the worker with a Docker Engine', () => {
  let base: TestContext;
  let dataDir = '';
  const said: { message: string; fields: Readonly<Record<string, unknown>> | undefined }[] = [];
  const note = (message: string, fields?: Readonly<Record<string, unknown>>): void => void said.push({ message, fields });

  beforeAll(async () => {
    base = await testContext();
    dataDir = await mkdtemp(path.join(os.tmpdir(), 'arb-'));
    await mkdir(path.join(dataDir, 'repositories'));
  });
  afterAll(() => base.close());

  it('starts without an engine, says so, and says so again of every instance', async () => {
    const config = loadConfig({
      PLATFORM: 'swarm',
      DOCKER_SOCKET: path.join(dataDir, 'docker.sock'),
      DATA_DIR: dataDir,
      RUN_DIR: path.join(dataDir, 'run'),
      DATABASE_URL: requireEnvironment('ARBORETUM_TEST_DATABASE_URL'),
    });
    const platform = await openPlatform({ ...base, config, log: { info: note, warn: note, error: note } });
    expect(said).toEqual([
      {
        message: 'the Docker Engine cannot be used yet',
        fields: expect.objectContaining({ problem: expect.stringContaining('the Docker Engine does not answer.') }),
      },
    ]);
    expect(platform.kind).toBe('swarm');
    expect(await platform.capabilities()).toMatchObject({ memoryLimit: true, isolationNote: expect.stringContaining('a network that leads nowhere') });
    expect((await platform.observe(['never1made'])).get('never1made')).toMatchObject({ state: 'absent' });
  });

  it('holds both platforms of this machine whichever is set, and says nothing of an engine that nobody asked for', async () => {
    said.length = 0;
    const config = loadConfig({
      DOCKER_SOCKET: path.join(dataDir, 'docker.sock'),
      DATA_DIR: dataDir,
      RUN_DIR: path.join(dataDir, 'run'),
      DATABASE_URL: requireEnvironment('ARBORETUM_TEST_DATABASE_URL'),
    });
    const platform = await openPlatform({ ...base, config, log: { info: note, warn: note, error: note } });
    expect([platform.kind, said]).toEqual(['local', []]);
    expect(await platform.moving?.list()).toMatchObject([
      { kind: 'local', problem: expect.stringContaining('supervisord') },
      { kind: 'swarm', problem: expect.stringContaining('the Docker Engine does not answer') },
    ]);
    expect(platform.moving?.at('swarm').kind).toBe('swarm');
    expect(await platform.moving?.settle(AbortSignal.timeout(10_000))).toEqual([]);
  });

  it('refuses a database that containers could not reach', () => {
    const remote = { PLATFORM: 'swarm', DATABASE_URL: 'postgresql://arb:pw@db.example.org/arb' };
    expect(() => loadConfig(remote)).toThrow('needs SWARM_OUTBOUND=internet');
    expect(loadConfig({ ...remote, SWARM_OUTBOUND: 'internet' }).PLATFORM).toBe('swarm');
    expect(loadConfig({ PLATFORM: 'swarm', DATABASE_URL: 'postgresql://arb:pw@localhost/arb?host=/run/pg' }).SWARM_OUTBOUND).toBe('none');
  });

  it.each(['10.0.0.9', 'mysql://h/d', 'postgresql://arb:p#ss@h/d'])('refuses %s as an address of a database, in a sentence without it', (url) => {
    const refused = (): unknown => loadConfig({ PLATFORM: 'swarm', DATABASE_URL: url });
    expect(refused).toThrow('DATABASE_URL: postgresql://USER:PASSWORD@HOST');
    expect(refused).not.toThrow(url);
  });

  it('takes a registry’s user name with its password only, and prints the password nowhere', () => {
    const account = { SWARM_REGISTRY_USER: 'panel', SWARM_REGISTRY_PASSWORD: 'keep-me-out' };
    expect(() => loadConfig({ SWARM_REGISTRY: '10.0.0.1:5000', SWARM_REGISTRY_USER: 'panel' })).toThrow('go together');
    expect(() => loadConfig(account)).toThrow('needs SWARM_REGISTRY, the registry that it is for');
    const config = loadConfig({ ...account, SWARM_REGISTRY: '10.0.0.1:5000' });
    expect(config.SWARM_REGISTRY_PASSWORD?.open()).toBe('keep-me-out');
    expect(`${JSON.stringify(config)} ${inspect(config)}`).not.toContain('keep-me-out');
  });

  it('takes several base images, and no word that cannot be one', () => {
    expect(loadConfig({ SWARM_BASE_IMAGES: 'python:3.12-slim, registry.lab/python:3.11' }).SWARM_BASE_IMAGES).toEqual([
      'python:3.12-slim',
      'registry.lab/python:3.11',
    ]);
    expect(() => loadConfig({ SWARM_BASE_IMAGES: '--privileged' })).toThrow('names of images');
    expect(() => loadConfig({ DOCKER_SOCKET: 'tcp://host:2375' })).toThrow('a path that begins with /');
  });
});
