// Courses: planning one from a list, starting its job, looking at it, fresh links for those who have not accepted.

import { AppError } from '../contracts/errors.ts';
import { maxCoursePeople, readCourseList, type CourseLine, type CoursePlan, type CourseSummary, type CourseView } from '../contracts/courses.ts';
import type { Course, Job, Prisma } from '../prisma/client/client.ts';
import { instanceUrl } from './addresses.ts';
import { record } from './audit.ts';
import type { Actor, Context } from './context.ts';
import type { Transaction } from './database.ts';
import { guardMany, peopleInSession } from './guard.ts';
import { newId } from './ids.ts';
import { announceJob } from './jobs.ts';
import { makeLink } from './one-time-links.ts';
import { requestPanelJob } from './panel-jobs.ts';
import { shownState } from './present-instance.ts';
import { presentJob, withInstanceName, type JobRow } from './present-job.ts';

/** What a course job is told about one person. */
export type CoursePerson = Pick<CourseLine, 'name' | 'userName' | 'email' | 'instanceName'>;
export type CourseJobInput = { readonly courseId: string; readonly people: readonly CoursePerson[] };

/** Every line of the list, with what is taken already. Lines that are done already (the course exists) only carry a note. */
export async function previewCourse(ctx: Pick<Context, 'db'>, plan: CoursePlan): Promise<CourseLine[]> {
  const lines = readCourseList(plan);
  const course = await ctx.db.course.findFirst({ where: { name: plan.name } });
  const users = await ctx.db.user.findMany({
    where: { OR: [{ email: { in: lines.map(({ email }) => email) } }, { userName: { in: lines.map(({ userName }) => userName) } }] },
    select: { id: true, email: true, userName: true, courseId: true },
  });
  const instances = await ctx.db.instance.findMany({
    where: { deletedAt: null, name: { in: lines.map(({ instanceName }) => instanceName) } },
    select: { name: true, ownerId: true, courseId: true },
  });
  return lines.map((line) => {
    if (line.problem !== null) return line;
    const own = users.find(({ email, userName, courseId }) => course && courseId === course.id && email === line.email && userName === line.userName);
    const instance = instances.find(({ name }) => name === line.instanceName);
    const isOwnInstance = instance !== undefined && own !== undefined && instance.ownerId === own.id;
    if (instance && !isOwnInstance) return { ...line, problem: `There is an instance “${line.instanceName}” already.` };
    if (own)
      return {
        ...line,
        note: isOwnInstance ? 'Is in this course already; nothing is done twice.' : 'Has an account in this course already and gets the instance.',
      };
    if (users.some(({ email }) => email === line.email)) return { ...line, problem: 'There is an account with this e-mail address already.' };
    if (users.some(({ userName }) => userName === line.userName)) return { ...line, problem: 'There is an account with this user name already.' };
    return line;
  });
}

/**
 * Writes the course (or takes the one of this name) and its job. Lines with a problem are refused here; what goes wrong
 * later concerns its own line only.
 * @throws course_list, job_in_progress when a job of this course is under way
 */
export async function startCourse(ctx: Context, actor: Actor, plan: CoursePlan): Promise<{ courseId: string; job: JobRow }> {
  const lines = await previewCourse(ctx, plan);
  const bad = lines.filter(({ problem }) => problem !== null);
  const remark =
    lines.length === 0
      ? 'There is nobody in this list.'
      : lines.length > maxCoursePeople
        ? `At most ${maxCoursePeople} people at once.`
        : bad.map(({ line, problem }) => `Line ${line}: ${problem}`).join(' ');
  if (remark !== '') throw new AppError('course_list', {}, { fields: { list: remark } });
  const people = lines.map(({ name, userName, email, instanceName }): CoursePerson => ({ name, userName, email, instanceName }));
  const { course, job } = await ctx.db.$transaction(async (tx) => {
    await lockCourses(tx);
    const known = await tx.course.findFirst({ where: { name: plan.name } });
    const course = known ?? (await tx.course.create({ data: { id: newId(), name: plan.name, createdById: actor.id, createdByName: actor.name } }));
    await refuseSecondJob(tx, course);
    const job = await requestPanelJob(tx, actor, { kind: 'create-course', input: { courseId: course.id, people } satisfies CourseJobInput });
    await record(tx, actor, { action: 'course.create', subject: course.name, detail: { courseId: course.id, people: people.length } });
    return { course, job };
  });
  ctx.events.people();
  return { courseId: course.id, job: await announceJob(ctx, job.id) };
}

/**
 * Starts the deletion of everything that was made for the course.
 * @throws not_found, confirmation_missing, people_in_session without a reason, job_in_progress
 */
