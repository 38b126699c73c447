// Courses: from a list to accounts, instances and invitations by one job, twice without harm, and away again.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkerContext } from '../../domain/context.ts';
import { listCourses, makeCourseLinks, previewCourse, showCourse, startCourse, startDeletion } from '../../domain/courses.ts';
import { newId } from '../../domain/ids.ts';
import { forgetInstance } from '../../domain/instances.ts';
import { readJobLog } from '../../domain/job-log.ts';
import { claimJob, endJob } from '../../domain/jobs.ts';
import { acceptLink } from '../../domain/one-time-links.ts';
import { listJobs } from '../../domain/job-list.ts';
import { findVisibleJob } from '../../domain/start-job.ts';
import type { Job, User } from '../../prisma/client/client.ts';
import { runJob } from '../../worker/run-job.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';
import { catchMails, tokenIn, type SmtpCatcher } from '../smtp-catcher.ts';

let smtp: SmtpCatcher;
let ctx: TestContext;
let manager: User;
beforeAll(async () => {
  smtp = await catchMails();
  ctx = await testContext({ SMTP_URL: smtp.url, MAIL_FROM: 'lab@lab.example', PUBLIC_URL: 'http://localhost:8080' });
  manager = await aUser(ctx, { role: 'manager' });
});
afterAll(async () => {
  await ctx.close();
  await smtp.close();
});

const people = (count: number) => {
  const stem = newId();
  return Array.from({ length: count }, (_, at) => ({ name: `Person ${at}`, userName: `${stem}${at}`, email: `${stem}${at}@lab.example` }));
};
const listOf = (all: readonly { name: string; userName: string; email: string }[]): string =>
  all.map(({ name, userName, email }) => `${name};${userName};${email}`).join('\n');
const planOf = (list: string, name = newId()) => ({ name, list, pattern: 'econ-{user}' });
/** A course job touches neither platform nor front door. */
const run = (jobId: string): Promise<string> => runJob(ctx as unknown as WorkerContext, jobId, new AbortController().signal);
const jobOf = (id: string): Promise<Job> => ctx.db.job.findUniqueOrThrow({ where: { id } });
const stepsOf = (job: Job): { label: string; state: string }[] => job.steps as { label: string; state: string }[];
const logOf = async (jobId: string): Promise<string> => (await readJobLog(ctx, jobId, -1)).text;

async function aCourse(count: number): Promise<{ courseId: string; name: string; all: ReturnType<typeof people>; jobId: string }> {
  const all = people(count);
  const name = newId();
  const { courseId, job } = await startCourse(ctx, manager, planOf(listOf(all), name));
  await run(job.id);
  return { courseId, name, all, jobId: job.id };
}

