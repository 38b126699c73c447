// Instances below a path on the local platform: they start there, change there without a build, and an oTree that cannot is refused in the trial.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstanceSpec, Platform } from '../../platforms/platform.ts';
import { build, deploy, LAB_GAMES, makeSpec, projectWith, refusal } from './instances.ts';
import { type LocalStand, makeLocalStand } from './local-stand.ts';
import { never, silent } from './stand.ts';

describe('below a path', { timeout: 120_000 }, () => {
  let stand: LocalStand;
  let platform: Platform;
  const specs: InstanceSpec[] = [];
  const roomUrls = async (spec: InstanceSpec): Promise<string[]> => {
    const { body } = await platform.askOtree(spec, { method: 'GET', path: '/api/rooms', timeoutMs: 30_000 });
    return (JSON.parse(body) as { url: string }[]).map(({ url }) => new URL(url).pathname);
  };

  beforeAll(async () => {
    stand = await makeLocalStand();
    platform = stand.platform;
  }, 60_000);

  afterAll(async () => {
    try {
      for (const spec of specs) await platform.destroy(spec, never);
    } finally {
      await stand.close();
    }
  }, 60_000);

  it('an instance moves below a path and back by a restart', async () => {
    const spec = makeSpec();
    specs.push(spec);
    await deploy(platform, spec, { dir: LAB_GAMES });
    expect(await roomUrls(spec)).toEqual(['/room/lab', '/room/online']);
    await platform.stop(spec, never);
    const below = { ...spec, pathPrefix: '/otree/trust' };
    await platform.start(below, never);
    expect(await roomUrls(below)).toEqual(['/otree/trust/room/lab', '/otree/trust/room/online']);
    await platform.stop(below, never);
    await platform.start(spec, never);
    expect(await roomUrls(spec)).toEqual(['/room/lab', '/room/online']);
  });

  it('an oTree that cannot live there is refused by the trial, with the other ways named', async () => {
    const spec = makeSpec({ pathPrefix: '/otree/trust' });
    specs.push(spec);
    await platform.create(spec, never);
    const survey = readFileSync(path.join(LAB_GAMES, 'survey', '__init__.py'), 'utf8');
    const other = "import otree.channels.utils as utils\nfor name in [name for name in vars(utils) if name.endswith('_path')]:\n    delattr(utils, name)\n";
    const dir = await projectWith(LAB_GAMES, { 'survey/__init__.py': `${survey}\n${other}` });
    await build(platform, spec, { dir, number: 1 });
    const error = await refusal(platform.tryRelease(spec, 1, silent));
    expect(error.message).toMatch(/^This oTree version \(\d+\.\d+\.\d+\) cannot live under a path\.$/);
    expect(error).toMatchObject({ code: 'path_not_supported', hint: expect.stringContaining('a port of its own or a host name of its own') });
  });
});
