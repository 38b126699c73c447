// What an instance on another host says that it uses: taken where it can be so, and from the run that is it now.

import { expect, it } from 'vitest';
import { readTold } from '../../platforms/swarm/told.ts';

const container = '0123456789ab';
const created = Date.parse('2026-01-02T03:04:05Z') / 1000;
const run = {
  Created: created,
  task: {
    ID: 'task',
    ServiceID: 'service',
    CreatedAt: '2026-01-02T03:04:05Z',
    DesiredState: 'running',
    Status: { State: 'running', ContainerStatus: { ContainerID: `${container}cdef` } },
  },
  host: {
    ID: 'two',
    UpdatedAt: '2026-01-02T03:04:05Z',
    Version: { Index: 7 },
    Spec: { Role: 'worker', Availability: 'active' },
    Description: { Hostname: 'two.lab', Resources: { NanoCPUs: 2_000_000_000, MemoryBytes: 4e9 } },
    Status: { State: 'ready' },
  },
};
/** A minute after its container was made: two cores cannot have worked for more than two of them. */
const read = (note: unknown, of: Parameters<typeof readTold>[1] = run) =>
  readTold(typeof note === 'string' ? note : JSON.stringify(note), of, new Date((created + 60) * 1000));
const nothing = { memoryBytes: null, cpuSeconds: null };

it('bytes and seconds are taken as they are told', () => {
  expect(read({ container, memory: 90e6, cpu: 12.5 })).toEqual({ memoryBytes: 90e6, cpuSeconds: 12.5 });
  expect(read({ container, memory: 90e6, cpu: null })).toEqual({ memoryBytes: 90e6, cpuSeconds: null });
});

it('what the run before told is not this run’s: it begins from nothing', () => {
  expect(read({ container: 'ba9876543210', memory: 90e6, cpu: 5000 })).toEqual(nothing);
  for (const none of ['', '0', '0123']) expect(read({ container: none, memory: 90e6, cpu: 1 }), none).toEqual(nothing);
  const { ContainerStatus: _, ...waiting } = run.task.Status;
  expect(read({ container, memory: 90e6, cpu: 1 }, { ...run, task: { ...run.task, Status: waiting } })).toEqual(nothing);
});

it('a number that cannot be so counts as not told', () => {
  for (const cpu of [-1, 1e15, 141, '3', true, [1], {}])
    expect(read({ container, memory: 90e6, cpu }), JSON.stringify(cpu)).toEqual({ memoryBytes: 90e6, cpuSeconds: null });
  for (const memory of [-1, 0, 1e300, 5e9, '3', true, null])
    expect(read({ container, memory, cpu: 2 }), JSON.stringify(memory)).toEqual({ memoryBytes: null, cpuSeconds: 2 });
  for (const note of ['', 'x', '{"memory": NaN}', '[]', 'null', '"90000000"', 'true', '{"cpu": 1e999}']) expect(read(note), note).toEqual(nothing);
});

it('a gate or an experiment that was started by an earlier panel tells memory alone', () => {
  expect(read('90000000')).toEqual({ memoryBytes: 90e6, cpuSeconds: null });
  expect(read({ container: null, memory: 90e6, cpu: 4 })).toEqual({ memoryBytes: 90e6, cpuSeconds: null });
});

it('of a run without a host nothing is told', () => {
  expect(read({ container, memory: 90e6, cpu: 1 }, { ...run, host: undefined })).toEqual(nothing);
});
