// What only the Swarm platform must prove: that containers cannot reach or starve each other, and that the engine may die.

import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstanceSpec, Platform } from '../../platforms/platform.ts';
import { LABEL, serviceName } from '../../platforms/swarm/names.ts';
import { engineForTests } from '../docker-engine.ts';
import { build, deploy, makeSpec, projectWith, stateOf, TRUST_GAME } from './instances.ts';
import { until } from './local-stand.ts';
import { never, silent } from './stand.ts';
import { limitsHold } from './swarm-limits.ts';
import { makeSwarmBench, rogueProject, withMischief } from './swarm-rogue.ts';
import { makeSwarmStand } from './swarm-stand.ts';
import { tryTheWalls } from './swarm-wall-probe.ts';

const engine = await engineForTests();
afterAll(async () => await engine?.stop(), 60_000);

describe.skipIf(engine === null)('the swarm platform on its own', { timeout: 300_000 }, () => {
  let platform: Platform;
  let docker: Docker;
  const strays: InstanceSpec[] = [];
  const bench = makeSwarmBench(strays);
  const { quiet, rogue, makeStray, inspect, log } = bench;

  beforeAll(async () => {
    bench.stand = await makeSwarmStand(engine);
    ({ platform } = bench.stand);
    ({ docker } = bench.stand.engine);
    await bench.deployRogue(quiet);
    await bench.deployRogue(rogue);
  }, 300_000);

  afterAll(async () => {
    try {
      for (const spec of [quiet, rogue, ...strays]) await platform.destroy(spec, never);
    } finally {
      await bench.stand.close();
    }
  }, 120_000);

  it('an experiment reaches its own database and nothing else, whatever it tries', async () => {
    expect(await tryTheWalls(bench)).toEqual(['its own database']);
  });

  it('where the outside is allowed, an experiment reaches it, and still not its neighbour', async () => {
    const open = await makeSwarmStand(engine, { hasOutbound: true });
    const [one, two] = [makeSpec(), makeSpec()];
    const host = net.createServer((socket) => void socket.on('error', () => {}).end('host')).listen(0, '0.0.0.0');
    await once(host, 'listening');
    const said = async (spec: InstanceSpec): Promise<string> => await open.platform.readLog(spec.instanceId, 1e6);
    const dir = await rogueProject();
    try {
      await deploy(open.platform, withMischief(one, 'listen'), { dir });
      await until('the neighbour listens', async () => (await said(one)).includes('LISTENING'), 60_000);
      const networks = Object.values((await inspect(one)).NetworkSettings.Networks).map(({ IPAddress }) => IPAddress);
      const bridge = await docker.getNetwork('docker_gwbridge').inspect();
      const bridged = Object.values(bridge.Containers ?? {}).map(({ IPv4Address }) => IPv4Address.split('/')[0]);
      const gateway = bridge.IPAM?.Config?.[0]?.Gateway;
      const places = [[gateway, (host.address() as net.AddressInfo).port], ...[...networks, ...bridged].map((address) => [address, 9999])];
      await deploy(open.platform, withMischief(two, 'reach', { PLACES: JSON.stringify(places) }), { dir });
      await until('it has tried', async () => (await said(two)).includes('OUT ['), 150_000);
      const heard = JSON.parse(/OUT (\[.*\])/.exec(await said(two))?.[1] ?? '[]') as string[];
      // By what is said there: somebody else on the way out may take any connection.
      expect(heard[0]).toBe('host');
      expect(heard.slice(1)).not.toContain('neighbour');
      expect(heard.length).toBeGreaterThan(2);
    } finally {
      host.close();
      for (const spec of [one, two]) await open.platform.destroy(spec, never);
      await open.close();
    }
  });

  it('no secret stands where the engine shows it: service, container, image, log', async () => {
    const secrets = [quiet.databasePassword, quiet.adminPassword, quiet.secretKey, quiet.roomSecret, quiet.restKey].map((secret) => secret.open());
    const container = await inspect(quiet);
    const shown = JSON.stringify([
      await docker.getService(serviceName(quiet.instanceId)).inspect(),
      container,
      await docker.getImage(container.Image).inspect(),
      await docker.getImage(container.Image).history(),
      await docker.listSecrets(),
      await log(quiet),
    ]);
    expect(secrets.filter((secret) => shown.includes(secret) || shown.includes(JSON.stringify(secret).slice(1, -1)))).toEqual([]);
    expect(container.Config.Labels).toMatchObject({
      [LABEL.instance]: quiet.instanceId,
      [LABEL.part]: 'serve',
      [LABEL.panel]: expect.stringMatching(/^[0-9a-f]{8}$/),
    });
  });

  it('oTree’s own answer makes the container healthy', async () => {
    const health = async () => (await inspect(quiet)).State.Health;
    await until('it is healthy', async () => (await health())?.Status === 'healthy', 120_000).catch(async (error: unknown) => {
      throw new Error(`the engine says ${JSON.stringify(await health())}`, { cause: error });
    });
  });

  limitsHold(bench);

  it('an equal version is the same image, a second instance of it adds nothing, and the last one takes it along', async () => {
    const [one, two] = [makeStray(), makeStray()];
    const dir = await projectWith(TRUST_GAME, { 'notes.txt': `only here ${one.instanceId}` });
    await deploy(platform, one, { dir });
    const began = Date.now();
    await deploy(platform, two, { dir });
    const warmSeconds = ((Date.now() - began) / 1000).toFixed(1);
    const [image, other] = [(await inspect(one)).Image, (await inspect(two)).Image];
    expect(other).toBe(image);
    const { RootFS, Size } = await docker.getImage(image).inspect();
    const layers = await docker.getImage(image).history();
    const sizes = (layers as { Size: number }[]).map(({ Size: bytes }) => `${(bytes / 1e6).toFixed(1)} MB`);
    process.stderr.write(
      `\nimage ${(Size / 1e6).toFixed(0)} MB in ${RootFS.Layers?.length} layers (project, packages, base): ${sizes.join(', ')}; second instance from nothing to running: ${warmSeconds} s\n`,
    );
    for (const spec of [one, two]) process.stderr.write(`memory when idle: ${(((await stateOf(platform, spec)).memoryBytes ?? 0) / 2 ** 20).toFixed(0)} MiB\n`);
    await platform.destroy(one, never);
    expect(await docker.getImage(image).inspect()).toMatchObject({ Id: image });
    await platform.destroy(two, never);
    await expect(docker.getImage(image).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  it('builds a package that exists as source only apart, for this instance alone', async () => {
    const spec = makeStray();
    await platform.create(spec, never);
    const dir = await projectWith(TRUST_GAME, { 'requirements.txt': 'otree\ndocopt==0.6.2\n' });
    const { release, output } = await build(platform, spec, { dir, number: 1 });
    expect(output).toContain('exist as source only');
    expect(release.lock).toMatch(/^docopt==0\.6\.2$/m);
    await platform.tryRelease(spec, 1, silent);
    const tags = (await docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => tag.includes(spec.instanceId));
    expect(tags).toHaveLength(1);
  });

  it('lives through the death of the engine: it answers meanwhile, and is back by itself', async () => {
    const { Id: before } = await inspect(quiet);
    process.kill(bench.stand.engine.pid(), 'SIGKILL');
    await until('the engine is away', async () => (await docker.ping().catch(() => null)) === null);
    const seen = await stateOf(platform, quiet);
    expect(seen).toMatchObject({ state: 'running', detail: expect.stringContaining('Docker Engine does not answer') });
    expect(await bench.answers(quiet)).not.toBeNull();
    const began = Date.now();
    await bench.stand.engine.revive();
    // The engine ends what it finds and starts it anew: Swarm knows no live-restore.
    const isAnother = async (): Promise<boolean> => (await bench.stand.containers(quiet)).some(({ Id }) => Id !== before);
    await until(
      'the experiment is back',
      async () => (await isAnother()) && (await bench.answers(quiet)) !== null && (await stateOf(platform, quiet)).state === 'running',
      120_000,
    );
    process.stderr.write(`\nthe engine killed and started: back after ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
    await platform.stop(quiet, never);
    await platform.start(quiet, never);
    expect(await readdir(path.dirname(platform.upstreamSocket(quiet.instanceId) ?? ''))).toEqual(['otree.sock', 'starts']);
  });
});
