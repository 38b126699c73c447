// Makes a course: an account, an instance and an invitation for each person of the list. What is done already is left alone.

import { AppError } from '../../contracts/errors.ts';
import type { Instance, User } from '../../prisma/client/client.ts';
import type { Actor } from '../../domain/context.ts';
import type { CourseJobInput, CoursePerson } from '../../domain/courses.ts';
import { createInstance } from '../../domain/instances.ts';
import { makeLink } from '../../domain/one-time-links.ts';
import { createPerson } from '../../domain/people.ts';
import type { PanelRun } from '../job-run.ts';

/** A line that fails does not stop the others. @throws course_incomplete when some lines failed */
export async function createCourse(run: PanelRun): Promise<void> {
  const { courseId, people } = run.job.input as unknown as CourseJobInput;
  let failed = 0;
  for (const [at, person] of people.entries()) {
    try {
      await run.step(`person-${at}`, `${person.name} (${person.userName})`, () => createMember(run, courseId, person));
    } catch (error) {
      if (run.signal.aborted) throw error;
      failed += 1;
      const known = error instanceof AppError ? error : new AppError('internal', { requestId: run.job.id }, { cause: error });
      if (known.code === 'internal') run.ctx.log.error('a person of a course could not be made', { jobId: run.job.id, error: String(error) });
      run.write(`     ✗ ${known.message} ${known.hint}\n`);
    }
  }
  if (failed > 0) throw new AppError('course_incomplete', { failed, total: people.length });
}

async function createMember(run: PanelRun, courseId: string, person: CoursePerson): Promise<void> {
  const user = await ensureAccount(run, courseId, person);
  const instance = await ensureInstance(run, { courseId, ownerId: user.id, name: person.instanceName });
  await invite(run, user, instance);
}

const actorOf = ({ job }: PanelRun): Actor => ({ id: job.actorId, name: job.actorName });

async function ensureAccount(run: PanelRun, courseId: string, person: CoursePerson): Promise<User> {
  const { name, userName, email } = person;
  const known = await run.ctx.db.user.findFirst({ where: { courseId, userName, email } });
  if (known) run.write('       account: there already\n');
  const user = known ?? (await createPerson(run.ctx, actorOf(run), { name, userName, email, role: 'experimenter', courseId }));
  if (!known) run.write('       account: made\n');
  return user;
}

async function ensureInstance(run: PanelRun, wanted: { courseId: string; ownerId: string; name: string }): Promise<Instance> {
  const find = (): Promise<Instance | null> => run.ctx.db.instance.findFirst({ where: { ...wanted, deletedAt: null } });
  const known = await find();
  if (!known) await createInstance(run.ctx, actorOf(run), wanted);
  run.write(`       instance ${wanted.name}: ${known ? 'there already' : 'is being created'}\n`);
  const instance = known ?? (await find());
  if (!instance) throw new AppError('instance_not_created');
  return instance;
}

/** Nobody is invited twice: neither who has accepted nor who has a link that still works. */
async function invite({ ctx, job, write }: PanelRun, user: User, instance: Instance): Promise<void> {
  if (user.passwordHash !== null) return write('       invitation: accepted already\n');
  if (ctx.mailer.server === null) return write('       invitation: hand over a link from the page of the course\n');
  const open = await ctx.db.oneTimeLink.count({ where: { userId: user.id, expiresAt: { gt: new Date() } } });
  if (open > 0) return write('       invitation: made already\n');
  const { mail } = await makeLink(ctx, { id: job.actorId, name: job.actorName }, { personId: user.id, isMailed: true, instance });
  write(mail === 'sent' ? '       invitation: sent\n' : '       invitation: the mail could not be sent; hand over a link from the page of the course\n');
}
