// Signing in and out, the person who is signed in, and the first start.

import { rmSync } from 'node:fs';
import type { Request } from 'express';
import { rateLimit, type Options, type RateLimitRequestHandler } from 'express-rate-limit';
import { AppError } from '../../contracts/errors.ts';
import {
  acceptLinkSchema,
  changePasswordSchema,
  changeProfileSchema,
  firstRunSchema,
  forgottenPasswordSchema,
  linkOwnerSchema,
  lookAtLinkSchema,
  meSchema,
  panelSchema,
  signInSchema,
  type Me,
} from '../../contracts/people.ts';
import type { Person } from '../../domain/access.ts';
import { changeProfile } from '../../domain/change-people.ts';
import type { Context } from '../../domain/context.ts';
import { listLegalPages } from '../../domain/legal.ts';
import { acceptLink, answerForgotten, lookAtLink } from '../../domain/one-time-links.ts';
import { changePassword, createFirstManager, needsFirstManager } from '../../domain/people.ts';
import { presentAccount } from '../../domain/present-person.ts';
import type { User } from '../../prisma/client/client.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';
import { authenticate, beginSession, endSession } from '../login-session.ts';
import { panelVersion } from '../version.ts';

const windowMinutes = 15;
const tooMany = (): never => {
  throw new AppError('too_many_attempts', { minutes: windowMinutes });
};

const limit = (perWindow: number, options: Partial<Options>): RateLimitRequestHandler =>
  rateLimit({ windowMs: windowMinutes * 60_000, limit: perWindow, standardHeaders: 'draft-8', legacyHeaders: false, handler: tooMany, ...options });

/** A whole lab behind one address may sign in; guessing one account's password may not. Only failures count. */
export const signInLimits: RateLimitRequestHandler[] = [
  limit(20, { skipSuccessfulRequests: true, keyGenerator: (request) => `login:${loginOf(request.body)}` }),
  limit(300, { skipSuccessfulRequests: true, ipv6Subnet: 64 }),
];

/** Whoever sits down at an open page may not guess the password there either. Only a wrong one counts, not another mistake in the form. */
export const ownPasswordLimits: RateLimitRequestHandler[] = [
  limit(20, {
    skipSuccessfulRequests: true,
    keyGenerator: (request) => `own:${(request.user as Person | undefined)?.id ?? ''}`,
    requestWasSuccessful: (_request, response) => response.locals['problem'] !== 'wrong_password',
  }),
];

/** The answer is always the same, so every request counts. */
export const forgottenLimits: RateLimitRequestHandler[] = [
  limit(20, { keyGenerator: (request) => `forgotten:${loginOf(request.body)}` }),
  limit(300, { ipv6Subnet: 64 }),
];

/** Guessing 256 bits is hopeless; the limit keeps a flood away from the database. */
export const linkLimits: RateLimitRequestHandler[] = [limit(300, { skipSuccessfulRequests: true, ipv6Subnet: 64 })];

const loginOf = (body: unknown): string => {
  const login = typeof body === 'object' && body !== null && 'login' in body ? body.login : '';
  return typeof login === 'string' ? login.trim().toLowerCase().slice(0, 200) : '';
};

async function presentMe(ctx: Context, user: User, csrfToken: string): Promise<Me> {
  return { person: presentAccount(user), csrfToken, sshKeys: await ctx.db.sshKey.count({ where: { userId: user.id } }) };
}

/** Signs this person in, in a session of its own. */
async function beginAs(ctx: Context, request: Request, user: User): Promise<Me> {
  await beginSession(request, user);
  return presentMe(ctx, user, request.session.csrfToken ?? '');
}

