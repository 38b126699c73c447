// The list of jobs: newest first, a page at a time, each reader's own, and those of instances that are gone.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../domain/ids.ts';
import { listJobs } from '../../domain/job-list.ts';
import { findVisibleJob } from '../../domain/start-job.ts';
import { presentJob } from '../../domain/present-job.ts';
import type { Instance, User } from '../../prisma/client/client.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
let manager: User;
let ada: User;
let own: Instance;
const moment = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 0, minute));
beforeAll(async () => {
  ctx = await testContext();
  [manager, ada] = [await aUser(ctx, { role: 'manager' }), await aUser(ctx)];
  own = await anInstance(ctx, { ownerId: ada.id });
  const step = { name: 'stop', label: 'Stop', state: 'succeeded', startedAt: moment(1).toISOString(), endedAt: moment(2).toISOString() };
  const more = { kind: 'restart', state: 'succeeded', actorName: 'Ada', instanceId: own.id, steps: [step] } as const;
  await ctx.db.job.createMany({ data: Array.from({ length: 30 }, (_, at) => ({ ...more, id: newId(), createdAt: moment(at), startedAt: moment(at) })) });
});
afterAll(() => ctx.close());

describe('the list', () => {
  it('comes a page at a time, newest first, and one past the end is empty', async () => {
    const [first, second, third] = [1, 2, 3].map((page) => listJobs(ctx, ada, { instanceId: own.id, page }));
    expect(await first).toMatchObject({ page: 1, pages: 2, jobs: { length: 25 } });
    expect((await second)?.jobs).toHaveLength(5);
    expect((await third)?.jobs).toEqual([]);
    expect((await first)?.jobs[0]?.createdAt).toBe(moment(29).toISOString());
    expect((await second)?.jobs.at(-1)?.createdAt).toBe(moment(0).toISOString());
  });

  it('shows each job as its own page does', async () => {
    const id = newId();
    const failed = { state: 'failed', errorCode: 'push_refused', errorDetails: { reason: 'No.', hint: 'Not so.' }, endedAt: moment(62) } as const;
    const input = { deploymentId: 'earlier', secretLess: true };
    await ctx.db.job.create({ data: { id, kind: 'roll-back', instanceId: own.id, actorName: 'Ada', createdAt: moment(60), input, ...failed } });
    const { jobs } = await listJobs(ctx, ada, { page: 1 });
    expect(jobs[0]).toEqual(presentJob(await findVisibleJob(ctx, ada, id)));
    expect(jobs[0]).toMatchObject({ rollBackTo: 'earlier', error: { sentence: 'No.' }, endedAt: moment(62).toISOString() });
  });

  it('is of what one may see; what belongs to no instance is for managers', async () => {
    const stranger = await aUser(ctx);
    await ctx.db.job.create({ data: { id: newId(), kind: 'create-course', actorName: 'test', createdAt: moment(90) } });
    expect(await listJobs(ctx, stranger, { page: 1 })).toEqual({ jobs: [], page: 1, pages: 1 });
    expect((await listJobs(ctx, manager, { page: 1 })).jobs[0]?.kind).toBe('create-course');
    expect((await listJobs(ctx, ada, { page: 1 })).jobs.every(({ instanceId }) => instanceId === own.id)).toBe(true);
    await ctx.db.instanceShare.create({ data: { instanceId: own.id, userId: stranger.id, level: 'view' } });
    expect((await listJobs(ctx, stranger, { page: 1 })).jobs).toHaveLength(25);
  });

  it('keeps the jobs of a deleted instance, and knows that there is no page of it any more', async () => {
    const gone = await anInstance(ctx, { ownerId: ada.id, deletedAt: new Date() });
    await ctx.db.job.create({ data: { id: newId(), kind: 'delete', instanceId: gone.id, state: 'succeeded', actorName: 'Ada', createdAt: moment(120) } });
    const { jobs } = await listJobs(ctx, ada, { page: 1 });
    expect(jobs.slice(0, 2).map(({ instanceName, isInstanceGone }) => [instanceName, isInstanceGone])).toEqual([
      [gone.name, true],
      [own.name, false],
    ]);
  });
});
