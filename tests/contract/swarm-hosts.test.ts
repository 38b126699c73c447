// The Swarm platform with two hosts: instances on the second one, through gate and registry, and the loss of that host.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstanceSpec, Platform } from '../../platforms/platform.ts';
import { HOST_LABEL } from '../../platforms/swarm/names.ts';
import { engineForTests, PRIVATE } from '../docker-engine.ts';
import { joinSwarm, type SecondHost, startSecondHost } from '../second-host.ts';
import { dumping, logsAndResets } from './contract-data.ts';
import { ending } from './contract-ending.ts';
import { roomsOfThePanel } from './contract-rooms.ts';
import { buildingAndRunning, standingCrashes } from './contract-running.ts';
import { describePlatform } from './platform-contract.ts';
import { makeSwarmStand } from './swarm-stand.ts';

const engine = await engineForTests();
let second: SecondHost;
let nodes: { first: string; second: string };
const stand = async () => await makeSwarmStand(engine, { registry: PRIVATE.registry, advertiseAddress: PRIVATE.first }, [second.docker]);

/** Whether a host is to take instances. */
async function takes(nodeId: string, isWanted: boolean): Promise<void> {
  const node = engine?.docker.getNode(nodeId);
  const { Version, Spec } = (await node?.inspect()) as { Version: { Index: number }; Spec: { Labels?: Record<string, string> } };
  const { [HOST_LABEL.name]: _before, ...others } = Spec.Labels ?? {};
  await node?.update({ version: Version.Index, ...Spec, Labels: { ...others, ...(isWanted ? {} : { [HOST_LABEL.name]: HOST_LABEL.none }) } });
}

afterAll(async () => {
  await second?.stop();
  await engine?.stop();
}, 120_000);

describe.skipIf(engine === null)('with a second host', () => {
  beforeAll(async () => {
    if (engine === null) return;
    second = await startSecondHost();
    await engine.docker.swarmInit({ AdvertiseAddr: PRIVATE.first, ListenAddr: `${PRIVATE.first}:2377`, DataPathAddr: PRIVATE.first });
    nodes = await joinSwarm(engine.docker, second.docker);
    await takes(nodes.first, false);
  }, 180_000);

  describePlatform('swarm (on the other host)', stand, {
    testMs: 180_000,
    endsMs: 120_000,
    chosen: [buildingAndRunning, roomsOfThePanel, standingCrashes, dumping, logsAndResets, ending],
  });
});
