// The Swarm platform with two hosts: instances on the second one, through gate and registry, and the loss of that host.

import os from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlatformHost } from '../../platforms/hosts.ts';
import type { InstanceSpec, Platform } from '../../platforms/platform.ts';
import { Secret } from '../../platforms/secret.ts';
import { reportOnEngine } from '../../platforms/swarm/engine-report.ts';
import { GATE, gateName, HOST_LABEL, LABEL, serviceName } from '../../platforms/swarm/names.ts';
import type { RegistryAccount } from '../../platforms/swarm/registry-account.ts';
import { engineForTests, PRIVATE } from '../docker-engine.ts';
import { joinSwarm, REGISTRY_ACCOUNT, SECOND_NAME, type SecondHost, startSecondHost } from '../second-host.ts';
import { dumping, logsAndResets } from './contract-data.ts';
import { roomsOfThePanel } from './contract-rooms.ts';
import { buildingAndRunning, standingCrashes } from './contract-running.ts';
import { build, deploy, makeSpec, projectWith, refusal, stateOf, TRUST_GAME } from './instances.ts';
import { until } from './local-stand.ts';
import { never } from './stand.ts';
import { describePlatform } from './platform-contract.ts';
import { makeSwarmBench } from './swarm-rogue.ts';
import { makeSwarmStand, type SwarmStand } from './swarm-stand.ts';
import { tryTheWalls } from './swarm-wall-probe.ts';

const engine = await engineForTests();
let second: SecondHost;
let nodes: { first: string; second: string };
const account = (password: string) => ({ user: REGISTRY_ACCOUNT.user, password: new Secret(password) });
const stand = async (registryAccount: RegistryAccount | null = account(REGISTRY_ACCOUNT.password)) =>
  await makeSwarmStand(engine, { registry: PRIVATE.registry, registryAccount, advertiseAddress: PRIVATE.first }, [second.docker]);

/** Whether a host is to take instances. */
async function takes(nodeId: string, isWanted: boolean): Promise<void> {
  if (engine === null) return;
  const node = engine.docker.getNode(nodeId);
  const { Version, Spec } = (await node.inspect()) as { Version: { Index: number }; Spec: { Labels?: Record<string, string> } };
  const { [HOST_LABEL.name]: _before, ...others } = Spec.Labels ?? {};
  await node.update({ version: Version.Index, ...Spec, Labels: { ...others, ...(isWanted ? {} : { [HOST_LABEL.name]: HOST_LABEL.none }) } });
}

/** What the engine's report says of a registry. */
const registryBy = async (registryAccount: RegistryAccount | null, registry: string = PRIVATE.registry) =>
  (await reportOnEngine({ socket: engine?.socket ?? '', baseImages: [], postgresImage: null, panelId: 'x', registry, registryAccount })).facts?.registry;

/** Address of an instance's gate in the instance's own network. */
async function gateOf({ instanceId }: InstanceSpec): Promise<string> {
  const filters = { label: [`${LABEL.instance}=${instanceId}`, `${LABEL.part}=gate`] };
  const [gate] = (await engine?.docker.listContainers({ filters })) ?? [];
  return gate?.NetworkSettings.Networks[serviceName(instanceId)]?.IPAddress ?? '';
}

afterAll(async () => {
  await second?.stop();
  await engine?.stop();
}, 120_000);

