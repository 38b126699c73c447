// Instances: made with secrets of their own, seen by those who may, named once.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInstanceSchema, instanceListQuery, instanceNameSchema } from '../../contracts/instances.ts';
import { mayFollow } from '../../contracts/states.ts';
import { gitRemoteUrl, instanceUrl, resolveAddressMode } from '../../domain/addresses.ts';
import { ConfigProblem, loadConfig } from '../../domain/config.ts';
import { configurationPage } from '../../domain/settings.ts';
import { guard } from '../../domain/guard.ts';
import { listInstances } from '../../domain/instance-list.ts';
import { createInstance, showInstance } from '../../domain/instances.ts';
import { makeSealer } from '../../domain/sealing.ts';
import { routeOf, type RoutedInstance } from '../../domain/routes.ts';
import { specOf } from '../../domain/specs.ts';
import type { Platform } from '../../platforms/platform.ts';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { aUser, anInstance, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

describe('creating an instance', () => {
  it('writes row and job together, and the job reaches the queue', async () => {
    const owner = await aUser(ctx);
    const { name, job } = await createInstance(ctx, owner, { name: 'trust-game', ownerId: owner.id });
    expect(name).toBe('trust-game');
    expect(ctx.queued).toContain(job.id);
    const row = await ctx.db.instance.findFirstOrThrow({ where: { name } });
    expect(row).toMatchObject({ state: 'creating', intent: 'run', authLevel: 'STUDY', isProduction: true, port: null });
    const view = await showInstance(ctx, owner, row);
    expect(view).toMatchObject({ standing: 'owner', url: 'http://trust-game.localhost:8080', git: { remoteUrl: 'ssh://git@localhost:2222/trust-game.git' } });
  });

  it('by ten people at once under one name succeeds once', async () => {
    const owner = await aUser(ctx);
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => createInstance(ctx, owner, { name: 'one-name', ownerId: owner.id })));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'name_taken' });
  });

  it('frees the name when the one before is deleted', async () => {
    const { id } = await anInstance(ctx, { name: 'again' });
    await ctx.db.instance.update({ where: { id }, data: { deletedAt: new Date() } });
    await anInstance(ctx, { name: 'again' });
  });

  it('gives every instance secrets of its own, sealed and bound to their place', async () => {
    const [a, b] = await Promise.all([anInstance(ctx), anInstance(ctx)]);
    const [one, two] = [specOf(ctx, a), specOf(ctx, b)];
    for (const name of ['adminPassword', 'secretKey', 'roomSecret', 'restKey', 'databasePassword'] as const)
      expect(one[name].open()).not.toBe(two[name].open());
    expect(JSON.stringify(one)).not.toContain(one.adminPassword.open());
    expect(String(one.secretKey)).toBe('[redacted]');
    expect(() => specOf(ctx, { ...a, adminPassword: b.adminPassword })).toThrow();
    expect(() => specOf({ ...ctx, sealer: makeSealer(Buffer.alloc(32)) }, a)).toThrow(/another key/);
  });

  it('in mode port takes the next free port of the range', async () => {
    const panel = await testContext({ ADDRESS_MODE: 'port', INSTANCE_PORTS: '10001-10002', PUBLIC_URL: 'http://192.0.2.7:8080' });
    try {
      const owner = await aUser(panel);
      for (const name of ['first-one', 'second-one']) await createInstance(panel, owner, { name, ownerId: owner.id });
      await expect(createInstance(panel, owner, { name: 'third-one', ownerId: owner.id })).rejects.toMatchObject({ code: 'platform_failed' });
      const rows = await panel.db.instance.findMany({ orderBy: { port: 'asc' } });
      expect(rows.map((row) => instanceUrl(panel.config, row))).toEqual(['http://192.0.2.7:10001', 'http://192.0.2.7:10002']);
    } finally {
      await panel.close();
    }
  });
});

describe('seeing instances', () => {
  it('shows an experimenter their own and a manager all', async () => {
    const [owner, other, manager] = await Promise.all([aUser(ctx), aUser(ctx), aUser(ctx, { role: 'manager' })]);
    const { name } = await anInstance(ctx, { ownerId: owner.id });
    const names = async (person: typeof owner): Promise<string[]> =>
      (await listInstances(ctx, person, instanceListQuery.parse({}))).instances.map((row) => row.name);
    expect(await names(owner)).toEqual([name]);
    expect(await names(other)).toEqual([]);
    expect(await names(manager)).toContain(name);
  });
});

