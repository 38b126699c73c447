// People: making accounts, signing in, the first manager; changes to accounts are in `change-people.ts`.

import { AppError } from '../contracts/errors.ts';
import type { PersonView } from '../contracts/people.ts';
import type { Role } from '../contracts/roles.ts';
import type { Prisma, User } from '../prisma/client/client.ts';
import type { Person } from './access.ts';
import { record } from './audit.ts';
import { systemActor, type Actor, type Context } from './context.ts';
import { isUniqueViolation } from './database.ts';
import { hashToken, newId, newToken } from './ids.ts';
import { fitsPassword, hashPassword } from './passwords.ts';
import { presentPerson } from './present-person.ts';

/** Same work and same answer for an unknown, a disabled and a wrong one. @returns the person or null */
export async function signIn(ctx: Pick<Context, 'db'>, login: string, password: string): Promise<User | null> {
  const name = login.trim().toLowerCase();
  const user = await ctx.db.user.findFirst({ where: { OR: [{ userName: name }, { email: name }] } });
  const isRight = await fitsPassword(user?.passwordHash, password);
  return user && isRight && !user.disabledAt ? user : null;
}

export type NewPerson = {
  readonly name: string;
  readonly userName: string;
  readonly email: string;
  /** Left out: no password fits until the person chooses one by a one-time link. */
  readonly password?: string | undefined;
  readonly role: Role;
  readonly courseId?: string;
};

/** @throws user_name_taken, email_taken */
export async function createPerson(ctx: Context, actor: Actor, person: NewPerson): Promise<User> {
  const { password, ...rest } = person;
  const passwordHash = password === undefined ? null : await hashPassword(password);
  try {
    const user = await ctx.db.$transaction(async (tx) => {
      const created = await tx.user.create({ data: { id: newId(), ...rest, passwordHash } });
      await record(tx, actor, { action: 'person.create', subject: created.userName, detail: { role: created.role } });
      return created;
    });
    ctx.events.people();
    return user;
  } catch (error) {
    throw await explainTaken(ctx, error, person);
  }
}

/** The same error, or the one that says at which field a value is somebody else's. @param selfId whose own values do not count */
export async function explainTaken(
  ctx: Pick<Context, 'db'>,
  error: unknown,
  wanted: { userName?: string | undefined; email?: string | undefined; selfId?: string },
): Promise<unknown> {
  if (!isUniqueViolation(error)) return error;
  const { userName = '', email = '', selfId = '' } = wanted;
  const isName = (await ctx.db.user.count({ where: { userName, id: { not: selfId } } })) > 0;
  if (isName) return new AppError('user_name_taken', { userName }, { fields: { userName: 'This user name is taken.' } });
  return new AppError('email_taken', { email }, { fields: { email: 'This address is taken.' } });
}

/** Ends every other sign-in of the person. @throws wrong_password */
export async function changePassword(ctx: Context, person: Person, change: { present: string; next: string }): Promise<User> {
  const user = await ctx.db.user.findUniqueOrThrow({ where: { id: person.id } });
  if (!(await fitsPassword(user.passwordHash, change.present)))
    throw new AppError('wrong_password', {}, { fields: { present: 'This is not your present password.' } });
  const passwordHash = await hashPassword(change.next);
  return ctx.db.$transaction(async (tx) => {
    await record(tx, person, { action: 'person.change-password', subject: person.userName });
    return tx.user.update({ where: { id: person.id }, data: { passwordHash, sessionEpoch: { increment: 1 } } });
  });
}

const withAccount = {
  _count: { select: { instances: { where: { deletedAt: null } } } },
  course: { select: { id: true, name: true } },
  links: { orderBy: { expiresAt: 'desc' }, take: 1 },
} satisfies Prisma.UserInclude;

const present = (user: Prisma.UserGetPayload<{ include: typeof withAccount }>): PersonView =>
  presentPerson(user, { instances: user._count.instances, course: user.course, link: user.links[0] ?? null });

/** As a person sorts: “Assistant 2” before “Assistant 10”, Ö beside O. */
const byName = new Intl.Collator('en', { numeric: true }).compare;

/** Everybody with an account, by name. */
export const listPeople = async (ctx: Pick<Context, 'db'>): Promise<PersonView[]> =>
  (await ctx.db.user.findMany({ include: withAccount })).map(present).toSorted((one, other) => byName(one.name, other.name));

/** @throws not_found */
export async function showPerson(ctx: Pick<Context, 'db'>, id: string): Promise<PersonView> {
  const user = await ctx.db.user.findUnique({ where: { id }, include: withAccount });
  if (!user) throw new AppError('not_found');
  return present(user);
}

const firstRunSetting = 'first-run.token-hash';

/**
 * At the server's start: makes the first manager from the settings, or a one-time token for the first-run page.
 * @param printed the token of an earlier start, which stays good: somebody may have the link open
 * @returns the token while there is no manager, otherwise null
 */
export async function prepareFirstManager(ctx: Context, printed: string | null = null): Promise<string | null> {
  if ((await ctx.db.user.count({ where: { role: 'manager' } })) > 0) return null;
  const { ARBORETUM_ADMIN_EMAIL: email, ARBORETUM_ADMIN_PASSWORD: password } = ctx.config;
  if (email && password) {
    const userName = (email.split('@')[0] ?? 'manager').toLowerCase().replace(/[^a-z0-9._-]/g, '');
    await createPerson(ctx, systemActor, {
      name: 'Lab manager',
      userName: userName.length < 2 ? 'manager' : userName,
      email: email.toLowerCase(),
      password: password.open(),
      role: 'manager',
    });
    return null;
  }
  const known = await ctx.db.setting.findUnique({ where: { name: firstRunSetting } });
  if (printed !== null && known?.value === hashToken(printed)) return printed;
  const token = newToken();
  await ctx.db.setting.upsert({
    where: { name: firstRunSetting },
    create: { name: firstRunSetting, value: hashToken(token) },
    update: { value: hashToken(token) },
  });
  return token;
}

/** Whether the first-run page is still to be used. */
export const needsFirstManager = async (ctx: Pick<Context, 'db'>): Promise<boolean> => (await ctx.db.user.count({ where: { role: 'manager' } })) === 0;

/** Uses the one-time token. @throws link_used */
export async function createFirstManager(ctx: Context, token: string, person: Omit<NewPerson, 'role' | 'courseId'>): Promise<User> {
  const { count } = await ctx.db.setting.deleteMany({ where: { name: firstRunSetting, value: { equals: hashToken(token) } } });
  if (count === 0 || !(await needsFirstManager(ctx))) throw new AppError('link_used');
  try {
    return await createPerson(ctx, systemActor, { ...person, role: 'manager' });
  } catch (error) {
    // A form that was refused may be sent again.
    await ctx.db.setting.upsert({ where: { name: firstRunSetting }, create: { name: firstRunSetting, value: hashToken(token) }, update: {} });
    throw error;
  }
}
