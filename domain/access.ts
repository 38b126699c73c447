// How a person stands to an instance, and the one place that turns that into 404, 403 or the row.

import { AppError } from '../contracts/errors.ts';
import { canOnInstance, canOnPanel, type InstanceAction, type PanelAction, type Role, type Standing } from '../contracts/roles.ts';
import type { Instance, InstanceShare, Prisma, User } from '../prisma/client/client.ts';
import type { Context } from './context.ts';

export type Person = Pick<User, 'id' | 'name' | 'userName' | 'email' | 'role'>;
type Shared = { readonly shares: readonly Pick<InstanceShare, 'userId' | 'level'>[] };
export type OwnedInstance = Instance & { owner: Pick<User, 'id' | 'name'> } & Shared;

/** What a query must bring along for `standingOf` and for telling everybody who may see the instance. */
export const withPeople = {
  owner: { select: { id: true, name: true } },
  shares: { select: { userId: true, level: true } },
} satisfies Prisma.InstanceInclude;

/** Managers reach all, the owner reaches their own, a colleague what was shared; everybody else is a stranger. */
export function standingOf(person: Pick<Person, 'id' | 'role'>, instance: Pick<Instance, 'ownerId'> & Shared): Standing {
  if (person.role === 'manager') return 'manager';
  if (person.id === instance.ownerId) return 'owner';
  return instance.shares.find(({ userId }) => userId === person.id)?.level ?? 'stranger';
}

/** @throws not_found when the person may not even see it (or it is not there), not_allowed when only this action is refused */
export async function findInstance(ctx: Context, person: Person, query: { name: string; action: InstanceAction }): Promise<OwnedInstance> {
  const instance = await ctx.db.instance.findFirst({ where: { name: query.name, deletedAt: null }, include: withPeople });
  if (!instance) throw new AppError('not_found');
  const standing = standingOf(person, instance);
  if (!canOnInstance(standing, 'instance.read')) throw new AppError('not_found');
  if (!canOnInstance(standing, query.action)) throw new AppError('not_allowed');
  return instance;
}

/** @throws sign_in_required, not_allowed */
export function requirePanelAction(role: Role | null, action: PanelAction): void {
  if (canOnPanel(role, action)) return;
  throw new AppError(role === null ? 'sign_in_required' : 'not_allowed');
}

/** Instances this person may see, as a condition for a query. */
export const visibleTo = (person: Pick<Person, 'id' | 'role'>): Prisma.InstanceWhereInput =>
  person.role === 'manager' ? { deletedAt: null } : { deletedAt: null, OR: [{ ownerId: person.id }, { shares: { some: { userId: person.id } } }] };
