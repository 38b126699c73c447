// The Dokku platform against the contract, on a host that answers with recordings of a real one.

import { expect, it } from 'vitest';
import { replaySite, standOn } from './dokku-stand.ts';
import { describePlatform } from './platform-contract.ts';

let unrecorded: () => readonly string[] = () => ['the suite did not run'];

describePlatform(
  'dokku',
  async () => {
    const site = await replaySite();
    unrecorded = () => site.replay.unrecorded();
    return await standOn(site);
  },
  { testMs: 180_000, endsMs: 120_000 },
);

it('asked nothing that no recording answers', () => expect(unrecorded()).toEqual([]));
