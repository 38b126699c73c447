// Sharing and handing over: exactly one owner, levels that change, people who are found only by their exact name.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findInstance, standingOf } from '../../domain/access.ts';
import { listInstances } from '../../domain/instance-list.ts';
import { instanceListQuery } from '../../contracts/instances.ts';
import { addShare, changeShare, handOver, listPeopleOf, removeShare } from '../../domain/shares.ts';
import { listJobs } from '../../domain/job-list.ts';
import { findVisibleJob } from '../../domain/start-job.ts';
import { newId } from '../../domain/ids.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

async function aShared() {
  const [owner, colleague] = [await aUser(ctx), await aUser(ctx)];
  const { name } = await anInstance(ctx, { ownerId: owner.id });
  const find = () => findInstance(ctx, owner, { name, action: 'instance.share' });
  const instance = await find();
  await addShare(ctx, owner, { instance, login: colleague.userName, level: 'view' });
  return { owner, colleague, name, instance: await find() };
}

describe('a share', () => {
  it('lets a colleague see the instance, its jobs and nothing more than the level says', async () => {
    const { colleague, instance, name } = await aShared();
    const job = await ctx.db.job.create({ data: { id: newId(), kind: 'start', instanceId: instance.id, state: 'succeeded', actorName: 'test' } });
    expect(standingOf(colleague, instance)).toBe('view');
    expect((await listInstances(ctx, colleague, instanceListQuery.parse({ filter: 'shared' }))).instances.map((row) => row.name)).toEqual([name]);
    expect((await listJobs(ctx, colleague, { page: 1 })).jobs.map(({ id }) => id)).toEqual([job.id]);
    expect((await findVisibleJob(ctx, colleague, job.id)).id).toBe(job.id);
    await expect(findInstance(ctx, colleague, { name, action: 'instance.push' })).rejects.toMatchObject({ code: 'not_allowed' });
  });

  it('changes its level and ends, and each is recorded in words', async () => {
    const { owner, colleague, name, instance } = await aShared();
    await changeShare(ctx, owner, { instance, personId: colleague.id, level: 'operate' });
    expect((await listPeopleOf(ctx, instance)).shares).toMatchObject([{ person: { id: colleague.id }, level: 'operate' }]);
    await removeShare(ctx, owner, { instance, personId: colleague.id });
    await removeShare(ctx, owner, { instance, personId: colleague.id });
    await expect(findInstance(ctx, colleague, { name, action: 'instance.read' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(changeShare(ctx, owner, { instance, personId: colleague.id, level: 'view' })).rejects.toMatchObject({ code: 'not_found' });
    const actions = (await ctx.db.audit.findMany({ where: { instanceId: instance.id }, orderBy: { id: 'asc' } })).map(({ action }) => action);
    expect(actions).toEqual(['instance.share', 'instance.share', 'instance.unshare']);
  });

  it('is refused for the owner, for nobody and for a disabled person, at the field', async () => {
    const { owner, instance } = await aShared();
    const disabled = await aUser(ctx, { disabledAt: new Date() });
    const share = (login: string) => addShare(ctx, owner, { instance, login, level: 'view' });
    await expect(share(owner.email)).rejects.toMatchObject({ code: 'owns_already', fields: { login: expect.any(String) as string } });
    await expect(share('nobody@lab.example')).rejects.toMatchObject({ code: 'person_unknown', fields: { login: expect.any(String) as string } });
    await expect(share(disabled.userName)).rejects.toMatchObject({ code: 'person_unknown' });
    await expect(share(owner.userName.slice(0, 5))).rejects.toMatchObject({ code: 'person_unknown' });
  });

  it('tells colleagues with a share of every change', async () => {
    const { owner, colleague, instance } = await aShared();
    ctx.recorded.length = 0;
    await changeShare(ctx, owner, { instance, personId: colleague.id, level: 'operate' });
    expect(ctx.recorded.find(({ name }) => name === 'instance')?.values[0]).toMatchObject({ sharedWith: [colleague.id] });
  });
});

describe('a hand-over', () => {
  it('leaves exactly one owner; the old one keeps operate when asked for', async () => {
    const { owner, colleague, name, instance } = await aShared();
    await handOver(ctx, owner, { instance, login: colleague.email, keepsOperate: true });
    const after = await findInstance(ctx, owner, { name, action: 'instance.read' });
    expect([after.ownerId, after.shares]).toEqual([colleague.id, [{ userId: owner.id, level: 'operate' }]]);
    await expect(findInstance(ctx, owner, { name, action: 'instance.push' })).rejects.toMatchObject({ code: 'not_allowed' });
    expect(await findInstance(ctx, colleague, { name, action: 'instance.push' })).toMatchObject({ name });
  });

  it('without keeping anything takes the instance out of the old owner’s pages', async () => {
    const { owner, colleague, name, instance } = await aShared();
    await handOver(ctx, owner, { instance, login: colleague.userName, keepsOperate: false });
    await expect(findInstance(ctx, owner, { name, action: 'instance.read' })).rejects.toMatchObject({ code: 'not_found' });
    expect(ctx.recorded.findLast((event) => event.name === 'instanceLost')?.values[0]).toBe(owner.id);
  });

  it('is refused to a disabled person and to the owner', async () => {
    const { owner, instance } = await aShared();
    const disabled = await aUser(ctx, { disabledAt: new Date() });
    await expect(handOver(ctx, owner, { instance, login: disabled.email, keepsOperate: false })).rejects.toMatchObject({ code: 'person_unknown' });
    await expect(handOver(ctx, owner, { instance, login: owner.email, keepsOperate: false })).rejects.toMatchObject({ code: 'owns_already' });
  });

  it('of two people at once ends with one owner, and the second is told', async () => {
    const { owner, colleague, instance } = await aShared();
    const hand = () => handOver(ctx, owner, { instance, login: colleague.email, keepsOperate: true });
    const results = await Promise.allSettled([hand(), hand()]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await ctx.db.instanceShare.count({ where: { instanceId: instance.id, userId: { in: [owner.id, colleague.id] } } })).toBe(1);
  });
});
