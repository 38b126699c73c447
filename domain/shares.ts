// Working together on one instance: sharing it with colleagues, and handing it over to another owner.

import { AppError } from '../contracts/errors.ts';
import type { InstancePeople, ShareLevel } from '../contracts/shares.ts';
import type { User } from '../prisma/client/client.ts';
import type { OwnedInstance } from './access.ts';
import { record } from './audit.ts';
import type { Actor, Context } from './context.ts';
import type { Transaction } from './database.ts';
import { announceInstance } from './instances.ts';
import { tellOwner } from './mail-owner.ts';

type Colleague = Pick<User, 'id' | 'name' | 'userName' | 'disabledAt'>;
const colleague = { id: true, name: true, userName: true, disabledAt: true } as const;

const present = ({ id, name, userName, disabledAt }: Colleague): InstancePeople['owner'] => ({ id, name, userName, isDisabled: disabledAt !== null });

/** The owner and everybody the instance is shared with, by name. */
export async function listPeopleOf(ctx: Context, instance: Pick<OwnedInstance, 'id' | 'ownerId'>): Promise<InstancePeople> {
  const [owner, shares] = await Promise.all([
    ctx.db.user.findUniqueOrThrow({ where: { id: instance.ownerId }, select: colleague }),
    ctx.db.instanceShare.findMany({ where: { instanceId: instance.id }, include: { user: { select: colleague } }, orderBy: { user: { name: 'asc' } } }),
  ]);
  return { owner: present(owner), shares: shares.map(({ user, level, createdAt }) => ({ person: present(user), level, since: createdAt.toISOString() })) };
}

/**
 * Shares the instance with whoever signs in by this name or address; a share that is there gets the new level.
 * @throws person_unknown, owns_already
 */
export async function addShare(
  ctx: Context,
  actor: Actor,
  change: { readonly instance: OwnedInstance; readonly login: string; readonly level: ShareLevel },
): Promise<void> {
  const person = await findActive(ctx.db, change.login);
  await putShare(ctx, actor, { ...change, person });
}

/** Changes what a colleague with a share may do. @throws not_found when it is not shared with this person */
export async function changeShare(
  ctx: Context,
  actor: Actor,
  change: { readonly instance: OwnedInstance; readonly personId: string; readonly level: ShareLevel },
): Promise<void> {
  const { instance, personId } = change;
  const share = await ctx.db.instanceShare.findUnique({
    where: { instanceId_userId: { instanceId: instance.id, userId: personId } },
    include: { user: { select: colleague } },
  });
  if (!share) throw new AppError('not_found');
  await putShare(ctx, actor, { ...change, person: share.user });
}

async function putShare(ctx: Context, actor: Actor, change: { instance: OwnedInstance; person: Colleague; level: ShareLevel }): Promise<void> {
  const { instance, person, level } = change;
  await ctx.db.$transaction(async (tx) => {
    const ownerId = await lockOwner(tx, instance.id);
    if (ownerId === person.id) throw new AppError('owns_already', { name: person.name }, { fields: { login: `${person.name} owns it already.` } });
    const key = { instanceId: instance.id, userId: person.id };
    await tx.instanceShare.upsert({ where: { instanceId_userId: key }, create: { ...key, level }, update: { level } });
    await record(tx, actor, { action: 'instance.share', subject: instance.name, instanceId: instance.id, detail: { person: person.name, level } });
  });
  await announceInstance(ctx, instance.id);
}

/** Takes a share away; the colleague's open pages and sockets lose the instance at once. Taking none away is fine. */
export async function removeShare(ctx: Context, actor: Actor, change: { readonly instance: OwnedInstance; readonly personId: string }): Promise<void> {
  const { instance, personId } = change;
  const isRemoved = await ctx.db.$transaction(async (tx) => {
    const { count } = await tx.instanceShare.deleteMany({ where: { instanceId: instance.id, userId: personId } });
    if (count === 0) return false;
    const person = await tx.user.findUniqueOrThrow({ where: { id: personId }, select: { name: true } });
    await record(tx, actor, { action: 'instance.unshare', subject: instance.name, instanceId: instance.id, detail: { person: person.name } });
    return true;
  });
  if (isRemoved) await loseSight(ctx, instance, personId);
}

type HandOver = { readonly instance: OwnedInstance; readonly login: string; readonly keepsOperate: boolean };

/**
 * Makes another active person the one owner; the old owner keeps `operate` or nothing.
 * @throws person_unknown, owns_already
 */
export async function handOver(ctx: Context, actor: Actor, { instance, login, keepsOperate }: HandOver): Promise<void> {
  const oldOwnerId = await ctx.db.$transaction(async (tx) => {
    const ownerId = await lockOwner(tx, instance.id);
    const next = await findActive(tx, login);
    if (next.id === ownerId) throw new AppError('owns_already', { name: next.name }, { fields: { login: `${next.name} owns it already.` } });
    await tx.instance.update({ where: { id: instance.id }, data: { ownerId: next.id } });
    await tx.instanceShare.deleteMany({ where: { instanceId: instance.id, userId: next.id } });
    if (keepsOperate) await tx.instanceShare.create({ data: { instanceId: instance.id, userId: ownerId, level: 'operate' } });
    await record(tx, actor, { action: 'instance.hand-over', subject: instance.name, instanceId: instance.id, detail: { person: next.name, keepsOperate } });
    return ownerId;
  });
  await tellOfHandOver(ctx, { instance, oldOwnerId, keepsOperate });
}

/** Everybody who must hear of a hand-over, once it is committed: the new owner, the old one, open pages. */
async function tellOfHandOver(
  ctx: Context,
  { instance, oldOwnerId, keepsOperate }: Pick<HandOver, 'instance' | 'keepsOperate'> & { oldOwnerId: string },
): Promise<void> {
  await announceInstance(ctx, instance.id);
  void tellOwner(ctx, instance.id);
  if (!keepsOperate) await loseSight(ctx, instance, oldOwnerId);
}

/** Managers see every instance, share or not. */
async function loseSight(ctx: Context, instance: OwnedInstance, personId: string): Promise<void> {
  const person = await ctx.db.user.findUnique({ where: { id: personId }, select: { role: true } });
  if (person?.role !== 'manager') ctx.events.instanceLost(personId, instance);
}

/** Two hand-overs at once follow each other. */
async function lockOwner(tx: Transaction, instanceId: string): Promise<string> {
  const [row] = await tx.$queryRaw<{ owner_id: string }[]>`SELECT "owner_id" FROM "instance" WHERE "id" = ${instanceId} AND "deleted_at" IS NULL FOR UPDATE`;
  if (!row) throw new AppError('not_found');
  return row.owner_id;
}

async function findActive(db: Pick<Transaction, 'user'>, login: string): Promise<Colleague> {
  const person = await db.user.findFirst({ where: { disabledAt: null, OR: [{ userName: login }, { email: login }] }, select: colleague });
  if (!person) throw new AppError('person_unknown', {}, { fields: { login: 'Nobody here has this user name or e-mail address, or the account is disabled.' } });
  return person;
}
