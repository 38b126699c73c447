// What the scheduler says of instances on any host, read as what people want to know of them.

import { describe, expect, it } from 'vitest';
import { currentRuns, endOfRun, runsFrom, type SwarmNode } from '../../platforms/swarm/elsewhere.ts';
import { hostFrom } from '../../platforms/swarm/hosts.ts';
import type { Task } from '../../platforms/swarm/services.ts';

const node = (ID: string, more: { state?: string; availability?: string; labels?: Record<string, string> } = {}): SwarmNode => ({
  ID,
  UpdatedAt: '2026-01-02T03:04:05.678901234Z',
  Version: { Index: 7 },
  Spec: { Role: 'worker', Availability: more.availability ?? 'active', Labels: more.labels ?? {} },
  Description: { Hostname: `${ID}.lab`, Resources: { NanoCPUs: 4_000_000_000, MemoryBytes: 8_000_000_000 } },
  Status: { State: more.state ?? 'ready', Addr: '10.0.0.2' },
});

const task = (state: string, more: Partial<Task> & { container?: string; exitCode?: number; err?: string; part?: string } = {}): Task => ({
  ID: `task-${state}`,
  ServiceID: 'service',
  NodeID: 'two',
  CreatedAt: '2026-01-02T03:04:05Z',
  DesiredState: more.DesiredState ?? 'running',
  Status: {
    State: state,
    ...(more.err === undefined ? {} : { Err: more.err }),
    ContainerStatus: { ContainerID: more.container ?? 'c0ffee', ...(more.exitCode === undefined ? {} : { ExitCode: more.exitCode }) },
  },
  Spec: { ContainerSpec: { Labels: { 'arboretum.panel': 'ab12cd34', 'arboretum.instance': 'k3v9', 'arboretum.part': more.part ?? 'serve' } } },
});

const runs = (tasks: readonly Task[], nodes = [node('two')]) => runsFrom(tasks, nodes, 'ab12cd34');
const states = (tasks: readonly Task[], nodes = [node('two')]): string[] => runs(tasks, nodes).map(({ State }) => State);
const endOf = (one: Task, nodes = [node('two')]) => runs([one], nodes).map(endOfRun)[0];

describe('runs on hosts', () => {
  it('are this panel’s instances only, without their gates', () => {
    expect(runs([task('running', { part: 'gate' })])).toEqual([]);
    expect(runsFrom([task('running')], [], 'another')).toEqual([]);
  });

  it('one that waits for its health check runs already, one that was refused never did', () => {
    expect(states([task('preparing', { container: '' }), task('starting', { container: '' }), task('rejected', { container: '' })])).toEqual([
      'created',
      'created',
      'created',
    ]);
    expect(states([task('starting'), task('running'), task('failed', { exitCode: 1 })])).toEqual(['running', 'running', 'exited']);
  });

  it('on a lost host it counts as ended as soon as another one is to run', () => {
    const lost = [node('two', { state: 'down' })];
    expect(states([task('running')], lost)).toEqual(['running']);
    expect(states([task('running', { DesiredState: 'shutdown' })], lost)).toEqual(['exited']);
    expect(states([task('running', { DesiredState: 'shutdown' })])).toEqual(['running']);
  });

  it('an older one on a host that has just come back is not where the instance is', () => {
    const old = task('running', { DesiredState: 'shutdown' });
    const moved = { ...task('running'), ID: 'newer', NodeID: 'one' };
    const both = runs([old, moved], [node('one'), node('two')]);
    expect(currentRuns(both).map(({ task: { ID } }) => ID)).toEqual(['newer']);
    expect(currentRuns(runs([old, { ...task('preparing', { container: '' }), ID: 'next' }])).map(({ task: { ID } }) => ID)).toEqual(['task-running']);
  });

  it('how it ended is told: the host, the move, or its own exit', () => {
    expect(endOf(task('running', { DesiredState: 'shutdown' }), [node('two', { state: 'down' })])).toMatchObject({
      words: 'the host two.lab does not answer any more; it was started again on another one.',
      isMove: true,
    });
    expect(endOf(task('shutdown'))).toMatchObject({ words: 'the host two.lab was emptied; it was started again on another one.', isMove: true });
    expect(endOf(task('failed', { exitCode: 3, err: 'task: non-zero exit (3)' }))).toEqual({ exitCode: 3, words: null, isMove: false });
  });
});

describe('a host', () => {
  it('takes instances unless its engine is emptied or it is marked', () => {
    const taking = [node('a'), node('b', { availability: 'drain' }), node('c', { labels: { 'arboretum.instances': 'none' } })].map(hostFrom);
    expect(taking.map(({ takesInstances }) => takesInstances)).toEqual([true, false, false]);
  });

  it('that is down has been so since its entry was written', () => {
    expect(hostFrom(node('a'))).toMatchObject({ state: 'ready', awaySince: null, cores: 4, memoryBytes: 8e9, role: 'worker', address: '10.0.0.2' });
    expect(hostFrom(node('a', { state: 'down' })).awaySince?.toISOString()).toBe('2026-01-02T03:04:05.678Z');
    expect(hostFrom(node('a', { state: 'disconnected' })).state).toBe('unknown');
  });
});
