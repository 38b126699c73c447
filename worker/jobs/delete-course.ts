// Deletes a course: each instance by a deletion of its own (with its backup), then the accounts that own nothing else.

import { setTimeout as wait } from 'node:timers/promises';
import { AppError, describeError, isErrorCode, type ErrorDetails } from '../../contracts/errors.ts';
import { isJobOver, type JobState } from '../../contracts/states.ts';
import { deletePerson } from '../../domain/change-people.ts';
import type { Actor } from '../../domain/context.ts';
import { announceInstance } from '../../domain/instances.ts';
import { announceJob, requestJob } from '../../domain/jobs.ts';
import type { Instance, Job, User } from '../../prisma/client/client.ts';
import type { PanelRun } from '../job-run.ts';

const pollMs = 200;

/** What fails stays, and the course with it, so that the same can be done again. @throws course_incomplete */
export async function deleteCourse(run: PanelRun): Promise<void> {
  const { courseId } = run.job.input as { courseId: string };
  const course = await run.ctx.db.course.findUnique({
    where: { id: courseId },
    include: { people: { orderBy: { name: 'asc' } }, instances: { where: { deletedAt: null }, orderBy: { name: 'asc' } } },
  });
  if (!course) return;
  let failed = 0;
  const attempt = async (name: string, label: string, work: () => Promise<void>): Promise<void> => {
    try {
      await run.step(name, label, work);
    } catch (error) {
      if (run.signal.aborted) throw error;
      failed += 1;
      const known = error instanceof AppError ? error : new AppError('internal', { requestId: run.job.id }, { cause: error });
      if (known.code === 'internal') run.ctx.log.error('a part of a course could not be deleted', { jobId: run.job.id, error: String(error) });
      run.write(`     ✗ ${known.message} ${known.hint}\n`);
    }
  };
  for (const instance of course.instances) await attempt(`instance-${instance.id}`, `Instance ${instance.name}`, () => deleteInstance(run, instance));
  for (const person of course.people) await attempt(`person-${person.id}`, `${person.name} (${person.userName})`, () => deleteMember(run, person));
  const total = course.instances.length + course.people.length;
  if (failed > 0) throw new AppError('course_incomplete', { failed, total });
  await run.step('course', `The course ${course.name}`, () => forgetCourse(run, courseId));
}

const actorOf = ({ job }: PanelRun): Actor => ({ id: job.actorId, name: job.actorName });

/** @throws what the deletion of the instance failed with */
async function deleteInstance(run: PanelRun, instance: Instance): Promise<void> {
  const job = await startDeletion(run, instance);
  run.write(`       deletion ${job.id} of ${instance.name}, with a backup when there are data\n`);
  const end = await ended(run, job.id);
  if (end.state === 'succeeded') return;
  const code = end.errorCode !== null && isErrorCode(end.errorCode) ? end.errorCode : 'job_interrupted';
  run.write(`       ${describeError(code, (end.errorDetails ?? {}) as ErrorDetails).sentence}\n`);
  throw new AppError(code, (end.errorDetails ?? {}) as ErrorDetails);
}

/** The deletion that is under way already (this job may run a second time), or a new one after whatever is under way. */
async function startDeletion(run: PanelRun, instance: Instance): Promise<Job> {
  const { ctx } = run;
  const open = await ctx.db.job.findFirst({ where: { instanceId: instance.id, state: { in: ['queued', 'running'] } }, orderBy: { createdAt: 'asc' } });
  if (open?.kind === 'delete') return open;
  if (open) await ended(run, open.id);
  const job = await ctx.db.$transaction(async (tx) => {
    const row = await requestJob(tx, actorOf(run), { kind: 'delete', instanceId: instance.id });
    await tx.instance.update({ where: { id: instance.id }, data: { intent: 'stop' } });
    return row;
  });
  await announceInstance(ctx, instance.id);
  return announceJob(ctx, job.id);
}

async function ended({ ctx, signal }: PanelRun, jobId: string): Promise<Job> {
  for (;;) {
    const job = await ctx.db.job.findUniqueOrThrow({ where: { id: jobId } });
    if (isJobOver(job.state as JobState)) return job;
    await wait(pollMs, undefined, { signal });
  }
}

/** Managers, and owners of instances outside of the course, keep their accounts. */
async function deleteMember(run: PanelRun, person: User): Promise<void> {
  const { ctx, job, write } = run;
  const others = await ctx.db.instance.findMany({ where: { ownerId: person.id, deletedAt: null }, select: { name: true, courseId: true } });
  if (person.role === 'manager') return write('       the account stays: a lab manager\n');
  if (others.length > 0 && others.every(({ courseId }) => courseId !== person.courseId))
    return write(`       the account stays: owner of ${others.map(({ name }) => name).join(', ')}\n`);
  // The manager who asked takes over the rows of deleted instances; one who has gone since is stood in for by another.
  const heir =
    (await ctx.db.user.findUnique({ where: { id: job.actorId ?? '' } })) ??
    (await ctx.db.user.findFirstOrThrow({ where: { role: 'manager', disabledAt: null } }));
  await deletePerson(ctx, actorOf(run), { personId: person.id, heirId: heir.id });
  write('       account: deleted\n');
}

/** Who is left keeps the account and is in no course any more; the lists that were pasted go, too. */
async function forgetCourse({ ctx }: PanelRun, courseId: string): Promise<void> {
  await ctx.db.$transaction(async (tx) => {
    await tx.job.updateMany({ where: { kind: 'create-course', input: { path: ['courseId'], equals: courseId } }, data: { input: { courseId } } });
    await tx.course.deleteMany({ where: { id: courseId } });
  });
  ctx.events.people();
}
