// Names that people can read: each instance has its own at the Dokku host's nginx, and nobody else has it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveApp } from '../../platforms/dokku/host.ts';
import { appsCreate, domainsSet } from '../../platforms/dokku-commands.ts';
import type { ReplayHost } from '../dokku/replay-host.ts';
import { type DokkuStand, replaySite, standOn } from './dokku-stand.ts';
import { makeSpec, refusal } from './instances.ts';
import { never } from './stand.ts';

describe('the name of an instance on a Dokku host', { timeout: 120_000 }, () => {
  let replay: ReplayHost;
  let stand: DokkuStand;

  beforeAll(async () => {
    const site = await replaySite();
    [replay, stand] = [site.replay, await standOn(site)];
  }, 60_000);

  afterAll(async () => await stand.close(), 60_000);

  const namesOf = (instanceId: string): readonly string[] => replay.state.app(liveApp(instanceId)).domains;

  it('is the wanted one and no other, also after a second call and under a new domain', async () => {
    const spec = makeSpec({ hostName: 'trust-game.lab.test' });
    await stand.platform.create(spec, never);
    expect(namesOf(spec.instanceId)).toEqual(['trust-game.lab.test']);
    const before = replay.commands().length;
    await stand.platform.create(spec, never);
    expect(namesOf(spec.instanceId)).toEqual(['trust-game.lab.test']);
    // Each one rebuilds nginx's configuration, which takes seconds.
    const lines = replay.commands().slice(before);
    expect(lines.filter(({ line }) => line.startsWith('domains:set'))).toEqual([]);
    await stand.platform.create({ ...spec, hostName: 'trust-game.exp.test' }, never);
    expect(namesOf(spec.instanceId)).toEqual(['trust-game.exp.test']);
    await stand.platform.destroy(spec, never);
  });

  it('is refused with the app that has it, and nothing is made', async () => {
    await stand.connection.run(appsCreate('blog'));
    await stand.connection.run(domainsSet('blog', ['news.lab.test']));
    const spec = makeSpec({ hostName: 'news.lab.test' });
    const error = await refusal(stand.platform.create(spec, never));
    expect(error.message).toBe('The app “blog” on the Dokku host has the address news.lab.test already.');
    expect([...replay.state.apps.keys()]).toEqual(['blog']);
    expect([...replay.state.services.keys()]).toEqual([]);
  });

  it('is what Dokku gives by itself where none is wanted', async () => {
    const spec = makeSpec();
    await stand.platform.create(spec, never);
    expect(namesOf(spec.instanceId)).toEqual([`${liveApp(spec.instanceId)}.lab.test`]);
    await stand.platform.destroy(spec, never);
    expect(replay.unrecorded()).toEqual([]);
  });

  it('nothing was asked that no recording answers', () => expect(replay.unrecorded()).toEqual([]));
});
