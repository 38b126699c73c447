// The Swarm platform with a PostgreSQL server for each instance: the contract's themes about data, and what such a server must live through.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InstanceDatabases } from '../../platforms/postgres.ts';
import { ownServerOf } from '../../platforms/swarm/database-server.ts';
import { BASE_IMAGE, engineForTests } from '../docker-engine.ts';
import { importNewerPostgres, importPostgres, NEWER_IMAGE, POSTGRES_IMAGE } from '../postgres-image.ts';
import { dumping, logsAndResets } from './contract-data.ts';
import { makeSpec, refusal, stateOf } from './instances.ts';
import { localDatabases } from './local-databases.ts';
import { livingThrough, ownServer } from './own-server.ts';
import { describePlatform } from './platform-contract.ts';
import { type Bench, never } from './stand.ts';
import { makeSwarmStand, type SwarmStand } from './swarm-stand.ts';

const engine = await engineForTests();
afterAll(async () => await engine?.stop(), 60_000);

const ownWith = (image: string) => ({ newDatabases: { on: 'own', image } }) as const;

/** The end, while it runs. */
function endingWithNothing(bench: Bench): void {
  it('goes with its instance, and nothing is left', async () => {
    await bench.platform.destroy(bench.spec, never);
    expect(await stateOf(bench.platform, bench.spec)).toMatchObject({ state: 'absent', hasOwnDatabaseServer: false });
    expect(await bench.stand.leftovers(bench.spec)).toEqual([]);
    expect(await engine?.docker.listVolumes().then(({ Volumes }) => Volumes)).toEqual([]);
    await bench.platform.destroy(bench.spec, never);
  });
}

describe.skipIf(engine === null)('with a database server for each instance', () => {
  beforeAll(async () => {
    if (engine !== null) await importPostgres(engine);
  }, 120_000);

  describePlatform('swarm', async () => await makeSwarmStand(engine, ownWith(POSTGRES_IMAGE)), {
    testMs: 240_000,
    endsMs: 120_000,
    chosen: [ownServer, dumping, logsAndResets, livingThrough, endingWithNothing],
  });

  describe('a new instance', { timeout: 120_000 }, () => {
    let stand: SwarmStand;
    const standWith = async (image: string): Promise<SwarmStand> => (stand = await makeSwarmStand(engine, ownWith(image)));

    it('is refused, with nothing made, where the image is newer than pg_dump', async () => {
      if (engine !== null) await importNewerPostgres(engine);
      const { platform, options, leftovers, close } = await standWith(NEWER_IMAGE);
      const spec = makeSpec();
      const refused = await refusal(platform.create(spec, never));
      expect(refused).toMatchObject({ code: 'postgres_too_new', details: { image: NEWER_IMAGE, server: 99 } });
      expect(refused.hint).toContain('SWARM_POSTGRES_IMAGE');
      expect(ownServerOf(options, spec.instanceId)).toBeNull();
      expect(await leftovers(spec)).toEqual([]);
      await close();
    });

    it('is refused in a sentence where the image has no PostgreSQL, or is nowhere', async () => {
      const reasonOf = async (image: string): Promise<unknown> => {
        const { platform, close } = await standWith(image);
        const { details } = await refusal(platform.create(makeSpec(), never));
        await close();
        return details['reason'];
      };
      expect(await reasonOf(BASE_IMAGE)).toContain('has no PostgreSQL server that runs');
      expect(await reasonOf('127.0.0.1:1/no-such-image:1')).toContain('is not on the Docker Engine and could not be fetched');
    });

    it('that comes with its data from the shared server stays there', async () => {
      const { platform, options, databases, close } = await standWith(POSTGRES_IMAGE);
      const spec = makeSpec();
      await new InstanceDatabases(options.postgres).create(spec.instanceId, spec.databasePassword);
      await platform.create(spec, never);
      expect(ownServerOf(options, spec.instanceId)).toBeNull();
      expect(await databases(spec)).toEqual(await localDatabases.databases(spec));
      expect(await platform.findTie(spec.instanceId)).toBeNull();
      await platform.destroy(spec, never);
      expect(await stand.leftovers(spec)).toEqual([]);
      await close();
    });
  });
});
