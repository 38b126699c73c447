// Signing in and out, the person who is signed in, and the first start.

import { rateLimit, type RateLimitRequestHandler } from 'express-rate-limit';
import { AppError } from '../../contracts/errors.ts';
import { changePasswordSchema, firstRunSchema, meSchema, panelSchema, signInSchema, type Me } from '../../contracts/people.ts';
import type { Context } from '../../domain/context.ts';
import { changePassword, createFirstManager, needsFirstManager, presentPerson } from '../../domain/people.ts';
import type { User } from '../../prisma/client/client.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';
import { authenticate, beginSession, endSession } from '../login-session.ts';
import { panelVersion } from '../version.ts';

const windowMinutes = 15;
const tooMany = (): never => {
  throw new AppError('too_many_attempts', { minutes: windowMinutes });
};

/** A whole lab behind one address may sign in; guessing one account's password may not. Only failures count. */
export const signInLimits: RateLimitRequestHandler[] = [
  rateLimit({
    windowMs: windowMinutes * 60_000,
    limit: 20,
    skipSuccessfulRequests: true,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (request) => `login:${loginOf(request.body)}`,
    handler: tooMany,
  }),
  rateLimit({
    windowMs: windowMinutes * 60_000,
    limit: 300,
    skipSuccessfulRequests: true,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    ipv6Subnet: 64,
    handler: tooMany,
  }),
];

const loginOf = (body: unknown): string => {
  const login = typeof body === 'object' && body !== null && 'login' in body ? body.login : '';
  return typeof login === 'string' ? login.trim().toLowerCase().slice(0, 200) : '';
};

async function presentMe(ctx: Context, user: User, csrfToken: string): Promise<Me> {
  return { person: presentPerson(user), csrfToken, sshKeys: await ctx.db.sshKey.count({ where: { userId: user.id } }) };
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
      await beginSession(request, user);
      return presentMe(ctx, user, request.session.csrfToken ?? '');
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
      await beginSession(request, user);
      return presentMe(ctx, user, request.session.csrfToken ?? '');
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
      await beginSession(request, user);
      return presentMe(ctx, user, request.session.csrfToken ?? '');
    },
  }),
];

/** Links under another host name than the one in the browser would lead nowhere: say so. */
function noticeFor(ctx: Context, host: string): string | null {
  if (host === '' || host === ctx.config.publicUrl.host) return null;
  return `You opened the panel as ${host}, but its links use ${ctx.config.publicUrl.host}. Start it with PUBLIC_URL=${ctx.config.publicUrl.protocol}//${host} if that is its address.`;
}