describe('names', () => {
  it.each(['a', 'ab', 'Trust', '1abc', 'a-', '-a', 'a_b', 'xn--abc', 'a--b', 'lobby', 'x'.repeat(41), 'a b', 'ä-game', 'a.b', "a'; rm"])(
    'refuses %j',
    (name) => {
      expect(createInstanceSchema.safeParse({ name }).success).toBe(false);
    },
  );
  it.each(['abc', 'trust-game', 'a1-b2', 'x'.repeat(40)])('takes %j', (name) => {
    expect(instanceNameSchema.parse(name)).toBe(name);
  });
});

describe('addresses', () => {
  it('are sub-domains under localhost and ports under a bare IP address', async () => {
    expect(await resolveAddressMode(loadConfig({}))).toBe('subdomain');
    expect(await resolveAddressMode(loadConfig({ PUBLIC_URL: 'http://192.0.2.7:8080' }))).toBe('port');
    expect(await resolveAddressMode(loadConfig({ PUBLIC_URL: 'http://name-that-does-not-exist.invalid' }))).toBe('port');
    expect(gitRemoteUrl(loadConfig({ PUBLIC_URL: 'https://lab.example.org', GIT_SSH_PORT: '22222' }), 'abc')).toBe('ssh://git@lab.example.org:22222/abc.git');
  });
});

describe('on a Dokku host', () => {
  const config = () => loadConfig({ PLATFORM: 'dokku', DOKKU_HOST: 'dokku.lab.example', DOKKU_DOMAIN: 'exp.lab.example', DOKKU_HTTP_PORT: '8081' });

  it('instances have their address there, and no port here', async () => {
    const instance = { id: 'abc', name: 'trust', addressMode: 'subdomain', port: null, hostName: null, frontCertificateUntil: null };
    expect(instanceUrl(config(), instance)).toBe('http://trust.exp.lab.example:8081');
    expect(instanceUrl({ ...config(), DOKKU_HTTP_PORT: 80 }, instance)).toBe('http://trust.exp.lab.example');
    const secured = { ...instance, frontCertificateUntil: new Date() };
    expect(instanceUrl(config(), secured)).toBe('https://trust.exp.lab.example');
    expect(instanceUrl({ ...config(), DOKKU_HTTPS_PORT: 8443 }, secured)).toBe('https://trust.exp.lab.example:8443');
    expect(await resolveAddressMode(config())).toBe('subdomain');
  });

  it('the host and its domain must be named', () => {
    expect(() => loadConfig({ PLATFORM: 'dokku' })).toThrow('PLATFORM=dokku needs DOKKU_HOST and DOKKU_DOMAIN.');
  });

  it('the panel’s own front door shows nothing for them', () => {
    const instance = { id: 'abc', name: 'trust', port: null, intent: 'run', currentDeploymentId: 'd', formerAddresses: [] } as unknown as RoutedInstance;
    const routed = (upstreamSocket: string | null) =>
      routeOf({ config: config(), platform: { upstreamSocket: () => upstreamSocket } as unknown as Platform }, instance, () => null);
    expect(routed(null)).toBeNull();
    expect(routed('/run/i/abc/otree.sock')).toMatchObject({ upstreamSocket: '/run/i/abc/otree.sock' });
  });
});

describe('settings', () => {
  it('list every problem at once', () => {
    try {
      loadConfig({ PORT: 'eighty', GIT_SSH_PORT: '0', PUBLIC_URL: 'lab', ARBORETUM_ADMIN_EMAIL: 'ada@lab.example' });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigProblem);
      for (const name of ['PORT', 'GIT_SSH_PORT', 'PUBLIC_URL', 'ARBORETUM_ADMIN_EMAIL']) expect((error as ConfigProblem).message).toContain(name);
    }
  });

  it('are described in docs/configuration.md as they are', () => {
    expect(readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'configuration.md'), 'utf8')).toBe(configurationPage());
  });
});

describe('the guard', () => {
  const facts = { participantsInSession: 3 };
  it('refuses what would disturb people, unless a reason is given', () => {
    expect(() => guard({ state: 'running', facts }, undefined)).toThrow(/3 people/);
    expect(() => guard({ state: 'running', facts }, 'fire alarm')).not.toThrow();
    expect(() => guard({ state: 'stopped', facts }, undefined)).not.toThrow();
  });
});

describe('the table of states', () => {
  it('lets nothing follow deleted, and every living state be deleted', () => {
    expect(mayFollow('deleted', 'running')).toBe(false);
    expect(mayFollow('waiting', 'building')).toBe(true);
    for (const state of ['creating', 'waiting', 'running', 'stopped', 'crashed', 'failed', 'unknown'] as const) expect(mayFollow(state, 'deleting')).toBe(true);
  });
});
