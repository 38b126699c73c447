// The panel keeps names and certificates of running instances at a Dokku host, and their addresses follow what the host says.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { instanceUrl } from '../../domain/addresses.ts';
import { loadConfig } from '../../domain/config.ts';
import type { WorkerContext } from '../../domain/context.ts';
import { keepPlatformFronts } from '../../domain/platform-fronts.ts';
import { liveApp } from '../../platforms/dokku/host.ts';
import { makeCertificate } from '../contract/contract-front.ts';
import { type DokkuStand, replaySite, standOn } from '../contract/dokku-stand.ts';
import { deploy, makeSpec, TRUST_GAME } from '../contract/instances.ts';
import { never } from '../contract/stand.ts';
import type { ReplayHost } from '../dokku/replay-host.ts';
import { anInstance, testContext, type TestContext } from '../factories.ts';

describe('the round that keeps addresses on a Dokku host', { timeout: 180_000 }, () => {
  let spec = makeSpec();
  let base: TestContext;
  let replay: ReplayHost;
  let stand: DokkuStand;

  const around = (domain: string): WorkerContext => {
    const config = loadConfig({ PLATFORM: 'dokku', DOKKU_HOST: '127.0.0.1', DOKKU_DOMAIN: domain, DATA_DIR: base.config.layout.dataDir });
    return { ...base, config, platform: stand.platform, frontDoor: undefined as never };
  };
  const urlOf = async (domain: string): Promise<string> =>
    instanceUrl(around(domain).config, await base.db.instance.findUniqueOrThrow({ where: { id: spec.instanceId } }));

  beforeAll(async () => {
    const site = await replaySite();
    [base, replay, stand] = [await testContext(), site.replay, await standOn(site)];
    spec = makeSpec({ instanceId: (await anInstance(base, { name: 'trust', platform: 'dokku', intent: 'run', state: 'running' })).id });
    await deploy(stand.platform, spec, { dir: TRUST_GAME });
  }, 180_000);

  afterAll(async () => {
    await stand.platform.destroy(spec, never);
    await stand.close();
    await base.close();
  }, 60_000);

  it('brings a changed DOKKU_DOMAIN to a running instance without a deployment', async () => {
    const before = replay.commands().length;
    await keepPlatformFronts(around('exp.test'), async () => () => null);
    expect(replay.state.app(liveApp(spec.instanceId)).domains).toEqual(['trust.exp.test']);
    const asked = replay.commands().slice(before);
    expect(asked.filter(({ line }) => /^(?:git:|ps:)/.test(line))).toEqual([]);
    expect(await urlOf('exp.test')).toBe('http://trust.exp.test');
  });

  it('makes the address https when the host shows the certificate, and tells every page', async () => {
    const certificate = makeCertificate(['trust.exp.test'], 30);
    await keepPlatformFronts(around('exp.test'), async () => (hostName) => (hostName === 'trust.exp.test' ? certificate : null));
    expect(await urlOf('exp.test')).toBe('https://trust.exp.test');
    const [, summary] = await base.waitForEvent('instance', (_, { url }) => url.startsWith('https:'));
    expect(summary).toMatchObject({ name: 'trust', url: 'https://trust.exp.test' });
  });

  it('leaves an instance alone that a job is at', async () => {
    await base.db.job.create({ data: { id: 'job1', kind: 'stop', instanceId: spec.instanceId, actorName: 'Ada', state: 'running' } });
    const before = replay.commands().length;
    await keepPlatformFronts(around('other.test'), async () => () => null);
    expect(replay.commands().slice(before)).toEqual([]);
    await base.db.job.deleteMany();
  });

  it('says what went wrong, and goes on', async () => {
    const wrong = makeCertificate(['elsewhere.test'], 30);
    await keepPlatformFronts(around('exp.test'), async () => () => wrong);
    expect(base.logged).toContainEqual(
      expect.objectContaining({ message: 'an address could not be kept', fields: expect.objectContaining({ instance: 'trust' }) }),
    );
    expect(replay.unrecorded()).toEqual([]);
  });
});
