// How a person stands to an instance, and the one place that turns that into 404, 403 or the row.

import { AppError } from '../contracts/errors.ts';
import { canOnInstance, canOnPanel, type InstanceAction, type PanelAction, type Role, type Standing } from '../contracts/roles.ts';
import type { Instance, User } from '../prisma/client/client.ts';
import type { Context } from './context.ts';

export type Person = Pick<User, 'id' | 'name' | 'userName' | 'email' | 'role'>;
export type OwnedInstance = Instance & { owner: Pick<User, 'id' | 'name'> };

/** Managers reach all, the owner reaches their own, everybody else is a stranger. */
export const standingOf = (person: Pick<Person, 'id' | 'role'>, instance: Pick<Instance, 'ownerId'>): Standing =>
  person.role === 'manager' ? 'manager' : person.id === instance.ownerId ? 'owner' : 'stranger';

/** @throws not_found when the person may not even see it (or it is not there), not_allowed when only this action is refused */
export async function findInstance(ctx: Context, person: Person, query: { name: string; action: InstanceAction }): Promise<OwnedInstance> {
  const instance = await ctx.db.instance.findFirst({ where: { name: query.name, deletedAt: null }, include: { owner: { select: { id: true, name: true } } } });
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
export const visibleTo = (person: Pick<Person, 'id' | 'role'>): { deletedAt: null; ownerId?: string } =>
  person.role === 'manager' ? { deletedAt: null } : { deletedAt: null, ownerId: person.id };
