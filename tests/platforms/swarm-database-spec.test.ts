// What the Docker Engine is asked for where an instance gets a database server of its own, exactly.

import { describe, expect, it } from 'vitest';
import { databaseSpec, DATABASE_LIMITS } from '../../platforms/swarm/database-spec.ts';
import { networkSpec } from '../../platforms/swarm/service-spec.ts';

const MIB = 1024 * 1024;
const SECOND = 1_000_000_000;
const owner = { panelId: 'ab12cd34', instanceId: 'k3v9' };
const labels = { 'arboretum.panel': 'ab12cd34', 'arboretum.instance': 'k3v9', 'arboretum.part': 'database' };
const plan = {
  ...owner,
  image: 'sha256:0011',
  volumes: ['/var/lib/postgresql/data'],
  user: '200007:200007',
  networkId: 'network-id',
  nodeId: 'node-id',
  folders: { data: '/data/containers/k3v9/database', socket: '/run/arb/d/k3v9' },
};
const inMemory = { Type: 'tmpfs', Source: '', TmpfsOptions: { SizeBytes: 64 * MIB, Mode: 0o1777 } };

describe('the service of a database server', () => {
  const spec = databaseSpec(plan);
  const task = spec.TaskTemplate as {
    ContainerSpec: { Command: string[]; HealthCheck: { Test: string[] } };
  };

  it('is one task on the panel’s host, that never runs beside another one, with every wall and limit', () => {
    expect(spec).toMatchObject({
      Name: 'd-k3v9',
      Labels: labels,
      Mode: { Replicated: { Replicas: 1 } },
      UpdateConfig: { Parallelism: 1, Order: 'stop-first' },
      EndpointSpec: { Mode: 'dnsrr' },
      TaskTemplate: {
        ContainerSpec: {
          Image: 'sha256:0011',
          Labels: labels,
          User: '200007:200007',
          Env: ['HOME=/tmp', 'LANG=C.UTF-8'],
          ReadOnly: true,
          CapabilityDrop: ['ALL'],
          StopSignal: 'SIGINT',
          StopGracePeriod: 60 * SECOND,
        },
        Resources: { Limits: { MemoryBytes: DATABASE_LIMITS.memoryMib * MIB, NanoCPUs: SECOND, Pids: 100 } },
        RestartPolicy: { Condition: 'any' },
        Placement: { Constraints: ['node.id==node-id'] },
        Networks: [{ Target: 'network-id' }],
      },
    });
    expect(spec.EndpointSpec).not.toHaveProperty('Ports');
    expect(spec).not.toHaveProperty('TaskTemplate.ContainerSpec.Secrets');
  });

  it('writes into its two folders only; what the image calls a volume lies in memory', () => {
    expect(spec).toMatchObject({
      TaskTemplate: {
        ContainerSpec: {
          Mounts: [
            { ...inMemory, Target: '/tmp' },
            { ...inMemory, Target: '/var/lib/postgresql/data' },
            { Type: 'bind', Source: '/data/containers/k3v9/database', Target: '/var/lib/arboretum-database', ReadOnly: false },
            { Type: 'bind', Source: '/data/containers/k3v9/database/passwd', Target: '/etc/passwd', ReadOnly: true },
            { Type: 'bind', Source: '/run/arb/d/k3v9', Target: '/run/arb/d/k3v9', ReadOnly: false },
          ],
        },
      },
    });
  });

  it('takes the lock before it touches the data, and listens on its socket only', () => {
    const [first, second, , , , script = '', , ...settings] = task.ContainerSpec.Command;
    expect([first, second]).toEqual(['setpriv', '--no-new-privs']);
    const order = ['flock -n 9', 'initdb -D data.new', 'mv data.new data', 'rm -f data/postmaster.pid', 'exec postgres -D data'];
    expect(order.map((piece) => script.indexOf(piece))).toEqual(order.map((piece) => script.indexOf(piece)).toSorted((a, b) => a - b));
    expect(script.indexOf('flock -n 9')).toBeGreaterThan(0);
    expect(script).toContain('--pwfile=verifier --auth=scram-sha-256');
    for (const wanted of ['listen_addresses=', 'unix_socket_directories=/run/arb/d/k3v9', 'unix_socket_permissions=0700']) expect(settings).toContain(wanted);
  });

  it('counts as well while it brings its data in order', () => {
    expect(task.ContainerSpec.HealthCheck.Test.join(' ')).toMatch(/pg_isready -q -h "\$1" .*\[ \$\? -le 1 \]/);
  });

  it('has a network that leads nowhere and that nobody can join, whatever experiments may', () => {
    expect(networkSpec({ ...owner, part: 'database', hasOutbound: false })).toEqual({
      Name: 'd-k3v9',
      Driver: 'overlay',
      Attachable: false,
      Internal: true,
      Labels: labels,
    });
  });
});
