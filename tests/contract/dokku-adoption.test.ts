// Apps of others on a host that answers with recordings.

import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { ReplayHost } from '../dokku/replay-host.ts';
import { describeAdoption } from './contract-adoption.ts';
import { replaySite, standOn } from './dokku-stand.ts';
import { makeRepository } from './foreign-app.ts';
import { TRUST_GAME } from './instances.ts';

let replay: ReplayHost | null = null;

describeAdoption(
  'a recorded Dokku host',
  async () => {
    const site = await replaySite();
    replay = site.replay;
    const push = (app: string): void => {
      const repository = mkdtempSync(path.join(os.tmpdir(), 'app-git-'));
      makeRepository(repository, { from: TRUST_GAME, branch: 'main' });
      site.replay.state.app(app).repository = repository;
    };
    return { stand: await standOn(site), baseImage: site.baseImage, push };
  },
  { testMs: 120_000, endsMs: 60_000 },
);

it('asked nothing that no recording answers', () => expect(replay?.unrecorded()).toEqual([]));
