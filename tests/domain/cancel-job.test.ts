// Cancelling: who may, what ends at once, and that of a cancel and a step exactly one comes first.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancelJob } from '../../domain/cancel-job.ts';
import { followJob } from '../../domain/follow-job.ts';
import { newId } from '../../domain/ids.ts';
import { beginStep, claimJob, endJob, requestJob } from '../../domain/jobs.ts';
import type { Job, User } from '../../prisma/client/client.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const switching = [{ name: 'switch', label: 'Switch', state: 'running' as const, startedAt: '', endedAt: null }];
const building = [{ name: 'build', label: 'Build', state: 'running' as const, startedAt: '', endedAt: null }];

async function aDeploy(): Promise<{ owner: User; job: Job }> {
  const owner = await aUser(ctx, { name: 'Ada' });
  const { id: instanceId } = await anInstance(ctx, { ownerId: owner.id });
  const deploymentId = newId();
  const columns = { commit: 'a'.repeat(40), message: '', author: '', branch: 'main', createdByName: 'Ada' };
  await ctx.db.deployment.create({ data: { id: deploymentId, instanceId, number: 1, ...columns } });
  const job = await ctx.db.$transaction((tx) => requestJob(tx, owner, { kind: 'deploy', instanceId, deploymentId }));
  return { owner, job };
}
const read = (job: Job): Promise<Job> => ctx.db.job.findUniqueOrThrow({ where: { id: job.id } });
async function claimed(job: Job) {
  const row = await claimJob(ctx, job.id);
  if (typeof row === 'string') throw new Error(row);
  return row;
}

describe('a queued job', () => {
  it('ends at once with who cancelled it; its deployment, too, and nobody takes it any more', async () => {
    const { owner, job } = await aDeploy();
    expect(await cancelJob(ctx, owner, job.id)).toMatchObject({ isRunning: false, job: { state: 'cancelled', cancelledByName: 'Ada' } });
    expect(await ctx.db.deployment.findUnique({ where: { id: job.deploymentId ?? '' } })).toMatchObject({ state: 'cancelled' });
    expect(await claimJob(ctx, job.id)).toBe('over');
    expect(await ctx.db.audit.findFirst({ where: { instanceId: job.instanceId ?? '', action: 'job.cancel' } })).toMatchObject({ actorName: 'Ada' });
  });

  it('tells the pusher’s terminal', async () => {
    const { owner, job } = await aDeploy();
    const following = followJob(ctx, job.id, { onText: () => undefined, signal: new AbortController().signal });
    await cancelJob(ctx, owner, job.id);
    expect((await following).error).toMatchObject({ sentence: 'Ada cancelled this job.' });
  });
});

describe('a running job', () => {
  it('is marked, seen by every open page, and begins no further step', async () => {
    const { owner, job } = await aDeploy();
    const run = await claimed(job);
    await beginStep(ctx, run, building);
    expect(await cancelJob(ctx, owner, job.id)).toMatchObject({ isRunning: true, job: { state: 'running' } });
    await ctx.waitForEvent('job', (_to, view) => view.id === job.id && view.cancelledByName === 'Ada');
    await expect(beginStep(ctx, run, [...building, ...switching])).rejects.toMatchObject({ code: 'job_cancelled', details: { actor: 'Ada' } });
    await endJob(ctx, run, { state: 'cancelled', code: 'job_cancelled', details: { actor: 'Ada' } });
    expect(await read(job)).toMatchObject({ state: 'cancelled', endedAt: expect.any(Date) });
  });

  it('cancelled by two people keeps the first', async () => {
    const { owner, job } = await aDeploy();
    await claimed(job);
    const bob = await aUser(ctx, { name: 'Bob', role: 'manager' });
    await cancelJob(ctx, owner, job.id);
    await cancelJob(ctx, bob, job.id);
    expect(await read(job)).toMatchObject({ cancelledByName: 'Ada' });
  });

  it('either switches or is cancelled, never both, whoever is faster', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const { owner, job } = await aDeploy();
        const run = await claimed(job);
        await beginStep(ctx, run, building);
        const [step, cancel] = await Promise.allSettled([beginStep(ctx, run, switching), cancelJob(ctx, owner, job.id)]);
        return [step.status, cancel.status].toSorted().join();
      }),
    );
    expect(new Set(outcomes)).toEqual(new Set(['fulfilled,rejected']));
  }, 30_000);
});

it('a stranger sees no such job, and an ended one is not cancelled', async () => {
  const { owner, job } = await aDeploy();
  await expect(cancelJob(ctx, await aUser(ctx), job.id)).rejects.toMatchObject({ code: 'not_found' });
  await endJob(ctx, await claimed(job), { state: 'succeeded' });
  await expect(cancelJob(ctx, owner, job.id)).rejects.toMatchObject({ code: 'too_late_to_cancel' });
  expect(await read(job)).toMatchObject({ state: 'succeeded', cancelledAt: null });
});
