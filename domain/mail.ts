// Mails: sent after the commit of what they tell, never in the way of it; what became of the last one is remembered.

import type { MailResult } from '../contracts/people.ts';
import type { MailState } from '../contracts/system.ts';
import type { Context } from './context.ts';
import { asJson } from './database.ts';
import type { MailText } from './mail-texts.ts';

/** One plain-text mail. */
export type Mail = MailText & { readonly to: string };

/** The way out; `domain/mail-smtp.ts` is the real one. */
export type Mailer = {
  /** Null: nobody has set a mail server. */
  readonly server: { readonly name: string; readonly from: string } | null;
  /** Gives up after some ten seconds. @throws Error with what the mail server said, without addresses of people */
  send(mail: Mail): Promise<void>;
};

const lastResult = 'mail.last-result';

/**
 * Sends and remembers how it went; never throws. The log has no address.
 * @returns `off` when there is no mail server
 */
export async function sendMail(ctx: Pick<Context, 'mailer' | 'db' | 'log'>, mail: Mail): Promise<MailResult> {
  if (ctx.mailer.server === null) return 'off';
  const problem = await ctx.mailer.send(mail).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (problem !== null) ctx.log.warn('a mail could not be sent', { subject: mail.subject, problem });
  const value = asJson({ at: new Date().toISOString(), isSent: problem === null, subject: mail.subject, problem });
  await ctx.db.setting
    .upsert({ where: { name: lastResult }, create: { name: lastResult, value }, update: { value } })
    .catch((error: unknown) => ctx.log.warn('the result of a mail could not be noted', { error: String(error) }));
  return problem === null ? 'sent' : 'failed';
}

/** What managers see of the mail server, and what became of the last mail. */
export async function readMailState(ctx: Pick<Context, 'mailer' | 'db'>): Promise<MailState> {
  const { server } = ctx.mailer;
  const row = await ctx.db.setting.findUnique({ where: { name: lastResult } });
  return { isConfigured: server !== null, from: server?.from ?? null, server: server?.name ?? null, last: (row?.value ?? null) as MailState['last'] };
}