export const sessionRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/panel',
    action: 'panel.look',
    summary: 'What a visitor may know of the panel',
    response: panelSchema,
    run: async ({ ctx, request }) => ({
      name: 'Arboretum',
      version: panelVersion,
      needsFirstManager: await needsFirstManager(ctx),
      isHttps: ctx.config.publicUrl.protocol === 'https:',
      notice: noticeFor(ctx, request.get('host') ?? ''),
      hasMail: ctx.mailer.server !== null,
      legalPages: await listLegalPages(ctx),
    }),
  }),
  endpoint({
    method: 'post',
    path: '/first-run',
    action: 'session.create',
    summary: 'Make the first manager, with the one-time link of the first start',
    body: firstRunSchema,
    response: meSchema,
    status: 201,
    run: async ({ ctx, request, body }) => {
      const { token, ...person } = body;
      const user = await createFirstManager(ctx, token, person);
      // It worked once: nobody is to be shown it again.
      rmSync(ctx.config.layout.firstRunLinkFile, { force: true });
      return beginAs(ctx, request, user);
    },
  }),
  endpoint({
    method: 'post',
    path: '/session',
    action: 'session.create',
    summary: 'Sign in with a user name or an e-mail address',
    body: signInSchema,
    response: meSchema,
    status: 201,
    run: async ({ ctx, request, response }) => {
      const user = await authenticate(request, response);
      if (!user) throw new AppError('sign_in_failed');
      return beginAs(ctx, request, user);
    },
  }),
  endpoint({ method: 'delete', path: '/session', action: 'session.delete', summary: 'Sign out', response: null, run: ({ request }) => endSession(request) }),
  endpoint({
    method: 'get',
    path: '/me',
    action: 'me.read',
    summary: 'The person who is signed in',
    response: meSchema,
    run: async ({ ctx, request, person }) => presentMe(ctx, await ctx.db.user.findUniqueOrThrow({ where: { id: person.id } }), request.session.csrfToken ?? ''),
  }),
  endpoint({
    method: 'post',
    path: '/me/password',
    action: 'me.change-password',
    summary: 'Change the own password; every other sign-in of the person ends',
    body: changePasswordSchema,
    response: meSchema,
    run: async ({ ctx, request, person, body }) => {
      const user = await changePassword(ctx, person, body);
      return beginAs(ctx, request, user);
    },
  }),
  endpoint({
    method: 'patch',
    path: '/me',
    action: 'me.change-profile',
    summary: 'Change the own name, user name or e-mail address (this one with the present password)',
    body: changeProfileSchema,
    response: meSchema,
    run: async ({ ctx, request, person, body }) => presentMe(ctx, await changeProfile(ctx, person, body), request.session.csrfToken ?? ''),
  }),
  endpoint({
    method: 'post',
    path: '/forgotten-password',
    action: 'link.use',
    summary: 'Ask for a link to a new password; the answer is the same for everybody',
    body: forgottenPasswordSchema,
    response: null,
    run: ({ ctx, body }) => {
      // After the answer: neither its time nor its text tells whether there is such a person.
      setImmediate(
        () => void answerForgotten(ctx, body.login).catch((error: unknown) => ctx.log.error('a link for a new password failed', { error: String(error) })),
      );
      return Promise.resolve();
    },
  }),
  endpoint({
    method: 'post',
    path: '/invitation/owner',
    action: 'link.use',
    summary: 'Whose one-time link this is',
    body: lookAtLinkSchema,
    response: linkOwnerSchema,
    run: async ({ ctx, body }) => {
      const { user, purpose } = await lookAtLink(ctx, body.token);
      return { name: user.name, userName: user.userName, purpose };
    },
  }),
  endpoint({
    method: 'post',
    path: '/invitation',
    action: 'link.use',
    summary: 'Use a one-time link: set the password and sign in',
    body: acceptLinkSchema,
    response: meSchema,
    status: 201,
    run: async ({ ctx, request, body }) => {
      const user = await acceptLink(ctx, body);
      return beginAs(ctx, request, user);
    },
  }),
];

/** Links under another host name than the one in the browser would lead nowhere: say so. */
function noticeFor(ctx: Context, host: string): string | null {
  if (host === '' || host === ctx.config.publicUrl.host) return null;
  return `You opened the panel as ${host}, but its links use ${ctx.config.publicUrl.host}. Start it with PUBLIC_URL=${ctx.config.publicUrl.protocol}//${host} if that is its address.`;
}
