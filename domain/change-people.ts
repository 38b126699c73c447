// Changes to accounts: name, address, role, disabling, deleting. The last active manager always stays.

import { AppError } from '../contracts/errors.ts';
import type { PersonChange, ProfileChange } from '../contracts/people.ts';
import type { User } from '../prisma/client/client.ts';
import type { Person } from './access.ts';
import { record } from './audit.ts';
import type { Actor, Context } from './context.ts';
import type { Transaction } from './database.ts';
import { fitsPassword } from './passwords.ts';
import { explainTaken } from './people.ts';
import { versionOf } from './present-person.ts';
import { describePast } from './time-words.ts';

type Columns = { name?: string; userName?: string; email?: string; role?: User['role']; disabledAt?: Date | null };

/**
 * Changes an account; another role, disabling and enabling end the person's sign-ins, also open pages.
 * @throws not_found, last_manager, user_name_taken, email_taken, person_changed when the reader saw an older state
 */
export async function changePerson(ctx: Context, actor: Actor, { personId, change }: { personId: string; change: PersonChange }): Promise<User> {
  try {
    const user = await ctx.db.$transaction(async (tx) => {
      const before = await lockPerson(tx, personId);
      if (change.version !== undefined && change.version !== versionOf(before)) throw await explainChanged(tx, before);
      const data = differencesOf(before, change);
      if (Object.keys(data).length === 0) return before;
      if ((data.role === 'experimenter' || data.disabledAt) && before.role === 'manager') await keepOneManager(tx, before.id);
      const endsSessions = data.role !== undefined || data.disabledAt !== undefined;
      // A link that was on its way to an old address must not open the account.
      if (data.email !== undefined || data.disabledAt) await tx.oneTimeLink.deleteMany({ where: { userId: before.id } });
      await recordChange(tx, actor, { before, data });
      return tx.user.update({ where: { id: before.id }, data: { ...data, ...(endsSessions ? { sessionEpoch: { increment: 1 } } : {}) } });
    });
    ctx.events.people();
    return user;
  } catch (error) {
    throw await explainTaken(ctx, error, { userName: change.userName, email: change.email, selfId: personId });
  }
}

/** The own profile; another e-mail address needs the present password. @throws wrong_password, user_name_taken, email_taken */
export async function changeProfile(ctx: Context, person: Person, change: ProfileChange): Promise<User> {
  const { present, ...wanted } = change;
  const user = await ctx.db.user.findUniqueOrThrow({ where: { id: person.id } });
  const isOtherAddress = wanted.email !== undefined && wanted.email !== user.email;
  if (isOtherAddress && !(await fitsPassword(user.passwordHash, present ?? '')))
    throw new AppError('wrong_password', {}, { fields: { present: 'Another e-mail address needs your present password.' } });
  return changePerson(ctx, person, { personId: person.id, change: wanted });
}

/**
 * Deletes an account with its keys, shares and links; what it did stays recorded. Rows of deleted instances, which stay for
 * their backups, pass to `heirId`.
 * @throws not_found, last_manager, person_owns_instances
 */
export async function deletePerson(ctx: Context, actor: Actor, { personId, heirId }: { personId: string; heirId: string }): Promise<void> {
  await ctx.db.$transaction(async (tx) => {
    const user = await lockPerson(tx, personId);
    if (user.role === 'manager') await keepOneManager(tx, user.id);
    const owned = await tx.instance.findMany({ where: { ownerId: user.id, deletedAt: null }, select: { name: true }, orderBy: { name: 'asc' } });
    if (owned.length > 0) throw new AppError('person_owns_instances', { name: user.name, instances: owned.map(({ name }) => name).join(', ') });
    await tx.instance.updateMany({ where: { ownerId: user.id }, data: { ownerId: heirId } });
    await tx.$executeRaw`DELETE FROM "login_session" WHERE "sess"->'passport'->>'user' = ${user.id}`;
    await tx.user.delete({ where: { id: user.id } });
    await record(tx, actor, { action: 'person.delete', subject: user.userName, detail: { personId: user.id, role: user.role } });
  });
  ctx.events.people();
}

/**
 * The row, locked: two changes of one person come one after the other, and so do two that concern managers.
 * An instance that is being created for the person waits, too (its foreign key asks for this row).
 */
async function lockPerson(tx: Transaction, personId: string): Promise<User> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('arboretum managers'))`;
  await tx.$queryRaw`SELECT 1 FROM "user" WHERE "id" = ${personId} FOR UPDATE`;
  const user = await tx.user.findUnique({ where: { id: personId } });
  if (!user) throw new AppError('not_found');
  return user;
}

/** @throws last_manager when nobody else could look after the panel; an invitation that waits does not count */
async function keepOneManager(tx: Transaction, personId: string): Promise<void> {
  const others = await tx.user.count({ where: { role: 'manager', disabledAt: null, passwordHash: { not: null }, id: { not: personId } } });
  if (others === 0) throw new AppError('last_manager');
}

/** Only what is another value than before. */
function differencesOf(before: User, change: PersonChange): Columns {
  const data: Columns = {};
  if (change.name !== undefined && change.name !== before.name) data.name = change.name;
  if (change.userName !== undefined && change.userName !== before.userName) data.userName = change.userName;
  if (change.email !== undefined && change.email !== before.email) data.email = change.email;
  if (change.role !== undefined && change.role !== before.role) data.role = change.role;
  if (change.isDisabled !== undefined && change.isDisabled !== (before.disabledAt !== null)) data.disabledAt = change.isDisabled ? new Date() : null;
  return data;
}

async function recordChange(tx: Transaction, actor: Actor, { before, data }: { before: User; data: Columns }): Promise<void> {
  const { disabledAt, ...rest } = data;
  const subject = before.userName;
  if (disabledAt !== undefined) await record(tx, actor, { action: disabledAt ? 'person.disable' : 'person.enable', subject, detail: { personId: before.id } });
  if (Object.keys(rest).length === 0) return;
  const detail = {
    personId: before.id,
    fields: Object.keys(rest),
    ...(rest.role ? { role: rest.role } : {}),
    ...(rest.userName ? { userName: rest.userName } : {}),
  };
  await record(tx, actor, { action: 'person.change', subject, detail });
}

async function explainChanged(tx: Transaction, user: User): Promise<AppError> {
  const last = await tx.audit.findFirst({
    where: { action: 'person.change', detail: { path: ['personId'], equals: user.id } },
    orderBy: { id: 'desc' },
  });
  return new AppError('person_changed', { who: last?.actorName ?? 'Somebody', when: last ? describePast(last.at) : 'just now' });
}
