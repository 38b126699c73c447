// A course: many accounts with one instance each, made from a pasted list and deleted together.

import { z } from 'zod';
import { jobSchema } from './jobs.ts';
import { instanceNameSchema } from './instances.ts';
import { emailSchema, personNameSchema, userNameSchema } from './people.ts';
import { instanceStates } from './states.ts';

export const maxCoursePeople = 300;
const courseNameSchema = z.string().trim().min(1, 'A name, for example “Experiments 2026”.').max(80, 'At most 80 characters.');
/** `{user}` stands for the user name of each person. */
const patternSchema = z
  .string()
  .trim()
  .max(60, 'At most 60 characters.')
  .refine((pattern) => pattern.split('{user}').length === 2, 'Write {user} once: it stands for each person’s user name.');

export const planCourseSchema = z.strictObject({ name: courseNameSchema, list: z.string().max(100_000, 'This list is too long.'), pattern: patternSchema });
export type CoursePlan = z.infer<typeof planCourseSchema>;

/** One line of the list, as it was understood; `problem` says what has to be corrected, `note` what is different from a new line. */
export const courseLineSchema = z.object({
  line: z.number().int(),
  name: z.string(),
  userName: z.string(),
  email: z.string(),
  instanceName: z.string(),
  problem: z.string().nullable(),
  note: z.string().nullable(),
});
export type CourseLine = z.infer<typeof courseLineSchema>;
export const coursePreviewSchema = z.object({ lines: z.array(courseLineSchema) });

const summary = { id: z.string(), name: z.string(), people: z.number().int(), instances: z.number().int(), createdByName: z.string(), createdAt: z.string() };
export const courseListSchema = z.object({ courses: z.array(z.object(summary)) });
export type CourseSummary = z.infer<typeof courseListSchema>['courses'][number];

export const courseSchema = z.object({
  ...summary,
  /** The newest job of this course. */
  job: jobSchema.nullable(),
  members: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      userName: z.string(),
      email: z.string(),
      isInvited: z.boolean(),
      isDisabled: z.boolean(),
      linkExpiresAt: z.string().nullable(),
      instances: z.array(z.object({ name: z.string(), state: z.enum(instanceStates), url: z.string() })),
      /** Instances outside of the course: while there are some, the account stays. */
      otherInstances: z.array(z.string()),
      participantsInSession: z.number().int(),
    }),
  ),
});
export type CourseView = z.infer<typeof courseSchema>;
export type CourseMember = CourseView['members'][number];

export const startedCourseSchema = z.object({ courseId: z.string(), job: jobSchema });
export const deleteCourseSchema = z.strictObject({ confirm: z.string().max(200), reason: z.string().trim().max(300).optional() });
/** Fresh links of those who have not accepted yet, shown once. */
export const courseLinksSchema = z.object({ links: z.array(z.object({ personId: z.string(), url: z.string() })) });

/** A first line without an address and with one of these words is a line of headings. */
const headingWords = /^(e-?mail.*|mail.*|(full |user |last |first )?name|user|login|benutzer(name)?|nachname|vorname)$/i;
const isHeading = (cells: readonly string[]): boolean => !cells.some((cell) => cell.includes('@')) && cells.some((cell) => headingWords.test(cell));
/** Excel protects a cell that starts with a sign by an apostrophe. */
const clean = (cell: string): string =>
  cell
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .replaceAll('""', '"')
    .replace(/^'/, '')
    .trim();

/** The cells of one line: a tab wins over a semicolon, a semicolon over a comma, because names have commas. */
function cellsOf(line: string): string[] {
  const separator = line.includes('\t') ? '\t' : line.includes(';') ? ';' : ',';
  return line.split(separator).map(clean);
}

/** "Ada.Lovelace@uni.example" → "ada.lovelace", with letters that no user name may have left out. */
const userNameFrom = (email: string): string =>
  (email.split('@')[0] ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, '')
    .replace(/^[._-]+/, '')
    .slice(0, 40);

/** A name of an instance from the pattern; signs that no instance may have become hyphens. */
const instanceNameFrom = (pattern: string, userName: string): string =>
  pattern.replace('{user}', userName.replace(/[._]+/g, '-')).toLowerCase().replace(/-{2,}/g, '-').replace(/-+$/, '');

/**
 * Reads a pasted list: name, user name, e-mail, separated by tab, semicolon or comma; a line of headings is passed over,
 * the user name may be left out. Problems are those of the list itself; what is taken already only the server knows.
 */
export function readCourseList({ list, pattern }: Pick<CoursePlan, 'list' | 'pattern'>): CourseLine[] {
  const rows = list.split(/\r\n|\r|\n/).map((text, at) => ({ line: at + 1, cells: cellsOf(text) }));
  const filled = rows.filter(({ cells }) => cells.some((cell) => cell !== ''));
  const people = filled.filter(({ cells }, at) => !(at === 0 && isHeading(cells)));
  const lines = people.map(({ line, cells }) => readLine(line, cells, pattern));
  return lines.map((one, at) => ({ ...one, problem: one.problem ?? describeDouble(one, lines.slice(0, at)) }));
}

function readLine(line: number, cells: readonly string[], pattern: string): CourseLine {
  const emailAt = cells.findIndex((cell) => cell.includes('@'));
  const email = (cells[emailAt] ?? '').toLowerCase();
  const others = cells.filter((cell, at) => at !== emailAt && cell !== '');
  const [name = '', given = ''] = others;
  const userName = (given || userNameFrom(email)).toLowerCase();
  const instanceName = instanceNameFrom(pattern, userName);
  const found = { line, name, userName, email, instanceName, note: null };
  return { ...found, problem: others.length > 2 ? 'More than name, user name and e-mail in this line.' : describeProblem(found) };
}

function describeProblem({ name, userName, email, instanceName }: Pick<CourseLine, 'name' | 'userName' | 'email' | 'instanceName'>): string | null {
  if (email === '') return 'There is no e-mail address in this line.';
  const checks = [
    ['Name', personNameSchema.safeParse(name)],
    ['E-mail', emailSchema.safeParse(email)],
    ['User name', userNameSchema.safeParse(userName)],
    [`Instance “${instanceName}”`, instanceNameSchema.safeParse(instanceName)],
  ] as const;
  for (const [what, { success, error }] of checks) if (!success) return `${what}: ${error.issues[0]?.message ?? 'does not fit.'}`;
  return null;
}

function describeDouble(one: CourseLine, before: readonly CourseLine[]): string | null {
  const of = (key: 'email' | 'userName' | 'instanceName'): CourseLine | undefined => before.find((other) => other[key] !== '' && other[key] === one[key]);
  const [email, userName, instance] = [of('email'), of('userName'), of('instanceName')];
  if (email) return `The e-mail address stands in line ${email.line}, too.`;
  if (userName) return `The user name stands in line ${userName.line}, too.`;
  return instance ? `Line ${instance.line} would get the same instance.` : null;
}
