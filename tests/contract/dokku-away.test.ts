// A Dokku host that cannot be asked: what was seen last stays, how it is now is unknown, and why is said.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReplayHost } from '../dokku/replay-host.ts';
import { type DokkuStand, replaySite, standOn } from './dokku-stand.ts';
import { makeSpec, stateOf } from './instances.ts';
import { never } from './stand.ts';

describe('an instance on a Dokku host that cannot be asked', { timeout: 120_000 }, () => {
  let replay: ReplayHost;
  let stand: DokkuStand;
  const spec = makeSpec();
  const seen = async () => await stateOf(stand.platform, spec);

  beforeAll(async () => {
    const site = await replaySite();
    [replay, stand] = [site.replay, await standOn(site)];
    await stand.platform.create(spec, never);
  }, 60_000);

  afterAll(async () => await stand.close(), 60_000);

  it('is unknown since a time and for a reason, and known again when the host is back', async () => {
    expect(await seen()).toMatchObject({ state: 'stopped' });
    await replay.stop();
    await expect.poll(seen).toMatchObject({
      state: 'unknown',
      detail: expect.stringMatching(/^The Dokku host cannot be reached since \d\d:\d\d UTC: it refuses connections on port \d+\.$/),
    });
    expect(await stand.platform.lookAtHost()).toMatchObject({ isUp: false, version: null, problems: [expect.stringContaining('it refuses connections')] });
    await replay.revive();
    await expect.poll(seen).toMatchObject({ state: 'stopped', detail: null });
  });

  it('is unknown when the host shows another key, with what to do', async () => {
    const before = replay.fingerprint();
    replay.changeHostKey();
    replay.cut();
    const detail = `The host 127.0.0.1 shows another key than before, so nothing was sent to it. If it was set up anew, set DOKKU_HOST_KEY to ${replay.fingerprint()} and start the panel again. If not, somebody else may be answering.`;
    await expect.poll(seen).toMatchObject({ state: 'unknown', detail });
    expect(await stand.platform.lookAtHost()).toMatchObject({ isUp: false, hostKey: before, problems: [detail] });
  });
});