describe('a course', () => {
  it('makes an account, an instance and an invitation for each line, in one job with a step for each', async () => {
    const { courseId, all, jobId } = await aCourse(3);
    const job = await jobOf(jobId);
    expect([job.state, job.instanceId, stepsOf(job).map(({ label, state }) => `${label} ${state}`)]).toEqual([
      'succeeded',
      null,
      all.map(({ name, userName }) => `${name} (${userName}) succeeded`),
    ]);
    const course = await showCourse(ctx, courseId);
    expect(course.members.map(({ userName, instances, isInvited }) => [userName, instances.map(({ name }) => name), isInvited])).toEqual(
      all.map(({ userName }) => [userName, [`econ-${userName}`], true]),
    );
    const [mail] = await smtp.mailsTo(all[0]?.email ?? '');
    expect(mail?.text).toContain(`econ-${all[0]?.userName}.git`);
    const accepted = await acceptLink(ctx, { token: tokenIn(mail?.text ?? ''), password: 'a long password' });
    expect(accepted.userName).toBe(all[0]?.userName);
  });

  it('keeps tokens out of the job’s input and log', async () => {
    const { all, jobId } = await aCourse(1);
    const [mail] = await smtp.mailsTo(all[0]?.email ?? '');
    const told = JSON.stringify((await jobOf(jobId)).input) + (await logOf(jobId)) + JSON.stringify(ctx.logged);
    expect(tokenIn(mail?.text ?? '')).not.toBe('');
    expect(told).not.toContain(tokenIn(mail?.text ?? ''));
  });

  it('done twice makes nothing twice, and takes in people who were added', async () => {
    const { courseId, name, all } = await aCourse(2);
    const more = [...all, ...people(1)];
    const again = await startCourse(ctx, manager, planOf(listOf(more), name));
    expect(again.courseId).toBe(courseId);
    await run(again.job.id);
    expect((await jobOf(again.job.id)).state).toBe('succeeded');
    const course = await showCourse(ctx, courseId);
    expect([course.people, course.instances]).toEqual([3, 3]);
    await smtp.mailsTo(more[2]?.email ?? '');
    expect(smtp.mails.filter(({ to }) => to === all[0]?.email)).toHaveLength(1);
  });

  it('asked for twice at once is one job', async () => {
    const plan = planOf(listOf(people(1)));
    const answers = await Promise.allSettled([startCourse(ctx, manager, plan), startCourse(ctx, manager, plan)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect((await ctx.db.course.findMany({ where: { name: plan.name } })).length).toBe(1);
  });

  it('goes on when a line fails, and says which and why', async () => {
    const all = people(3);
    const { courseId, job } = await startCourse(ctx, manager, planOf(listOf(all)));
    // Somebody takes the user name between the preview and the job.
    await aUser(ctx, { userName: all[1]?.userName ?? '' });
    await run(job.id);
    const end = await jobOf(job.id);
    expect([end.state, end.errorCode, end.errorDetails]).toEqual(['failed', 'course_incomplete', { failed: 1, total: 3 }]);
    expect(stepsOf(end).map(({ state }) => state)).toEqual(['succeeded', 'failed', 'succeeded']);
    expect(await logOf(job.id)).toContain('There is already a person with the user name');
    expect((await showCourse(ctx, courseId)).people).toBe(2);
  });

  it('without a mail server says to hand over links, which are made on demand and die when made again', async () => {
    const quiet = { ...ctx, mailer: { server: null, send: () => Promise.reject(new Error('off')) } };
    const { courseId, job } = await startCourse(quiet, manager, planOf(listOf(people(2))));
    await runJob(quiet as unknown as WorkerContext, job.id, new AbortController().signal);
    expect(await logOf(job.id)).toContain('hand over a link');
    expect(await ctx.db.oneTimeLink.count({ where: { user: { courseId } } })).toBe(0);
    const first = await makeCourseLinks(quiet, manager, courseId);
    const second = await makeCourseLinks(quiet, manager, courseId);
    expect([first.length, second.length]).toEqual([2, 2]);
    await expect(acceptLink(ctx, { token: tokenIn(first[0]?.url ?? ''), password: 'a long password' })).rejects.toMatchObject({ code: 'link_dead' });
    await acceptLink(ctx, { token: tokenIn(second[0]?.url ?? ''), password: 'a long password' });
    expect(await makeCourseLinks(quiet, manager, courseId)).toHaveLength(1);
  });

  it('is refused as long as a line has a problem, with the line', async () => {
    const taken = await aUser(ctx);
    const instance = await anInstance(ctx, { name: `econ-${newId()}` });
    const list = `A;${newId()};${taken.email}\nB;${taken.userName};${newId()}@lab.example\nC;${instance.name.replace('econ-', '')};${newId()}@lab.example`;
    expect((await previewCourse(ctx, planOf(list))).map(({ problem }) => problem)).toEqual([
      'There is an account with this e-mail address already.',
      'There is an account with this user name already.',
      `There is an instance “${instance.name}” already.`,
    ]);
    await expect(startCourse(ctx, manager, planOf(list))).rejects.toMatchObject({ code: 'course_list', fields: { list: expect.stringContaining('Line 1: ') } });
    await expect(startCourse(ctx, manager, planOf(''))).rejects.toMatchObject({ fields: { list: 'There is nobody in this list.' } });
  });
});

describe('a job of no instance', () => {
  it('is seen by managers and by nobody else', async () => {
    const { all, jobId } = await aCourse(1);
    const member = await ctx.db.user.findFirstOrThrow({ where: { userName: all[0]?.userName ?? '' } });
    expect((await findVisibleJob(ctx, manager, jobId)).id).toBe(jobId);
    expect((await listJobs(ctx, manager, { page: 1 })).jobs.some(({ id }) => id === jobId)).toBe(true);
    await expect(findVisibleJob(ctx, member, jobId)).rejects.toMatchObject({ code: 'not_found' });
    expect((await listJobs(ctx, member, { page: 1 })).jobs.some(({ id }) => id === jobId)).toBe(false);
    const told = ctx.recorded.flatMap(({ name, values }) => (name === 'job' && values[1].id === jobId ? [values[0]] : []));
    expect(new Set(told)).toEqual(new Set([null]));
  });

  it('runs one at a time, so that there is room for the jobs of instances it waits for', async () => {
    const [one, two] = [await startCourse(ctx, manager, planOf(listOf(people(1)))), await startCourse(ctx, manager, planOf(listOf(people(1))))];
    const first = await claimJob(ctx, one.job.id);
    expect(await claimJob(ctx, two.job.id)).toBe('later');
    if (typeof first === 'string') throw new Error(first);
    await endJob(ctx, first, { state: 'succeeded' });
    expect(typeof (await claimJob(ctx, two.job.id))).toBe('object');
    await ctx.db.job.updateMany({ where: { id: two.job.id }, data: { state: 'succeeded' } });
  });
});

/** Stands for the worker's other slots: runs each deletion as it appears. */
async function serveDeletions(fails: (name: string) => boolean, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const job = await ctx.db.job.findFirst({ where: { kind: 'delete', state: 'queued' }, include: { instance: true } });
    const claimed = job ? await claimJob(ctx, job.id) : null;
    if (claimed === null || typeof claimed === 'string') continue;
    if (fails(job?.instance?.name ?? '')) await endJob(ctx, claimed, { state: 'failed', code: 'backup_failed', details: { reason: 'the disk is full' } });
    else {
      await forgetInstance(ctx, claimed.instanceId ?? '');
      await endJob(ctx, claimed, { state: 'succeeded' });
    }
  }
}

async function deleteAll(courseId: string, name: string, fails: (name: string) => boolean = () => false): Promise<Job> {
  const job = await startDeletion(ctx, manager, { courseId, confirm: name, reason: undefined });
  let isOver = false;
  const serving = serveDeletions(fails, () => isOver);
  await run(job.id);
  isOver = true;
  await serving;
  return jobOf(job.id);
}

/** What the jobs that create the instances would do. */
const created = (courseId: string) => ctx.db.job.updateMany({ where: { kind: 'create-instance', instance: { courseId } }, data: { state: 'succeeded' } });

describe('deleting a course', () => {
  it('is asked for by typing its name, and refused while people play unless there is a reason', async () => {
    const { courseId, name } = await aCourse(1);
    await expect(startDeletion(ctx, manager, { courseId, confirm: 'no', reason: undefined })).rejects.toMatchObject({ code: 'confirmation_missing' });
    await ctx.db.instance.updateMany({ where: { courseId }, data: { state: 'running', facts: { participantsInSession: 3 } } });
    await expect(startDeletion(ctx, manager, { courseId, confirm: name, reason: undefined })).rejects.toMatchObject({
      code: 'people_in_session',
      details: { count: 3 },
    });
  });

  it('deletes each instance by a deletion of its own, then the accounts, then the course', async () => {
    const { courseId, name, all } = await aCourse(2);
    await created(courseId);
    const job = await deleteAll(courseId, name);
    expect([job.state, job.errorDetails]).toEqual(['succeeded', null]);
    expect(await ctx.db.user.count({ where: { userName: { in: all.map(({ userName }) => userName) } } })).toBe(0);
    expect(
      await ctx.db.job.count({ where: { kind: 'delete', state: 'succeeded', instance: { name: { in: all.map(({ userName }) => `econ-${userName}`) } } } }),
    ).toBe(2);
    expect((await listCourses(ctx)).some(({ id }) => id === courseId)).toBe(false);
    const pasted = await ctx.db.job.findMany({ where: { kind: 'create-course', input: { path: ['courseId'], equals: courseId } } });
    expect(JSON.stringify(pasted)).not.toContain('@lab.example');
  });

  it('keeps managers, owners of other instances, and everybody whose instance could not be deleted', async () => {
    const { courseId, name, all } = await aCourse(3);
    await created(courseId);
    const rows = await ctx.db.user.findMany({ where: { courseId }, orderBy: { userName: 'asc' } });
    await ctx.db.user.update({ where: { id: rows[0]?.id ?? '' }, data: { role: 'manager' } });
    await anInstance(ctx, { ownerId: rows[1]?.id ?? '' });
    const stuck = `econ-${all[2]?.userName}`;
    const job = await deleteAll(courseId, name, (instance) => instance === stuck);
    expect([job.state, job.errorCode]).toEqual(['failed', 'course_incomplete']);
    expect(await logOf(job.id)).toContain('The backup could not be made');
    expect((await showCourse(ctx, courseId)).members).toHaveLength(3);
    const second = await deleteAll(courseId, name);
    expect(second.state).toBe('succeeded');
    expect(await ctx.db.user.count({ where: { id: { in: rows.map(({ id }) => id) } } })).toBe(2);
  });
});
