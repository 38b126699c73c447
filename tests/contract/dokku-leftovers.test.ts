// What Dokku may leave behind, a doubled container and a lock, is found, named and, where a command for it exists, put right.

import { chmod, mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveApp, trialApp } from '../../platforms/dokku/host.ts';
import { Container } from '../dokku/replay-container.ts';
import type { ReplayHost } from '../dokku/replay-host.ts';
import { type DokkuStand, replaySite, standOn } from './dokku-stand.ts';
import { build, deploy, makeSpec, stateOf, TRUST_GAME } from './instances.ts';
import { until } from './local-stand.ts';
import { never } from './stand.ts';

describe('leftovers on a Dokku host', { timeout: 180_000 }, () => {
  const spec = makeSpec();
  let replay: ReplayHost;
  let stand: DokkuStand;

  beforeAll(async () => {
    const site = await replaySite();
    [replay, stand] = [site.replay, await standOn(site)];
    await deploy(stand.platform, spec, { dir: TRUST_GAME });
  }, 180_000);

  afterAll(async () => {
    await stand.platform.destroy(spec, never);
    await stand.close();
  }, 60_000);

  it('a second container that still works on the data is named with its id, also by a panel that was started anew', async () => {
    const app = replay.state.app(liveApp(spec.instanceId));
    // The one before has had its time to end.
    if (app.container !== null) app.container.startedAt = new Date(Date.now() - 10 * 60_000);
    await until('its memory is known', async () => (await stateOf(stand.platform, spec)).memoryBytes !== null);
    expect(await stateOf(stand.platform, spec)).toMatchObject({ state: 'running', detail: null });
    // The same question tells what is free on the host's disk.
    expect((await stand.platform.lookAtHost())?.freeDiskMib).toBeGreaterThan(0);
    expect((await stand.anotherPlatform().lookAtHost()).freeDiskMib).toBeNull();
    const before = replay.commands().length;
    await stateOf(stand.platform, spec);
    await stateOf(stand.platform, spec);
    // Both are asked once a minute.
    expect(
      replay
        .commands()
        .slice(before)
        .filter(({ line }) => /^(?:enter|postgres:connect) /.test(line)),
    ).toEqual([]);
    const image = app.image;
    if (image === null) throw new Error('no image');
    const folder = await mkdtemp(path.join(os.tmpdir(), 'double-'));
    await chmod(folder, 0o711);
    const doubled = new Container({ image, config: app.config, name: 'web.1', folder, memoryMib: 0 });
    await doubled.start();
    app.retired.add(doubled);
    const sentence = `A second container of it still runs on the Dokku host (${doubled.id.slice(0, 12)}), which its reports do not show.`;
    const named = async (): Promise<boolean> => {
      const { state, detail } = await stateOf(stand.anotherPlatform(), spec);
      return state === 'running' && detail?.startsWith(sentence) === true;
    };
    await until('it is named', named);
    app.retired.delete(doubled);
    await doubled.remove();
    await until('it is gone', async () => (await stateOf(stand.anotherPlatform(), spec)).detail === null);
  });

  it('a lock of a deploy that was killed is taken away before the next one, of both apps', async () => {
    for (const app of [liveApp(spec.instanceId), trialApp(spec.instanceId)]) replay.state.app(app).isLocked = true;
    const platform = stand.anotherPlatform();
    await build(platform, spec, { dir: TRUST_GAME, number: 2 });
    await platform.selectRelease(spec, 2);
    await platform.stop(spec, never);
    await platform.start(spec, never);
    await until('it runs', async () => (await stateOf(platform, spec)).state === 'running');
    const lines = replay.commands().map(({ line }) => line);
    expect(lines.filter((line) => line.startsWith('apps:unlock'))).toHaveLength(2);
  });

  it('asked nothing that no recording answers', () => expect(replay.unrecorded()).toEqual([]));
});
