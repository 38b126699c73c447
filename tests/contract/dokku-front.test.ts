// Name and certificate of instances on a host that answers with recordings, and what goes over the wire for them.

import { expect, it } from 'vitest';
import { liveApp } from '../../platforms/dokku/host.ts';
import type { ReplayHost } from '../dokku/replay-host.ts';
import { describeFront } from './contract-front.ts';
import { replaySite, standOn } from './dokku-stand.ts';
import { makeSpec, refusal } from './instances.ts';
import { never } from './stand.ts';

let replay: ReplayHost | null = null;

describeFront(
  'a recorded Dokku host',
  async () => {
    const site = await replaySite();
    replay = site.replay;
    return await standOn(site);
  },
  { testMs: 180_000, endsMs: 120_000 },
);

it('asked nothing that no recording answers, sent each certificate once, and no key in a command line', () => {
  expect(replay?.unrecorded()).toEqual([]);
  const lines = replay?.commands().map(({ line }) => line) ?? [];
  expect(lines.filter((line) => line.startsWith('certs:add'))).toHaveLength(2);
  expect(lines.filter((line) => line.startsWith('certs:remove'))).toHaveLength(1);
  expect(lines.filter((line) => line.includes('PRIVATE KEY'))).toEqual([]);
});

it('a certificate by letsencrypt needs the plugin, and is asked for twice a day at most', async () => {
  const site = await replaySite();
  const stand = await standOn(site, { letsencryptEmail: 'lab@example.org' });
  const spec = makeSpec();
  try {
    await stand.platform.create(spec, never);
    const keep = () => stand.platform.keepFront({ instanceId: spec.instanceId, hostName: `${liveApp(spec.instanceId)}.lab.test`, certificate: null }, never);
    expect((await refusal(keep())).message).toContain('no plugin letsencrypt');
    const before = site.replay.commands().length;
    expect(await keep()).toEqual({ certificateUntil: null });
    const lines = site.replay.commands().slice(before);
    expect(lines.filter(({ line }) => /^(?:letsencrypt|plugin):/.test(line))).toEqual([]);
    expect(site.replay.unrecorded()).toEqual([]);
    await stand.platform.destroy(spec, never);
  } finally {
    await stand.close();
  }
}, 60_000);
