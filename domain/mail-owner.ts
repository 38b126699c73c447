// The mail that an instance is yours: after it was created for somebody, and after a hand-over.

import type { MailResult } from '../contracts/people.ts';
import type { User } from '../prisma/client/client.ts';
import type { Addressed } from './addresses.ts';
import type { Context } from './context.ts';
import { ownerMail } from './mail-texts.ts';
import { sendMail } from './mail.ts';

type Parts = Pick<Context, 'mailer' | 'db' | 'log' | 'config'>;

/**
 * Tells somebody that an instance is theirs: address, git remote, next step. Call it after the commit and do not wait.
 * Nobody is told whose account is disabled. Never throws.
 */
export async function mailOwner(ctx: Parts, instance: Addressed, owner: Pick<User, 'name' | 'email' | 'disabledAt'>): Promise<MailResult> {
  if (owner.disabledAt !== null) return 'off';
  return sendMail(ctx, { to: owner.email, ...ownerMail(ctx.config, owner, instance) });
}

/** `mailOwner` for the present owner of an instance. Never throws. */
export async function tellOwner(ctx: Parts, instanceId: string): Promise<MailResult> {
  try {
    const instance = await ctx.db.instance.findUniqueOrThrow({ where: { id: instanceId }, include: { owner: true } });
    return await mailOwner(ctx, instance, instance.owner);
  } catch (error) {
    ctx.log.warn('an owner could not be told', { instanceId, error: String(error) });
    return 'failed';
  }
}
