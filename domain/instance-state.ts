// An instance's observed state: written in one place, checked against the table of states, shown at once.

import { mayFollow, type InstanceState } from '../contracts/states.ts';
import type { Context } from './context.ts';
import { announceInstance } from './instances.ts';

/** Stands there after a deletion that failed in the middle: only a new attempt ends it, whatever is seen meanwhile. */
export const halfDeleted = 'Deleting stopped half-way; start it again.';

/** Writes the state and shows it. Who does not know how an instance is has not observed it. An illegal change is logged and not made. */
export async function setState(ctx: Context, instanceId: string, to: { state: InstanceState; detail?: string | null }): Promise<void> {
  const row = await ctx.db.instance.findUnique({ where: { id: instanceId } });
  if (!row || row.deletedAt) return;
  if (!mayFollow(row.state as InstanceState, to.state)) {
    ctx.log.error('a state was asked for that cannot follow', { instanceId, from: row.state, to: to.state });
    return;
  }
  const detail = to.detail ?? null;
  if (row.state === to.state && row.stateDetail === detail) return;
  await ctx.db.instance.update({
    where: { id: instanceId },
    data: {
      state: to.state,
      stateDetail: detail,
      ...(to.state === 'unknown' ? {} : { observedAt: new Date() }),
      ...(row.state === to.state ? {} : { stateSince: new Date() }),
    },
  });
  await announceInstance(ctx, instanceId);
}
