// People: accounts, passwords, signing in.

import { hash, verify } from '@node-rs/argon2';
import { AppError } from '../contracts/errors.ts';
import type { PersonView } from '../contracts/people.ts';
import type { Role } from '../contracts/roles.ts';
import type { User } from '../prisma/client/client.ts';
import type { Person } from './access.ts';
import { record } from './audit.ts';
import { systemActor, type Actor, type Context } from './context.ts';
import { isUniqueViolation } from './database.ts';
import { hashToken, newId, newToken } from './ids.ts';

// OWASP Password Storage Cheat Sheet 2024: argon2id, 19 MiB, 2 passes (the library's default algorithm is argon2id).
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const maxHashesAtOnce = 4;
let hashing = 0;
const waiting: (() => void)[] = [];

/** At most four at a time: a flood of sign-ins must not take 19 MiB each. */
async function limited<T>(work: () => Promise<T>): Promise<T> {
  if (hashing >= maxHashesAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  else hashing += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else hashing -= 1;
  }
}

const hashPassword = (password: string): Promise<string> => limited(() => hash(password, cost));
const verifyPassword = (stored: string, password: string): Promise<boolean> => limited(() => verify(stored, password));
let decoy: Promise<string> | null = null;

/** Same work and same answer for an unknown, a disabled and a wrong one. @returns the person or null */
export async function signIn(ctx: Pick<Context, 'db'>, login: string, password: string): Promise<User | null> {
  const name = login.trim().toLowerCase();
  const user = await ctx.db.user.findFirst({ where: { OR: [{ userName: name }, { email: name }] } });
  decoy ??= hashPassword(newToken());
  const isRight = await verifyPassword(user?.passwordHash ?? (await decoy), password);
  return user && isRight && !user.disabledAt ? user : null;
}

export type NewPerson = { readonly name: string; readonly userName: string; readonly email: string; readonly password: string; readonly role: Role };

/** @throws user_name_taken, email_taken */
export async function createPerson(ctx: Context, actor: Actor, person: NewPerson): Promise<User> {
  const { password, ...rest } = person;
  const passwordHash = await hashPassword(password);
  try {
    const user = await ctx.db.$transaction(async (tx) => {
      const created = await tx.user.create({ data: { id: newId(), ...rest, passwordHash } });
      await record(tx, actor, { action: 'person.create', subject: created.userName, detail: { role: created.role } });
      return created;
    });
    ctx.events.people();
    return user;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const isName = (await ctx.db.user.count({ where: { userName: person.userName } })) > 0;
    if (isName) throw new AppError('user_name_taken', { userName: person.userName }, { fields: { userName: 'This user name is taken.' } });
    throw new AppError('email_taken', { email: person.email }, { fields: { email: 'This address is taken.' } });
  }
}

/** Ends every other sign-in of the person. @throws wrong_password */
export async function changePassword(ctx: Context, person: Person, change: { present: string; next: string }): Promise<User> {
  const user = await ctx.db.user.findUniqueOrThrow({ where: { id: person.id } });
  if (user.passwordHash === null || !(await verifyPassword(user.passwordHash, change.present)))
    throw new AppError('wrong_password', {}, { fields: { present: 'This is not your present password.' } });
  const passwordHash = await hashPassword(change.next);
  return ctx.db.$transaction(async (tx) => {
    await record(tx, person, { action: 'person.change-password', subject: person.userName });
    return tx.user.update({ where: { id: person.id }, data: { passwordHash, sessionEpoch: { increment: 1 } } });
  });
}

/** Disabling ends sign-ins and git access at once; the last active manager stays. @throws not_found, last_manager */
export async function setDisabled(ctx: Context, actor: Actor, change: { personId: string; isDisabled: boolean }): Promise<void> {
  await ctx.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('arboretum managers'))`;
    const user = await tx.user.findUnique({ where: { id: change.personId } });
    if (!user) throw new AppError('not_found');
    const others = await tx.user.count({ where: { role: 'manager', disabledAt: null, id: { not: user.id } } });
    if (change.isDisabled && user.role === 'manager' && others === 0) throw new AppError('last_manager');
    await tx.user.update({ where: { id: user.id }, data: { disabledAt: change.isDisabled ? new Date() : null, sessionEpoch: { increment: 1 } } });
    await record(tx, actor, { action: change.isDisabled ? 'person.disable' : 'person.enable', subject: user.userName });
  });
  ctx.events.people();
}

export async function listPeople(ctx: Context): Promise<PersonView[]> {
  const users = await ctx.db.user.findMany({ orderBy: { name: 'asc' }, include: { _count: { select: { instances: { where: { deletedAt: null } } } } } });
  return users.map((user) => ({ ...presentPerson(user), instances: user._count.instances }));
}

export const presentPerson = (user: User): Omit<PersonView, 'instances'> => ({
  id: user.id,
  name: user.name,
  userName: user.userName,
  email: user.email,
  role: user.role,
  isDisabled: user.disabledAt !== null,
  createdAt: user.createdAt.toISOString(),
});

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
export async function createFirstManager(ctx: Context, token: string, person: Omit<NewPerson, 'role'>): Promise<User> {
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
