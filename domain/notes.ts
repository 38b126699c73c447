// Notes about a study that its people write for each other: plain text, and nobody overwrites somebody else's unseen.

import { AppError } from '../contracts/errors.ts';
import type { OwnedInstance } from './access.ts';
import { record } from './audit.ts';
import type { Actor, Context } from './context.ts';
import { announceInstance } from './instances.ts';

const action = 'instance.write-notes';

/**
 * Saves the notes when they are still what the writer started from.
 * @throws notes_changed with who and when, and then nothing is overwritten
 */
export async function writeNotes(ctx: Context, actor: Actor, change: { instance: OwnedInstance; notes: string; before: string }): Promise<void> {
  const { instance, notes, before } = change;
  const isSaved = await ctx.db.$transaction(async (tx) => {
    const { count } = await tx.instance.updateMany({ where: { id: instance.id, OR: [{ notes: before }, { notes }] }, data: { notes } });
    if (count > 0 && notes !== before) await record(tx, actor, { action, subject: instance.name, instanceId: instance.id });
    return count > 0;
  });
  if (!isSaved) throw await whoWasFaster(ctx, instance.id);
  await announceInstance(ctx, instance.id);
}

async function whoWasFaster(ctx: Context, instanceId: string): Promise<AppError> {
  const last = await ctx.db.audit.findFirst({ where: { instanceId, action }, orderBy: { at: 'desc' } });
  const when = last ? `${last.at.toISOString().slice(0, 16).replace('T', ' ')} UTC` : 'an unknown time';
  return new AppError('notes_changed', { who: last?.actorName ?? 'Somebody', when });
}
