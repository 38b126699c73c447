// What only the Swarm platform must prove: that containers cannot reach or starve each other, and that the engine may die.

import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstanceSpec, Platform } from '../../platforms/platform.ts';
import { Secret } from '../../platforms/secret.ts';
import { INSIDE, LABEL, serviceName } from '../../platforms/swarm/names.ts';
import { engineForTests } from '../docker-engine.ts';
import { build, deploy, makeSpec, projectWith, stateOf, TRUST_GAME } from './instances.ts';
import { requireEnvironment, until } from './local-stand.ts';
import { never, silent } from './stand.ts';
import { makeSwarmStand, type SwarmStand } from './swarm-stand.ts';

const engine = await engineForTests();
afterAll(async () => await engine?.stop(), 60_000);

describe.skipIf(engine === null)('the swarm platform on its own', { timeout: 180_000 }, () => {
  let stand: SwarmStand;
  let platform: Platform;
  let docker: Docker;
  const quiet = makeSpec();
  const strays: InstanceSpec[] = [];
  const makeStray = (overrides: Partial<InstanceSpec> = {}): InstanceSpec => {
    const stray = makeSpec(overrides);
    strays.push(stray);
    return stray;
  };
  const answers = async (spec: InstanceSpec): Promise<boolean> =>
    (await platform.askOtree(spec, { method: 'GET', path: '/api/otree_version', timeoutMs: 3000 }).catch(() => ({ status: 0 }))).status === 200;
  const inspect = async (spec: InstanceSpec): Promise<Docker.ContainerInspectInfo> => {
    const [container] = await stand.containers(spec);
    if (container === undefined) throw new Error('no container runs');
    return await docker.getContainer(container.Id).inspect();
  };
  const log = async (spec: InstanceSpec): Promise<string> => await platform.readLog(spec.instanceId, 1e6);

  /** What an app does in a thread of its own once the server of the container answers, not while it is tried or described. */
  const onceItServes = [
    'import threading, time, os, socket',
    'def _mischief():',
    '    while True:',
    '        try:',
    '            with socket.socket(socket.AF_UNIX) as line:',
    `                line.connect("${INSIDE.socket}")`,
    `                line.sendall(b"GET /login HTTP/1.0\\r\\n\\r\\n")`,
    `                if b" 200 " in line.recv(64):`,
    `                    break`,
    '        except OSError:',
    '            pass',
    '        time.sleep(0.2)',
    '    time.sleep(1)',
  ].join('\n');

  /** Deploys a sample that does such a thing. */
  async function deployMischief(spec: InstanceSpec, code: string, files: Record<string, string> = {}): Promise<void> {
    const source = await readFile(path.join(TRUST_GAME, 'trust_game', '__init__.py'), 'utf8');
    const body = code.replaceAll(/^/gm, '    ');
    const dir = await projectWith(TRUST_GAME, {
      ...files,
      'trust_game/__init__.py': `${source}\n${onceItServes}\n${body}\nthreading.Thread(target=_mischief, daemon=True).start()\n`,
    });
    await deploy(platform, spec, { dir });
  }

  beforeAll(async () => {
    stand = await makeSwarmStand(engine);
    ({ platform } = stand);
    ({ docker } = stand.engine);
    // The neighbour listens, so that an attempt that comes through is seen.
    await deployMischief(quiet, '_listener = socket.create_server(("0.0.0.0", 9999))\ntime.sleep(100000)');
  }, 180_000);

  afterAll(async () => {
    try {
      for (const spec of [quiet, ...strays]) await platform.destroy(spec, never);
    } finally {
      await stand.close();
    }
  }, 120_000);

  it('an experiment reaches its own database and nothing else, whatever it tries', async () => {
    const probe = makeStray();
    const host = net.createServer().listen(0, '0.0.0.0');
    await once(host, 'listening');
    const address = Object.values(os.networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal && !one.address.startsWith('172.'))?.address;
    const [network] = Object.values((await inspect(quiet)).NetworkSettings.Networks);
    expect(network?.IPAddress).toMatch(/^10\./);
    const panel = new URL(requireEnvironment('ARBORETUM_TEST_DATABASE_URL'));
    const wanted = {
      neighbour: network?.IPAddress,
      neighbourPort: 9999,
      neighbourName: serviceName(quiet.instanceId),
      neighbourSocket: platform.upstreamSocket(quiet.instanceId),
      neighbourDatabase: `i_${quiet.instanceId}`,
      panelDatabase: panel.pathname.slice(1),
      ownDatabase: `i_${probe.instanceId}`,
      hostAddress: address ?? '172.17.0.1',
      hostPort: (host.address() as net.AddressInfo).port,
      redis: process.env['ARBORETUM_TEST_REDIS_SOCKET'],
      docker: stand.engine.socket,
      dataDir: stand.options.layout.dataDir,
    };
    const code = await readFile(path.join(import.meta.dirname, 'swarm-probe.py'), 'utf8');
    await deployMischief({ ...probe, environment: { PROBE: new Secret(JSON.stringify(wanted)) } }, 'import probe_from_inside\nprobe_from_inside.run()', {
      'probe_from_inside.py': code,
    });
    await until('the probe has tried everything', async () => (await log(probe)).includes('PROBE {'), 90_000);
    const line = (await log(probe)).split('\n').findLast((text) => text.startsWith('PROBE {')) ?? '';
    const found = JSON.parse(line.slice('PROBE '.length)) as Record<string, string>;
    process.stderr.write(
      `\n${Object.entries(found)
        .map(([name, came]) => `${name.padEnd(36)} ${came}`)
        .join('\n')}\n`,
    );
    const reached = Object.entries(found).flatMap(([name, came]) => (came.startsWith('REACHED') ? [name] : []));
    expect(reached).toEqual(['its own database']);
    expect(Object.keys(found).length).toBeGreaterThan(25);
    host.close();
    await platform.stop(probe, never);
  });

  it('where the outside is allowed, an experiment reaches it, and still not its neighbour', async () => {
    const open = await makeSwarmStand(engine, { hasOutbound: true });
    const [one, two] = [makeSpec(), makeSpec()];
    const host = net.createServer((socket) => void socket.on('error', () => {}).end('host')).listen(0, '0.0.0.0');
    await once(host, 'listening');
    const log = async (spec: InstanceSpec): Promise<string> => await open.platform.readLog(spec.instanceId, 1e6);
    const deployOpen = async (spec: InstanceSpec, code: readonly string[]) => {
      const source = await readFile(path.join(TRUST_GAME, 'trust_game', '__init__.py'), 'utf8');
      const body = code.map((line) => `    ${line}\n`).join('');
      const thread = `import json, socket, threading\ndef _work():\n${body}\nthreading.Thread(target=_work, daemon=True).start()\n`;
      await deploy(open.platform, spec, { dir: await projectWith(TRUST_GAME, { 'trust_game/__init__.py': `${source}\n${thread}` }) });
    };
    try {
      const listen = ['listener = socket.create_server(("0.0.0.0", 9999))', 'print("LISTENING", flush=True)', 'while True:'];
      await deployOpen(one, [...listen, '    one, _ = listener.accept()', '    one.sendall(b"neighbour")', '    one.close()']);
      await until('the neighbour listens', async () => (await log(one)).includes('LISTENING'));
      const networks = Object.values((await inspect(one)).NetworkSettings.Networks).map(({ IPAddress }) => IPAddress);
      const bridge = await docker.getNetwork('docker_gwbridge').inspect();
      const bridged = Object.values(bridge.Containers ?? {}).map(({ IPv4Address }) => IPv4Address.split('/')[0]);
      const gateway = bridge.IPAM?.Config?.[0]?.Gateway;
      const places = [[gateway, (host.address() as net.AddressInfo).port], ...[...networks, ...bridged].map((address) => [address, 9999])];
      await deployOpen(two, [
        'said = []',
        `for host, port in ${JSON.stringify(places)}:`,
        '    try:',
        '        with socket.create_connection((host, port), 3) as line:',
        '            line.settimeout(3)',
        '            said.append(line.recv(9).decode())',
        '    except OSError as error:',
        '        said.append(str(error))',
        'print("OUT %s" % json.dumps(said), flush=True)',
      ]);
      await until('it has tried', async () => (await log(two)).includes('OUT ['), 60_000);
      const said = JSON.parse(/OUT (\[.*\])/.exec(await log(two))?.[1] ?? '[]') as string[];
      // By what is said there: somebody else on the way out may take any connection.
      expect(said[0]).toBe('host');
      expect(said.slice(1)).not.toContain('neighbour');
      expect(said.length).toBeGreaterThan(2);
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
    await until('it is healthy', async () => (await inspect(quiet)).State.Health?.Status === 'healthy', 60_000);
  });

  it('a memory hog is ended, seen as out of memory, and the neighbour answers', async () => {
    const hog = makeStray({ limits: { memoryMib: 200, diskMib: 64, processes: 32 } });
    await deployMischief(hog, 'block = bytearray(400 * 1024 * 1024)\nprint(len(block))');
    await until('the hog was ended', async () => (await stateOf(platform, hog)).restarts > 0, 60_000);
    expect((await stateOf(platform, hog)).detail).toContain('out of memory');
    expect(await answers(quiet)).toBe(true);
    await platform.stop(hog, never);
  });

  it('a fork bomb is held by its limit, and the neighbour answers', async () => {
    const bomber = makeStray({ limits: { memoryMib: 512, diskMib: 64, processes: 40 } });
    await deployMischief(
      bomber,
      'import subprocess\nwhile True:\n    try:\n        subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)\n    except OSError:\n        time.sleep(0.05)',
    );
    const count = async (): Promise<number> => {
      const { Id } = await inspect(bomber);
      return (await docker.getContainer(Id).stats({ stream: false, 'one-shot': true })).pids_stats?.current ?? 0;
    };
    await until('it has as many as it may', async () => (await count()) >= 40);
    expect(await count()).toBeLessThanOrEqual(40);
    expect(await answers(quiet)).toBe(true);
    await platform.stop(bomber, never);
    expect(await stand.countProcesses(bomber)).toBe(0);
  });

  it('files that it may write are bounded, and lie in its own memory', async () => {
    const hoarder = makeStray({ limits: { memoryMib: 512, diskMib: 20, processes: 64 } });
    await deployMischief(
      hoarder,
      'n = 0\ntry:\n    with open("/tmp/heap", "wb", 0) as f:\n        while n < 400:\n            n += f.write(b"x" * 1048576) // 1048576\nexcept OSError as error:\n    print("HOARDED", n, error.strerror, flush=True)',
    );
    await until('it has written what it could', async () => (await log(hoarder)).includes('HOARDED'));
    expect(await log(hoarder)).toMatch(/HOARDED (?:19|20) No space left on device/);
    await platform.stop(hoarder, never);
  });

  it('an experiment that ends again and again is said to, with why', async () => {
    const looping = makeStray();
    await deployMischief(looping, 'print("RuntimeError: the pool is empty", flush=True)\nos._exit(7)');
    await until('it has ended three times', async () => (await stateOf(platform, looping)).restarts >= 3, 120_000);
    await until('it is between two starts', async () => (await stateOf(platform, looping)).state === 'crashed', 30_000);
    const seen = await stateOf(platform, looping);
    expect(seen).toMatchObject({
      exitCode: 7,
      detail: expect.stringMatching(/^It ends again and again \(started \d+ times\)\. The last time: RuntimeError: the pool is empty/),
    });
    expect(await answers(quiet)).toBe(true);
    await platform.stop(looping, never);
  });

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
    process.kill(stand.engine.pid(), 'SIGKILL');
    await until('the engine is away', async () => (await docker.ping().catch(() => null)) === null);
    const seen = await stateOf(platform, quiet);
    expect(seen).toMatchObject({ state: 'running', detail: expect.stringContaining('Docker Engine does not answer') });
    expect(await answers(quiet)).toBe(true);
    const began = Date.now();
    await stand.engine.revive();
    // The engine ends what it finds and starts it anew: Swarm knows no live-restore.
    const isAnother = async (): Promise<boolean> => (await stand.containers(quiet)).some(({ Id }) => Id !== before);
    await until(
      'the experiment is back',
      async () => (await isAnother()) && (await answers(quiet)) && (await stateOf(platform, quiet)).state === 'running',
      120_000,
    );
    process.stderr.write(`\nthe engine killed and started: back after ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
    await platform.stop(quiet, never);
    await platform.start(quiet, never);
    expect(await readdir(path.dirname(platform.upstreamSocket(quiet.instanceId) ?? ''))).toEqual(['otree.sock']);
  });
});
