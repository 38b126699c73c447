// The jobs that apply environment and limits: what the platform gets, in which order, and what never stands in their log.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StartJob } from '../../contracts/jobs.ts';
import { AppError } from '../../contracts/errors.ts';
import { findInstance } from '../../domain/access.ts';
import type { WorkerContext } from '../../domain/context.ts';
import { changeEnvironment } from '../../domain/environment-variables.ts';
import { newId } from '../../domain/ids.ts';
import { readJobLog } from '../../domain/job-log.ts';
import { startJob } from '../../domain/start-job.ts';
import type { InstanceSpec, Observation } from '../../platforms/platform.ts';
import { runJob } from '../../worker/run-job.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

/** A worker on a platform that writes down what it is asked for. */
function aWorker(failsToStart?: AppError) {
  const asked: string[] = [];
  const specs: InstanceSpec[] = [];
  const seen: Observation = { state: 'running', detail: null, exitCode: null, restarts: 0, memoryBytes: 1, diskBytes: null, webProcesses: 1, startedAt: null };
  const note = (name: string) => {
    asked.push(name);
    return Promise.resolve();
  };
  const platform = {
    stop: () => note('stop'),
    configure: (spec: InstanceSpec) => note(`configure ${specs.push(spec)}`),
    start: () => (failsToStart ? Promise.reject(failsToStart) : note('start')),
    observe: (ids: readonly string[]) => Promise.resolve(new Map(ids.map((id) => [id, seen]))),
    upstreamSocket: () => '/none',
  };
  return { asked, specs, worker: { ...ctx, platform, frontDoor: { applyOne: () => note('route') } } as unknown as WorkerContext };
}

async function aRunning() {
  const manager = await aUser(ctx, { role: 'manager' });
  const row = await anInstance(ctx, { state: 'running' });
  const deployment = await ctx.db.deployment.create({
    data: { id: newId(), instanceId: row.id, number: 1, commit: 'a'.repeat(40), message: '', author: '', branch: 'main', createdByName: 'test' },
  });
  await ctx.db.instance.update({ where: { id: row.id }, data: { currentDeploymentId: deployment.id } });
  const find = () => findInstance(ctx, manager, { name: row.name, action: 'instance.set-environment' });
  const request = async (body: StartJob) => startJob(ctx, manager, { instance: await find(), request: body, sampleFolder: '' });
  return { manager, find, request };
}

describe('the job that applies the environment', () => {
  it('restarts a running experiment with what is stored, and writes no value anywhere', async () => {
    const { manager, find, request } = await aRunning();
    await changeEnvironment(ctx, manager, { instance: await find(), change: { set: [{ name: 'API_KEY', value: 'sk-very-secret' }], authLevel: 'DEMO' } });
    const { asked, specs, worker } = aWorker();
    const job = await request({ kind: 'set-environment' });
    await runJob(worker, job.id, AbortSignal.timeout(10_000));
    expect(asked).toEqual(['stop', 'configure 1', 'start', 'route']);
    expect([specs[0]?.environment['API_KEY']?.open(), specs[0]?.environment['OTREE_AUTH_LEVEL']?.open()]).toEqual(['sk-very-secret', 'DEMO']);
    const row = await ctx.db.job.findUniqueOrThrow({ where: { id: job.id } });
    expect(row.state).toBe('succeeded');
    expect(JSON.stringify(row) + (await readJobLog(ctx, job.id, -1)).text).not.toContain('very-secret');
  });

  it('of a stopped one waits for the next start', async () => {
    const { find, request } = await aRunning();
    await ctx.db.instance.update({ where: { id: (await find()).id }, data: { intent: 'stop', state: 'stopped' } });
    const { asked, worker } = aWorker();
    await runJob(worker, (await request({ kind: 'set-environment' })).id, AbortSignal.timeout(10_000));
    expect(asked).toEqual(['configure 1']);
  });

  it('that fails hides a value that the experiment printed', async () => {
    const { manager, find, request } = await aRunning();
    await changeEnvironment(ctx, manager, { instance: await find(), change: { set: [{ name: 'API_KEY', value: 'sk-very-secret' }] } });
    const { worker } = aWorker(new AppError('start_failed', { seconds: 1, lastLine: 'KeyError: sk-very-secret' }));
    const job = await request({ kind: 'set-environment' });
    await runJob(worker, job.id, AbortSignal.timeout(10_000));
    const row = await ctx.db.job.findUniqueOrThrow({ where: { id: job.id } });
    expect([row.state, row.errorDetails]).toEqual(['failed', { seconds: 1, lastLine: 'KeyError: [redacted]' }]);
    expect((await readJobLog(ctx, job.id, -1)).text).not.toContain('very-secret');
  });
});

describe('scaling', () => {
  it('to one process restarts with the new limits', async () => {
    const { request } = await aRunning();
    const { asked, specs, worker } = aWorker();
    await runJob(worker, (await request({ kind: 'scale', processes: 1, memoryMib: 512, diskMib: 100 })).id, AbortSignal.timeout(10_000));
    expect(asked).toEqual(['stop', 'configure 1', 'start', 'route']);
    expect(specs[0]?.limits).toMatchObject({ memoryMib: 512, diskMib: 100 });
  });

  it('to none stops it', async () => {
    const { request } = await aRunning();
    const { asked, worker } = aWorker();
    await runJob(worker, (await request({ kind: 'scale', processes: 0, memoryMib: null, diskMib: null })).id, AbortSignal.timeout(10_000));
    expect(asked).toEqual(['stop', 'route']);
  });
});
