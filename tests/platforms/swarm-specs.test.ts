// What the Docker Engine is asked for, exactly; and how its log frames and memory figures are read.

import { describe, expect, it } from 'vitest';
import { buildSpec, questionSpec, runSpec } from '../../platforms/swarm/container-spec.ts';
import { gateSpec } from '../../platforms/swarm/gate-spec.ts';
import { readLines } from '../../platforms/swarm/logs.ts';
import { readUsage } from '../../platforms/swarm/measure.ts';
import { labelsOf, ownedBy, packagesImage, releaseImage, secretName, serviceName } from '../../platforms/swarm/names.ts';
import { residentBytes } from '../../platforms/swarm/inspection.ts';
import { filesBytes, networkSpec, serviceSpec, withHash } from '../../platforms/swarm/service-spec.ts';

const MIB = 1024 * 1024;
const SECOND = 1_000_000_000;
const owner = { panelId: 'ab12cd34', instanceId: 'k3v9' };
const limits = { memoryMib: 512, diskMib: 64, processes: 40 };
const labels = { 'arboretum.panel': 'ab12cd34', 'arboretum.instance': 'k3v9' };
const folders = { rooms: '/data/instances/k3v9/rooms', launcher: '/data/tools/launcher', database: '/run/arb/postgres' };

const plan = {
  ...owner,
  image: 'arboretum/release:0011',
  user: '200007:200007',
  limits,
  secret: { id: 'secret-id', name: 'i-k3v9-00ff' },
  networkId: 'network-id',
  hasOutbound: false,
  home: { nodeId: 'node-id', folders: { ...folders, socket: '/run/arb/i/k3v9' } },
};

