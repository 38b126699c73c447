// The guard: refuses what would disturb people in a session, unless somebody overrides with a reason.

import { AppError } from '../contracts/errors.ts';
import { mayHavePeople } from '../contracts/states.ts';
import type { Instance } from '../prisma/client/client.ts';
import { readFacts } from './facts.ts';

/** People who are in a session now, as last observed; nobody when the instance is known not to run. */
export const peopleInSession = (instance: Pick<Instance, 'facts' | 'state'>): number =>
  mayHavePeople.includes(instance.state) ? (readFacts(instance).participantsInSession ?? 0) : 0;

/** The guard for many instances at once. @throws people_in_session when somebody would be disturbed and no reason is given */
export function guardMany(instances: readonly Pick<Instance, 'facts' | 'state'>[], reason: string | undefined): void {
  const count = instances.reduce((sum, instance) => sum + peopleInSession(instance), 0);
  if (count > 0 && !reason) throw new AppError('people_in_session', { count }, { fields: { reason: 'Say why it cannot wait; it is recorded.' } });
}

/** @throws people_in_session when somebody would be disturbed and no reason is given */
export const guard = (instance: Pick<Instance, 'facts' | 'state'>, reason: string | undefined): void => guardMany([instance], reason);