export async function startDeletion(ctx: Context, actor: Actor, request: { courseId: string; confirm: string; reason: string | undefined }): Promise<JobRow> {
  const job = await ctx.db.$transaction(async (tx) => {
    await lockCourses(tx);
    const course = await tx.course.findUnique({ where: { id: request.courseId }, include: { instances: { where: { deletedAt: null } } } });
    if (!course) throw new AppError('not_found');
    if (request.confirm.trim() !== course.name) throw new AppError('confirmation_missing', {}, { fields: { confirm: `Type ${course.name}.` } });
    guardMany(course.instances, request.reason);
    await refuseSecondJob(tx, course);
    await record(tx, actor, { action: 'course.delete', subject: course.name, detail: { courseId: course.id, reason: request.reason } });
    return requestPanelJob(tx, actor, { kind: 'delete-course', input: { courseId: course.id } });
  });
  return announceJob(ctx, job.id);
}

const lockCourses = (tx: Transaction): Promise<unknown> => tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('arboretum courses'))`;
const ofCourse = (courseId: string): Prisma.JobWhereInput => ({
  kind: { in: ['create-course', 'delete-course'] },
  input: { path: ['courseId'], equals: courseId },
});

async function refuseSecondJob(tx: Transaction, course: Course): Promise<void> {
  const open = await tx.job.findFirst({ where: { ...ofCourse(course.id), state: { in: ['queued', 'running'] } } });
  if (open) throw new AppError('job_in_progress', { kind: open.kind === 'create-course' ? 'Create course' : 'Delete course', actor: open.actorName });
}

const counted = { _count: { select: { people: true, instances: { where: { deletedAt: null } } } } } satisfies Prisma.CourseInclude;
const summarize = (course: Prisma.CourseGetPayload<{ include: typeof counted }>): CourseSummary => ({
  id: course.id,
  name: course.name,
  people: course._count.people,
  instances: course._count.instances,
  createdByName: course.createdByName,
  createdAt: course.createdAt.toISOString(),
});

/** Courses, newest first. */
export const listCourses = async (ctx: Pick<Context, 'db'>): Promise<CourseSummary[]> =>
  (await ctx.db.course.findMany({ orderBy: { createdAt: 'desc' }, include: counted })).map(summarize);

const withMembers = {
  ...counted,
  people: {
    orderBy: { name: 'asc' },
    include: { instances: { where: { deletedAt: null }, orderBy: { name: 'asc' } }, links: { orderBy: { expiresAt: 'desc' }, take: 1 } },
  },
} satisfies Prisma.CourseInclude;

/** A course with its people, their instances and its newest job. @throws not_found */
export async function showCourse(ctx: Pick<Context, 'db' | 'config'>, courseId: string): Promise<CourseView> {
  const course = await ctx.db.course.findUnique({ where: { id: courseId }, include: withMembers });
  if (!course) throw new AppError('not_found');
  const job: (Job & { instance: null | { name: string } }) | null = await ctx.db.job.findFirst({
    where: ofCourse(courseId),
    orderBy: { createdAt: 'desc' },
    include: withInstanceName,
  });
  return { ...summarize(course), job: job && presentJob(job), members: course.people.map((person) => presentMember(ctx, courseId, person)) };
}

type MemberRow = Prisma.CourseGetPayload<{ include: typeof withMembers }>['people'][number];

function presentMember(ctx: Pick<Context, 'config'>, courseId: string, person: MemberRow): CourseView['members'][number] {
  const own = person.instances.filter((instance) => instance.courseId === courseId);
  const link = person.links[0];
  return {
    id: person.id,
    name: person.name,
    userName: person.userName,
    email: person.email,
    isInvited: person.passwordHash === null,
    isDisabled: person.disabledAt !== null,
    linkExpiresAt: link && link.expiresAt > new Date() ? link.expiresAt.toISOString() : null,
    instances: own.map((instance) => ({ name: instance.name, state: shownState(instance), url: instanceUrl(ctx.config, instance) })),
    otherInstances: person.instances.filter((instance) => instance.courseId !== courseId).map(({ name }) => name),
    participantsInSession: own.reduce((sum, instance) => sum + peopleInSession(instance), 0),
  };
}

/** Fresh links for everybody who has not accepted yet; links that were sent before die. @throws not_found */
export async function makeCourseLinks(ctx: Context, actor: Actor, courseId: string): Promise<{ personId: string; url: string }[]> {
  const course = await ctx.db.course.findUnique({
    where: { id: courseId },
    include: { people: { where: { passwordHash: null, disabledAt: null }, orderBy: { name: 'asc' } } },
  });
  if (!course) throw new AppError('not_found');
  const links: { personId: string; url: string }[] = [];
  for (const { id } of course.people) links.push({ personId: id, url: (await makeLink(ctx, actor, { personId: id, isMailed: false })).url });
  return links;
}