describe('the service of an instance', () => {
  it('is asked for with every wall and limit, and with no value of the experiment', () => {
    expect(serviceSpec(plan)).toEqual({
      Name: 'i-k3v9',
      Labels: { ...labels, 'arboretum.part': 'serve' },
      Mode: { Replicated: { Replicas: 1 } },
      UpdateConfig: { Parallelism: 1, Order: 'stop-first', FailureAction: 'pause' },
      EndpointSpec: { Mode: 'dnsrr' },
      TaskTemplate: {
        ContainerSpec: {
          Image: 'arboretum/release:0011',
          Labels: { ...labels, 'arboretum.part': 'serve' },
          Command: ['setpriv', '--no-new-privs', '/app/venv/bin/python', '/app/launcher/start.py', '/run/secrets/env.json', 'serve'],
          Dir: '/app/project',
          Env: ['HOME=/tmp', 'LANG=C.UTF-8', 'PYTHONUNBUFFERED=1', 'PYTHONDONTWRITEBYTECODE=1'],
          User: '200007:200007',
          ReadOnly: true,
          CapabilityDrop: ['ALL'],
          DNSConfig: { Nameservers: ['127.0.0.1'] },
          StopSignal: 'SIGTERM',
          StopGracePeriod: 10 * SECOND,
          Mounts: [
            { Type: 'tmpfs', Source: '', Target: '/tmp', TmpfsOptions: { SizeBytes: 64 * MIB, Mode: 0o1777 } },
            { Type: 'bind', Source: '/run/arb/i/k3v9', Target: '/run/arboretum/socket', ReadOnly: false },
            { Type: 'bind', Source: '/data/instances/k3v9/rooms', Target: '/run/arboretum/rooms', ReadOnly: true },
            { Type: 'bind', Source: '/data/tools/launcher', Target: '/app/launcher', ReadOnly: true },
            { Type: 'bind', Source: '/run/arb/postgres', Target: '/run/arb/postgres', ReadOnly: true },
          ],
          Secrets: [{ SecretID: 'secret-id', SecretName: 'i-k3v9-00ff', File: { Name: 'env.json', UID: '200007', GID: '200007', Mode: 0o400 } }],
          HealthCheck: {
            Test: ['CMD', '/app/venv/bin/python', '-I', '-S', '/app/launcher/answers.py', '/run/arboretum/socket/otree.sock', '25'],
            Interval: 15 * SECOND,
            Timeout: 30 * SECOND,
            Retries: 3,
            StartPeriod: 60 * SECOND,
          },
        },
        Resources: { Limits: { MemoryBytes: 512 * MIB, NanoCPUs: SECOND, Pids: 40 } },
        RestartPolicy: { Condition: 'any', Delay: 2 * SECOND, MaxAttempts: 0 },
        Placement: { Constraints: ['node.id==node-id'] },
        Networks: [{ Target: 'network-id' }],
        LogDriver: { Name: 'json-file', Options: { 'max-size': '10m', 'max-file': '3' } },
      },
    });
  });

  it('may run on any host that takes instances, with nothing of the panel’s host mounted', () => {
    const { TaskTemplate } = serviceSpec({ ...plan, image: '10.0.0.1:5000/arboretum/serve@sha256:00', home: null }) as {
      TaskTemplate: { Placement: object; ContainerSpec: { Image: string; Mounts: { Type: string; Target: string }[] } };
    };
    expect(TaskTemplate.Placement).toEqual({ Constraints: ['node.labels.arboretum.instances!=none'] });
    expect(TaskTemplate.ContainerSpec.Image).toBe('10.0.0.1:5000/arboretum/serve@sha256:00');
    expect(TaskTemplate.ContainerSpec.Mounts.map(({ Type, Target }) => `${Type} ${Target}`)).toEqual([
      'tmpfs /tmp',
      'tmpfs /run/arboretum/socket',
      'tmpfs /run/arboretum/rooms',
    ]);
  });

  it('has a gate on the panel’s host then: the instance’s user and network, its folders, no port, no secret', () => {
    const gate = gateSpec({
      ...owner,
      image: 'base',
      user: plan.user,
      networkId: 'network-id',
      ...plan.home,
      databaseSocket: '/run/arb/postgres/.s.PGSQL.5432',
    });
    expect(gate).toEqual({
      Name: 'g-k3v9',
      Labels: { ...labels, 'arboretum.part': 'gate' },
      Mode: { Replicated: { Replicas: 1 } },
      UpdateConfig: { Parallelism: 1, Order: 'stop-first', FailureAction: 'pause' },
      EndpointSpec: { Mode: 'dnsrr' },
      TaskTemplate: {
        ContainerSpec: {
          Image: 'base',
          Labels: { ...labels, 'arboretum.part': 'gate' },
          Command: [
            'setpriv',
            '--no-new-privs',
            'python3',
            '-I',
            '-S',
            '/app/launcher/gate.py',
            '/run/arboretum/socket/otree.sock',
            '/run/arboretum/rooms/rooms.json',
            '/run/arboretum/socket/memory',
            '/run/arb/postgres/.s.PGSQL.5432',
          ],
          Dir: '/',
          Env: ['LANG=C.UTF-8', 'PYTHONUNBUFFERED=1', 'PYTHONDONTWRITEBYTECODE=1'],
          User: '200007:200007',
          ReadOnly: true,
          CapabilityDrop: ['ALL'],
          StopSignal: 'SIGTERM',
          StopGracePeriod: 3 * SECOND,
          Mounts: [
            { Type: 'bind', Source: '/run/arb/i/k3v9', Target: '/run/arboretum/socket', ReadOnly: false },
            { Type: 'bind', Source: '/data/instances/k3v9/rooms', Target: '/run/arboretum/rooms', ReadOnly: true },
            { Type: 'bind', Source: '/data/tools/launcher', Target: '/app/launcher', ReadOnly: true },
            { Type: 'bind', Source: '/run/arb/postgres', Target: '/run/arb/postgres', ReadOnly: true },
          ],
        },
        Resources: { Limits: { MemoryBytes: 96 * MIB, NanoCPUs: SECOND, Pids: 32 } },
        RestartPolicy: { Condition: 'any', Delay: SECOND, MaxAttempts: 0 },
        Placement: { Constraints: ['node.id==node-id'] },
        Networks: [{ Target: 'network-id', Aliases: ['gate'] }],
        LogDriver: { Name: 'json-file', Options: { 'max-size': '1m', 'max-file': '1' } },
      },
    });
  });

  it('publishes no port, and is told apart from another by a label alone', () => {
    const spec = withHash(serviceSpec(plan), 'cafe');
    expect(JSON.stringify(spec)).not.toContain('Publish');
    expect(spec.Labels).toEqual({ ...labels, 'arboretum.part': 'serve', 'arboretum.spec': 'cafe' });
  });

  it('mounts no folder for a database that is reached by a network', () => {
    const mounts = serviceSpec({ ...plan, home: { ...plan.home, folders: { ...plan.home.folders, database: null } } }).TaskTemplate as {
      ContainerSpec: { Mounts: { Target: string }[] };
    };
    expect(mounts.ContainerSpec.Mounts.map(({ Target }) => Target)).toEqual(['/tmp', '/run/arboretum/socket', '/run/arboretum/rooms', '/app/launcher']);
  });

  it('may keep a quarter of its memory in files, at most its disk share, at least 16 MiB', () => {
    expect(filesBytes(limits)).toBe(64 * MIB);
    expect(filesBytes({ ...limits, diskMib: 2048 })).toBe(128 * MIB);
    expect(filesBytes({ ...limits, diskMib: 4 })).toBe(16 * MIB);
  });

  it('has a network that leads nowhere unless the outside is wanted', () => {
    const network = { Name: 'i-k3v9', Driver: 'overlay', Attachable: true, Labels: { ...labels, 'arboretum.part': 'serve' } };
    expect(networkSpec({ ...owner, part: 'serve', hasOutbound: false })).toEqual({ ...network, Internal: true });
    expect(networkSpec({ ...owner, part: 'serve', hasOutbound: true })).toEqual({ ...network, Internal: false });
  });
});

