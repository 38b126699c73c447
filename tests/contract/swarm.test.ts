// The Swarm platform against the contract, on a real Docker Engine in Swarm mode.

import { afterAll, describe } from 'vitest';
import { engineForTests } from '../docker-engine.ts';
import { describePlatform } from './platform-contract.ts';
import { makeSwarmStand } from './swarm-stand.ts';

const engine = await engineForTests();
afterAll(async () => await engine?.stop(), 60_000);

describe.skipIf(engine === null)('with a Docker Engine of the tests’ own', () => {
  describePlatform('swarm', async () => await makeSwarmStand(engine), { testMs: 180_000, endsMs: 120_000 });
});
