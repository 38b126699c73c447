// The Swarm platform with a PostgreSQL server for each instance: the contract's themes about data, and what such a server must live through.

import { afterAll, beforeAll, describe } from 'vitest';
import { engineForTests } from '../docker-engine.ts';
import { importPostgres, POSTGRES_IMAGE } from '../postgres-image.ts';
import { dumping, logsAndResets } from './contract-data.ts';
import { buildingAndRunning } from './contract-running.ts';
import { describePlatform } from './platform-contract.ts';
import { makeSwarmStand } from './swarm-stand.ts';

const engine = await engineForTests();
afterAll(async () => await engine?.stop(), 60_000);

describe.skipIf(engine === null)('with a database server for each instance', () => {
  beforeAll(async () => {
    if (engine !== null) await importPostgres(engine);
  }, 120_000);

  const own = { newDatabases: { on: 'own', image: POSTGRES_IMAGE } } as const;
  describePlatform('swarm', async () => await makeSwarmStand(engine, own), {
    testMs: 180_000,
    endsMs: 120_000,
    chosen: [buildingAndRunning, dumping, logsAndResets],
  });
});