describe('containers that run once', () => {
  const single = { ...owner, image: 'arboretum/release:0011', user: '200007:200007', limits, words: [], hasOutbound: false };
  const held = { CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'], LogConfig: { Type: 'none', Config: {} } };

  it('a run of the launcher has the limits of the instance, nothing to write but /tmp, and no network', () => {
    const run = { ...single, command: 'try' as const };
    expect(runSpec({ ...run, folders: { ...folders, env: '/data/instances/k3v9/try.json', botPackages: null } })).toEqual({
      Image: 'arboretum/release:0011',
      Labels: { ...labels, 'arboretum.part': 'run' },
      Entrypoint: [],
      Cmd: ['setpriv', '--no-new-privs', '/app/venv/bin/python', '/app/launcher/start.py', '/run/arboretum/env.json', 'try'],
      WorkingDir: '/app/project',
      Env: ['HOME=/tmp', 'LANG=C.UTF-8', 'PYTHONUNBUFFERED=1', 'PYTHONDONTWRITEBYTECODE=1'],
      User: '200007:200007',
      HostConfig: {
        ...held,
        Memory: 512 * MIB,
        MemorySwap: 512 * MIB,
        PidsLimit: 40,
        ReadonlyRootfs: true,
        NetworkMode: 'none',
        Tmpfs: { '/tmp': `rw,nosuid,nodev,size=${64 * MIB},mode=1777` },
        Binds: [
          '/data/instances/k3v9/try.json:/run/arboretum/env.json:ro',
          '/data/instances/k3v9/rooms:/run/arboretum/rooms:ro',
          '/data/tools/launcher:/app/launcher:ro',
          '/run/arb/postgres:/run/arb/postgres:ro',
        ],
      },
    });
  });

  it('bots get no database, give way to who plays, and leave their files in a layer of their own', () => {
    const places = { ...folders, env: '/data/instances/k3v9/bots.json', database: null, botPackages: '/cache/bots' };
    const spec = runSpec({ ...single, command: 'bots', words: ['dictator', '', '/tmp/bots'], folders: places });
    expect(spec.Cmd?.slice(-4)).toEqual(['bots', 'dictator', '', '/tmp/bots']);
    expect(spec.Env).toContain('ARBORETUM_BOT_PACKAGES=/app/bot-packages');
    expect(spec.HostConfig).toEqual({
      ...held,
      Memory: 512 * MIB,
      MemorySwap: 512 * MIB,
      PidsLimit: 40,
      NetworkMode: 'none',
      CpuShares: 256,
      Binds: [
        '/data/instances/k3v9/bots.json:/run/arboretum/env.json:ro',
        '/data/instances/k3v9/rooms:/run/arboretum/rooms:ro',
        '/data/tools/launcher:/app/launcher:ro',
        '/cache/bots:/app/bot-packages:ro',
      ],
    });
  });

  it('a build has a network and limits of its own, gives way to who plays, and knows nothing of the instance', () => {
    const spec = buildSpec({ ...owner, image: 'base', user: '199999:199999', script: 'true', binds: ['/a:/b:ro'] });
    expect(spec).toEqual({
      Image: 'base',
      Labels: { ...labels, 'arboretum.part': 'build' },
      Entrypoint: [],
      Cmd: ['/bin/sh', '-eu', '-c', 'true'],
      WorkingDir: '/',
      User: '199999:199999',
      HostConfig: { ...held, Memory: 2048 * MIB, MemorySwap: 2048 * MIB, PidsLimit: 512, NetworkMode: 'bridge', CpuShares: 256, Binds: ['/a:/b:ro'] },
    });
    expect(spec.Env, 'what stands there becomes part of the image').toBeUndefined();
  });

  it('a question to an image runs as nobody, without a network', () => {
    const { User, HostConfig } = questionSpec('ab12cd34', 'base', ['true']);
    expect([User, HostConfig?.NetworkMode, HostConfig?.ReadonlyRootfs]).toEqual(['65534:65534', 'none', true]);
  });
});

describe('names', () => {
  it('go by the instance’s id and by the content', () => {
    const hash = 'f'.repeat(64);
    expect([serviceName('k3v9'), secretName('k3v9', hash)]).toEqual(['i-k3v9', `i-k3v9-${'f'.repeat(16)}`]);
    expect([packagesImage(hash, null), packagesImage(hash, 'k3v9'), releaseImage(hash)]).toEqual([
      `arboretum/packages:${'f'.repeat(32)}`,
      `arboretum/packages:${'f'.repeat(32)}-k3v9`,
      `arboretum/release:${'f'.repeat(32)}`,
    ]);
    expect(() => serviceName('../x')).toThrow('not an instance id');
    expect(ownedBy({ panelId: 'p', instanceId: 'k3v9', part: 'run' }).label).toEqual(
      Object.entries(labelsOf({ panelId: 'p', instanceId: 'k3v9', part: 'run' })).map((pair) => pair.join('=')),
    );
  });
});

describe('what the engine answers', () => {
  const frame = (stream: number, text: string): Buffer => {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };

  it('reads lines of both streams in the order of their times, and leaves out half a frame', () => {
    const frames = Buffer.concat([
      frame(1, '2026-01-01T00:00:02.000000000Z zwei\n'),
      frame(2, '2026-01-01T00:00:01.000000000Z eins – größer\r\n'),
      frame(1, '2026-01-01T00:00:03.000000000Z \n'),
      frame(1, '2026-01-01T00:00:04.000000000Z cut').subarray(0, 5),
    ]);
    expect(readLines(frames)).toEqual([
      { at: '2026-01-01T00:00:01.000000000Z', text: 'eins – größer' },
      { at: '2026-01-01T00:00:02.000000000Z', text: 'zwei' },
      { at: '2026-01-01T00:00:03.000000000Z', text: '' },
    ]);
  });

  it('counts memory without the files that the kernel would give away, in both versions of control groups', () => {
    const memory = (usage: number, stats: object) => residentBytes({ memory_stats: { usage, stats } } as unknown as Parameters<typeof residentBytes>[0]);
    expect(memory(100, { total_inactive_file: 30 })).toBe(70);
    expect(memory(100, { inactive_file: 40 })).toBe(60);
    expect(memory(100, { inactive_file: 140 })).toBe(100);
    expect(residentBytes({ memory_stats: {} } as unknown as Parameters<typeof residentBytes>[0])).toBeNull();
  });

  it('reads what a container uses: seconds of processor, bytes of all its networks; what the engine leaves out is not known', () => {
    const read = (stats: object) => readUsage('c0ffee', stats as unknown as Parameters<typeof readUsage>[1]);
    const networks = { eth0: { rx_bytes: 10, tx_bytes: 1 }, eth1: { rx_bytes: 5, tx_bytes: 2 } };
    expect(read({ cpu_stats: { cpu_usage: { total_usage: 2_500_000_000 } }, memory_stats: { usage: 7 }, networks })).toEqual({
      run: 'c0ffee',
      cpuSeconds: 2.5,
      memoryBytes: 7,
      network: { receivedBytes: 15, sentBytes: 3 },
    });
    expect(read({ memory_stats: {} })).toEqual({ run: 'c0ffee', cpuSeconds: null, memoryBytes: null, network: null });
  });
});
