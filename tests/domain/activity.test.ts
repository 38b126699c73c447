// Activity, notes and last activity: who did what with which result, and nobody's notes overwritten unseen.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobKindNames } from '../../contracts/jobs.ts';
import { describeAct, listActivity } from '../../domain/activity.ts';
import { findInstance, type OwnedInstance } from '../../domain/access.ts';
import type { WorkerContext } from '../../domain/context.ts';
import { newId } from '../../domain/ids.ts';
import { writeNotes } from '../../domain/notes.ts';
import { observeActivity, type ActivityMarks } from '../../domain/observe-activity.ts';
import { startJob } from '../../domain/start-job.ts';
import type { User } from '../../prisma/client/client.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

async function anOwned(fields: Parameters<typeof anInstance>[1] = {}): Promise<{ owner: User; instance: OwnedInstance }> {
  const owner = await aUser(ctx);
  const { name } = await anInstance(ctx, { ownerId: owner.id, ...fields });
  return { owner, instance: await findInstance(ctx, owner, { name, action: 'instance.read' }) };
}

describe('the activity list', () => {
  it('says who did what, why, and what came of it', async () => {
    const { owner, instance } = await anOwned({ state: 'running' });
    const deployment = await ctx.db.deployment.create({
      data: { id: newId(), instanceId: instance.id, number: 1, commit: 'a'.repeat(40), message: '', author: '', branch: 'main', createdByName: 'test' },
    });
    const deployed = { ...instance, currentDeploymentId: deployment.id };
    const job = await startJob(ctx, owner, { instance: deployed, request: { kind: 'restart', reason: 'new labels' }, sampleFolder: '' });
    await ctx.db.job.update({ where: { id: job.id }, data: { state: 'failed', errorCode: 'not_deployed' } });
    const { activity, pages } = await listActivity(ctx, instance.id, 1);
    expect(activity).toMatchObject([
      {
        actorName: owner.name,
        text: 'restarted it',
        reason: 'new labels',
        job: { id: job.id, state: 'failed', sentence: 'There is no experiment on this instance yet.' },
      },
    ]);
    expect(pages).toBe(1);
  });

  it('comes a page at a time, newest first', async () => {
    const { instance } = await anOwned();
    await ctx.db.audit.createMany({
      data: Array.from({ length: 30 }, (_, at) => ({
        at: new Date(Date.UTC(2026, 0, 1, 0, at)),
        actorName: 'Ada',
        action: 'instance.start',
        instanceId: instance.id,
        subject: String(at),
      })),
    });
    const [first, second] = [await listActivity(ctx, instance.id, 1), await listActivity(ctx, instance.id, 2)];
    expect([first.activity.length, second.activity.length, second.pages]).toEqual([25, 5, 2]);
    expect(first.activity[0]?.at).toBe('2026-01-01T00:29:00.000Z');
  });

  it('has words for every job, and for what its reader would otherwise have to guess', () => {
    const kinds = jobKindNames.filter((kind) => !['create-instance', 'deploy', 'create-course', 'delete-course', 'issue-certificate'].includes(kind));
    for (const kind of kinds) expect(describeAct(`instance.${kind}`, {}), kind).not.toBe(kind.replaceAll('-', ' '));
    expect(describeAct('instance.adopt', { app: 'old-study' })).toBe('took it over from the app old-study');
    expect(describeAct('job.cancel', { kind: 'roll-back' })).toBe('cancelled “Roll back”');
    expect(describeAct('room.save', { room: 'hall', labels: 24 })).toBe('saved the room hall of 24 labels');
    expect(describeAct('room.remove', { room: 'hall' })).toBe('removed the room hall');
    expect(describeAct('instance.change', { resetsOnDrift: true })).toBe('lets a deployment with other models reset the database');
    expect(describeAct('recruiting.save', { room: 'hall', kind: 'prolific' })).toBe('saved recruiting for the room hall (prolific)');
    expect(describeAct('recruiting.change-links', { room: '', kind: 'mturk' })).toBe('changed the completion links of sessions outside rooms (mturk)');
    expect(describeAct('recruiting.test-click', { label: 'test_4f' })).toBe('tried the link of the study as test_4f');
  });

  it('has words for what nobody foresaw', () => {
    expect(describeAct('instance.water-plants', {})).toBe('water plants');
    expect(describeAct('instance.change', { resetsOnDrift: true })).toBe('lets a deployment with other models reset the database');
    expect(describeAct('instance.change', { deployBranch: 'lab' })).toBe('deploys the branch lab from now on');
    expect(describeAct('instance.roll-back', { onDrift: 'reset' })).toBe('rolled it back on an empty database');
    expect(describeAct('job.cancel', { kind: 'back-up' })).toBe('cancelled “Back up”');
    expect(describeAct('room.save', { room: 'hall', labels: null })).toBe('saved the room hall without labels');
    expect(describeAct('instance.share', { person: 'Bob', level: 'operate' })).toBe('shared it with Bob (operate)');
    expect(describeAct('instance.change-environment', { set: ['A'], removed: [], isProduction: false })).toBe('changed the environment: production off; set A');
  });
});

describe('notes', () => {
  it('are saved, and of two writers the second is told who and when', async () => {
    const { owner, instance } = await anOwned();
    await writeNotes(ctx, owner, { instance, notes: 'pilot on Monday', before: '' });
    const late = writeNotes(ctx, await aUser(ctx), { instance, notes: 'pilot on Friday', before: '' });
    await expect(late).rejects.toMatchObject({
      code: 'notes_changed',
      details: { who: owner.name, when: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/) as string },
    });
    expect((await ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id } })).notes).toBe('pilot on Monday');
  });

  it('sent twice by a double click are saved once', async () => {
    const { owner, instance } = await anOwned();
    for (let click = 0; click < 2; click += 1) await writeNotes(ctx, owner, { instance, notes: 'twice', before: '' });
    expect((await ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id } })).notes).toBe('twice');
  });
});

describe('last activity', () => {
  const lastOf = async (id: string) => (await ctx.db.instance.findUniqueOrThrow({ where: { id } })).lastActivityAt;

  it('moves with what a person does', async () => {
    const { owner, instance } = await anOwned();
    expect(await lastOf(instance.id)).toBeNull();
    await writeNotes(ctx, owner, { instance, notes: 'x', before: '' });
    expect(Date.now() - ((await lastOf(instance.id))?.getTime() ?? 0)).toBeLessThan(60_000);
  });

  it('moves when participants move, and not by itself', async () => {
    const { instance } = await anOwned({ state: 'running', facts: { rows: 1, databaseBytes: 5 } });
    const [worker, marks] = [ctx, new Map()] as unknown as [WorkerContext, ActivityMarks];
    const write = (facts: object) => ctx.db.instance.update({ where: { id: instance.id }, data: { facts } });
    await observeActivity(worker, marks);
    await write({ rows: 1, databaseBytes: 9 });
    await observeActivity(worker, marks);
    expect(await lastOf(instance.id)).toBeNull();
    await write({ rows: 2, databaseBytes: 9 });
    await observeActivity(worker, marks);
    expect(await lastOf(instance.id)).not.toBeNull();
  });
});