describe.skipIf(engine === null)('with a second host', () => {
  beforeAll(async () => {
    if (engine === null) return;
    second = await startSecondHost({ isLocked: true });
    await engine.docker.swarmInit({ AdvertiseAddr: PRIVATE.first, ListenAddr: `${PRIVATE.first}:2377`, DataPathAddr: PRIVATE.first });
    nodes = await joinSwarm(engine.docker, second.docker);
    await takes(nodes.first, false);
  }, 180_000);

  describePlatform('swarm (on the other host)', async () => await stand(), {
    testMs: 180_000,
    endsMs: 120_000,
    chosen: [buildingAndRunning, roomsOfThePanel, standingCrashes, dumping, logsAndResets],
  });

  describe('and its walls', { timeout: 300_000 }, () => {
    const bench = makeSwarmBench([]);
    beforeAll(async () => {
      bench.stand = await stand();
      for (const spec of [bench.quiet, bench.rogue]) await bench.deployRogue(spec);
    }, 420_000);
    afterAll(async () => {
      for (const spec of [bench.quiet, bench.rogue]) await bench.stand.platform.destroy(spec, never);
      await bench.stand.close();
    }, 120_000);

    it('an experiment there reaches its gate, its own database behind it, and nothing else', async () => {
      expect(await second.docker.listContainers()).toHaveLength(2);
      const gate = await gateOf(bench.quiet);
      const further = {
        'its own gate': [GATE.name, GATE.linePort],
        'another port of its gate': [GATE.name, 0],
        'the neighbour’s gate, by its name': [gateName(bench.quiet.instanceId), GATE.linePort],
        'the neighbour’s gate': [gate, GATE.linePort],
        'the neighbour’s database, at its gate': [gate, GATE.databasePort],
        'the image registry': [PRIVATE.first, 5000],
        'the panel’s host, in the hosts’ network': [PRIVATE.first, 0],
        'the Swarm’s manager': [PRIVATE.first, 2377],
        'the Swarm’s word of mouth': [PRIVATE.first, 7946],
        'its own host’s engine': [PRIVATE.second, 7946],
        'its own host, by the bridge': ['172.18.0.1', 7946],
      } as const;
      // Its rooms are a copy in its own memory: the next word of its gate replaces what it writes there.
      expect(await tryTheWalls(bench, further)).toEqual(['writing into its rooms', 'its own database', 'its own gate']);
    });
  });

  describe('and its loss', { timeout: 300_000 }, () => {
    let bench: SwarmStand;
    let platform: Platform;
    const spec = makeSpec();
    const hosts = async (): Promise<readonly PlatformHost[]> => (await platform.hosts?.list()) ?? [];
    const where = async (): Promise<string | undefined> => (await hosts()).find(({ instanceIds }) => instanceIds.includes(spec.instanceId))?.name;
    const answers = async (): Promise<boolean> =>
      (await platform.askOtree(spec, { method: 'GET', path: '/api/otree_version', timeoutMs: 30_000 }).catch(() => ({ status: 0 }))).status === 200;
    /** It alone runs, on the second host, and answers. */
    const isOnSecond = async (): Promise<boolean> =>
      (await second.docker.listContainers()).length === 1 && (await bench.countProcesses(spec)) === 1 && (await where()) === SECOND_NAME && (await answers());
    const use = async () => (await platform.measure([spec.instanceId])).get(spec.instanceId);
    const peopleThere = async (): Promise<number> => (await platform.participants(spec)).length;

    beforeAll(async () => {
      bench = await stand();
      platform = bench.platform;
      await deploy(platform, spec, { dir: TRUST_GAME });
    }, 420_000);
    afterAll(async () => {
      await platform.destroy(spec, never);
      await bench.close();
    }, 120_000);

    it('tells the hosts, what runs on each, and how another one joins', async () => {
      expect(await hosts()).toEqual([
        expect.objectContaining({ id: nodes.first, isPanelHost: true, role: 'manager', state: 'ready', takesInstances: false, instanceIds: [] }),
        expect.objectContaining({
          id: nodes.second,
          name: SECOND_NAME,
          address: PRIVATE.second,
          role: 'worker',
          state: 'ready',
          awaySince: null,
          takesInstances: true,
          instanceIds: [spec.instanceId],
        }),
      ]);
      expect(await platform.hosts?.joinCommand()).toMatch(/^docker swarm join --token SWMTKN-1-\S+ 10\.77\.213\.1:2377$/);
    });

    it('has no way from there but to its gate: no published port, no bind mount, an inner network', async () => {
      const [container] = await bench.containers(spec);
      const { HostConfig, Mounts, NetworkSettings } = await second.docker.getContainer(container?.Id ?? '').inspect();
      expect([HostConfig.PortBindings ?? {}, Mounts.filter(({ Type }) => Type !== 'tmpfs')]).toEqual([{}, []]);
      expect(Object.keys(NetworkSettings.Networks)).toEqual([serviceName(spec.instanceId)]);
      expect(await engine?.docker.getNetwork(serviceName(spec.instanceId)).inspect()).toMatchObject({ Internal: true });
    });

    it('the registry’s password is shown by no engine, and stands in no log', async () => {
      const [container] = await bench.containers(spec);
      const { Image } = (await bench.inspect(spec)) as { Image: string };
      const shown = JSON.stringify([
        await engine?.docker.getService(serviceName(spec.instanceId)).inspect(),
        await engine?.docker.listTasks(),
        await bench.inspect(spec),
        container,
        await second.docker.getImage(Image).inspect(),
        await platform.readLog(spec.instanceId, 1e6),
      ]);
      const { password, user } = REGISTRY_ACCOUNT;
      const forms = [
        password,
        JSON.stringify(password).slice(1, -1),
        Buffer.from(`${user}:${password}`).toString('base64'),
        Buffer.from(password).toString('base64'),
      ];
      expect(forms.filter((form) => shown.includes(form))).toEqual([]);
    });

    it.each([
      ['a wrong password', account('wrong'), 'does not take the panel’s user name and password'],
      ['none at all', null, 'asks for a user name and a password'],
    ])('%s at the registry is told at the deployment and by the engine’s report', async (_what, wrong, refusal_) => {
      const other = await stand(wrong);
      const stray = makeSpec();
      try {
        await other.platform.create(stray, never);
        const dir = await projectWith(TRUST_GAME, { 'notes.txt': `only here ${stray.instanceId}` });
        const refused = await refusal(build(other.platform, stray, { dir, number: 1 }));
        expect([refused.code, refused.message]).toEqual(['registry_refused', `The image registry ${PRIVATE.registry} ${refusal_}.`]);
        expect(JSON.stringify(refused)).not.toContain('wrong');
        expect(await registryBy(wrong)).toMatchObject({ answer: 'refuses', hasAccount: wrong !== null });
      } finally {
        await other.platform.destroy(stray, never);
        await other.close();
      }
    });

    it('the right one is taken, and a registry that nobody serves is told apart', async () => {
      expect(await registryBy(account(REGISTRY_ACCOUNT.password))).toEqual({ address: PRIVATE.registry, hasAccount: true, answer: 'takes', reason: null });
      expect(await registryBy(null, `${PRIVATE.first}:5001`)).toMatchObject({ answer: 'away', reason: expect.stringContaining('refused') });
    });

    it('tells what it uses of the processor, beside its memory, and where it runs', async () => {
      expect((await platform.capabilities()).measures).toEqual(['core', 'memory']);
      const { cpuSeconds, memoryBytes } = (await use()) ?? {};
      expect(cpuSeconds).toBeGreaterThan(0);
      expect(memoryBytes).toBeGreaterThan(20 * 2 ** 20);
      expect(await stateOf(platform, spec)).toMatchObject({ state: 'running', host: SECOND_NAME });
    });

    it('moves when its host is emptied, and loses nothing', async () => {
      await platform.askOtree(spec, {
        method: 'POST',
        path: '/api/sessions',
        body: { session_config_name: 'trust_game', num_participants: 6 },
        timeoutMs: 20_000,
      });
      expect(await peopleThere()).toBe(6);
      await platform.hosts?.setTaking(nodes.first, true);
      const before = await use();
      const began = Date.now();
      await platform.hosts?.setTaking(nodes.second, false);
      await until('it runs on the first host', async () => (await where()) !== undefined && (await where()) !== SECOND_NAME && (await answers()), 120_000);
      process.stderr.write(`\nits host emptied: answers from the other one after ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
      expect(await peopleThere()).toBe(6);
      // What the run before had counted is not taken for the new one's, which cannot have worked for longer than it is there.
      const isTold = async () => typeof (await use())?.cpuSeconds === 'number' && (await use())?.run !== before?.run;
      await until('the new one tells what it uses', isTold, 60_000);
      expect((await use())?.cpuSeconds).toBeLessThan(((Date.now() - began) / 1000 + 10) * os.availableParallelism());
      await platform.hosts?.setTaking(nodes.second, true);
      await platform.hosts?.setTaking(nodes.first, false);
      await until('it is back on the second host', isOnSecond, 120_000);
    });

    it('a host that was cut off gets no database any more, and gives up when it is back', async () => {
      const [before] = await second.docker.listContainers();
      await platform.hosts?.setTaking(nodes.first, true);
      await second.cut(true);
      await until('the first host has taken over', async () => (await where()) !== SECOND_NAME && (await answers()), 180_000);
      expect((await second.docker.getContainer(before?.Id ?? '').inspect()).State.Running, 'the old one runs on behind the cut').toBe(true);
      expect(await bench.countConnections(spec)).toBeGreaterThan(0);
      const seen = await stateOf(platform, spec);
      expect(seen).toMatchObject({ state: 'running', detail: expect.stringContaining(`the host ${SECOND_NAME} does not answer any more`) });
      await second.cut(false);
      await until('the old one has ended', async () => (await second.docker.listContainers()).length === 0, 120_000);
      expect(await peopleThere()).toBe(6);
      await until('the host is back', async () => (await hosts()).every(({ state }) => state === 'ready'), 60_000);
      await platform.hosts?.setTaking(nodes.first, false);
      await until('it runs on the second host', isOnSecond, 120_000);
    });

    it('is back on the other host when its own is lost, and no row is', async () => {
      await until('it runs on the second host', isOnSecond, 120_000);
      await platform.hosts?.setTaking(nodes.first, true);
      const rows = (await platform.databaseFacts(spec)).rowCounts;
      const began = Date.now();
      await second.lose();
      await until('it answers from the first host', async () => (await answers()) && (await where()) !== SECOND_NAME, 180_000);
      process.stderr.write(`\nits host lost: answers from the other one after ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
      expect((await platform.databaseFacts(spec)).rowCounts).toEqual(rows);
      expect(await stateOf(platform, spec)).toMatchObject({
        state: 'running',
        detail: expect.stringContaining('does not answer any more; it was started again on another one'),
      });
      expect((await hosts()).find(({ name }) => name === SECOND_NAME)).toMatchObject({ state: 'down', instanceIds: [], awaySince: expect.any(Date) });
      await platform.stop(spec, never);
      await platform.start(spec, never);
      expect(await answers()).toBe(true);
    });

    it('a registry that was emptied is filled again with what is needed by the next start', async () => {
      expect(await second.images()).not.toEqual([]);
      second.emptyRegistry();
      expect(await second.images()).toEqual([]);
      await platform.stop(spec, never);
      await platform.start(spec, never);
      expect(await answers()).toBe(true);
      expect(await second.images()).toEqual([expect.stringMatching(/^arboretum\/serve:[0-9a-f]{32}$/)]);
    });

    it('a host that is down can be kept empty, and taken from the list; one that is there cannot', async () => {
      expect((await hosts()).map(({ state, takesInstances }) => [state, takesInstances])).toEqual([
        ['ready', true],
        ['down', true],
      ]);
      await platform.hosts?.setTaking(nodes.second, false);
      expect((await hosts())[1]).toMatchObject({ id: nodes.second, state: 'down', takesInstances: false });
      expect((await stateOf(platform, spec)).host).toBe((await hosts())[0]?.name);
      expect(await platform.hosts?.remove(nodes.first).catch((error: { code?: string }) => error.code)).toBe('platform_failed');
      await platform.hosts?.remove(nodes.second);
      await platform.hosts?.remove(nodes.second);
      expect((await hosts()).map(({ id }) => id)).toEqual([nodes.first]);
      expect(await stateOf(platform, spec), 'with one host there is none to name').not.toHaveProperty('host');
      expect(await answers()).toBe(true);
    });
  });
});
