// One-time links: whoever has one may set the person's password, once. Only hashes are kept.

import { AppError } from '../contracts/errors.ts';
import type { LinkView } from '../contracts/people.ts';
import type { LinkPurpose, OneTimeLink, User } from '../prisma/client/client.ts';
import type { Addressed } from './addresses.ts';
import { record } from './audit.ts';
import type { Actor, Context } from './context.ts';
import type { Transaction } from './database.ts';
import { hashToken, newToken } from './ids.ts';
import { invitationMail, resetMail } from './mail-texts.ts';
import { sendMail } from './mail.ts';
import { hashPassword } from './passwords.ts';

const invitationDays = 7;
const handedOverHours = 24;
const hourMs = 3_600_000;
/** Who asks more often within the hour gets no further mail: nobody's mailbox is filled from the sign-in page. */
const maxResetsAtOnce = 3;

/** The token stands behind the `#`: browsers send that part to nobody, so it is in no log. */
const urlOf = (ctx: Pick<Context, 'config'>, token: string): string => new URL(`/invitation#token=${token}`, ctx.config.publicUrl).href;

/** Writes the hash of a new token. @returns the token, which is nowhere else */
async function writeLink(tx: Transaction, link: { userId: string; purpose: LinkPurpose; expiresAt: Date }): Promise<string> {
  const token = newToken();
  await tx.oneTimeLink.create({ data: { tokenHash: hashToken(token), ...link } });
  return token;
}

/**
 * A new link for a person, by a manager; older ones die. An invitation lasts 7 days, a link for a new password 24 hours.
 * With `isMailed` it is also sent, after the commit.
 * @throws not_found, also for a disabled account
 */
export async function makeLink(ctx: Context, actor: Actor, request: { personId: string; isMailed: boolean; instance?: Addressed }): Promise<LinkView> {
  const { user, token, link } = await ctx.db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM "user" WHERE "id" = ${request.personId} FOR UPDATE`;
    const user = await tx.user.findFirst({ where: { id: request.personId, disabledAt: null } });
    if (!user) throw new AppError('not_found');
    const purpose: LinkPurpose = user.passwordHash === null ? 'invitation' : 'password_reset';
    const link = { userId: user.id, purpose, expiresAt: new Date(Date.now() + (purpose === 'invitation' ? invitationDays * 24 : handedOverHours) * hourMs) };
    await tx.oneTimeLink.deleteMany({ where: { userId: user.id } });
    await record(tx, actor, { action: 'person.make-link', subject: user.userName, detail: { personId: user.id, purpose } });
    return { user, token: await writeLink(tx, link), link };
  });
  ctx.events.people();
  const url = urlOf(ctx, token);
  const { instance } = request;
  const text =
    link.purpose === 'invitation'
      ? invitationMail(ctx.config, user, { url, days: invitationDays, ...(instance ? { instance } : {}) })
      : resetMail(ctx.config, user, { url, hours: handedOverHours });
  const mail = request.isMailed ? await sendMail(ctx, { to: user.email, ...text }) : 'off';
  return { url, purpose: link.purpose, expiresAt: link.expiresAt.toISOString(), mail };
}

/**
 * What happens after somebody has asked for a new password. Call it after the answer, which must not depend on it.
 * Unknown and disabled people get nothing; a link lasts one hour.
 */
export async function answerForgotten(ctx: Context, login: string): Promise<void> {
  const name = login.trim().toLowerCase();
  const user = await ctx.db.user.findFirst({ where: { OR: [{ userName: name }, { email: name }], disabledAt: null } });
  if (!user || ctx.mailer.server === null) return;
  const token = await ctx.db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM "user" WHERE "id" = ${user.id} FOR UPDATE`;
    const open = await tx.oneTimeLink.count({ where: { userId: user.id, createdAt: { gt: new Date(Date.now() - hourMs) }, purpose: 'password_reset' } });
    if (open >= maxResetsAtOnce) return null;
    await record(
      tx,
      { id: null, name: 'somebody at the sign-in page' },
      { action: 'person.forgot-password', subject: user.userName, detail: { personId: user.id } },
    );
    return writeLink(tx, { userId: user.id, purpose: 'password_reset', expiresAt: new Date(Date.now() + hourMs) });
  });
  if (token === null) return;
  await sendMail(ctx, { to: user.email, ...resetMail(ctx.config, user, { url: urlOf(ctx, token), hours: 1 }) });
}

type LivingLink = OneTimeLink & { user: User };

/** Whose link this is, without using it. @throws link_dead */
export async function lookAtLink(ctx: Pick<Context, 'db'>, token: string): Promise<LivingLink> {
  const link = await ctx.db.oneTimeLink.findFirst({
    where: { tokenHash: hashToken(token), expiresAt: { gt: new Date() }, user: { disabledAt: null } },
    include: { user: true },
  });
  if (!link) throw new AppError('link_dead');
  return link;
}

/**
 * Sets the password and uses the link up; every other link and every sign-in of the person ends.
 * Of two requests with one link at once exactly one succeeds.
 * @throws link_dead
 */
export async function acceptLink(ctx: Context, { token, password }: { token: string; password: string }): Promise<User> {
  const { user: owner } = await lookAtLink(ctx, token);
  const passwordHash = await hashPassword(password);
  const user = await ctx.db.$transaction(async (tx) => {
    const { count } = await tx.oneTimeLink.deleteMany({ where: { tokenHash: hashToken(token), expiresAt: { gt: new Date() }, user: { disabledAt: null } } });
    if (count === 0) throw new AppError('link_dead');
    await tx.oneTimeLink.deleteMany({ where: { userId: owner.id } });
    const action = owner.passwordHash === null ? 'person.accept-invitation' : 'person.reset-password';
    await record(tx, owner, { action, subject: owner.userName, detail: { personId: owner.id } });
    return tx.user.update({ where: { id: owner.id }, data: { passwordHash, sessionEpoch: { increment: 1 } } });
  });
  ctx.events.people();
  return user;
}
