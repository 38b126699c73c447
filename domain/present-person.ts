// An account's row as people see it.

import { createHash } from 'node:crypto';
import type { Me, PersonView } from '../contracts/people.ts';
import type { OneTimeLink, User } from '../prisma/client/client.ts';

/** What the person sees of the own account. */
export const presentAccount = (user: User): Me['person'] => ({
  id: user.id,
  name: user.name,
  userName: user.userName,
  email: user.email,
  role: user.role,
  isDisabled: user.disabledAt !== null,
  createdAt: user.createdAt.toISOString(),
});

type More = { readonly instances: number; readonly course: PersonView['course']; readonly link: Pick<OneTimeLink, 'expiresAt'> | null };

/** What managers see of an account. @param more its instances that are not deleted, its course, its newest one-time link */
export const presentPerson = (user: User, { instances, course, link }: More): PersonView => ({
  ...presentAccount(user),
  instances,
  course,
  isInvited: user.passwordHash === null,
  linkExpiresAt: link && link.expiresAt > new Date() ? link.expiresAt.toISOString() : null,
  lastSeenAt: user.lastSeenAt?.toISOString() ?? null,
  version: versionOf(user),
});

/** Changes when something of an account is changed that a form shows. */
export const versionOf = ({ name, userName, email, role }: Pick<User, 'name' | 'userName' | 'email' | 'role'>): string =>
  createHash('sha256')
    .update(JSON.stringify([name, userName, email, role]))
    .digest('hex')
    .slice(0, 16);
