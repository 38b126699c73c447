// Sign-ins: a cookie with an opaque id, kept hashed in PostgreSQL, ended when role, password or account change.

import connectPgSimple from 'connect-pg-simple';
import type { Request, RequestHandler, Response } from 'express';
import session, { type SessionData } from 'express-session';
import passport from 'passport';
import { Strategy } from 'passport-local';
import type pg from 'pg';
import type { Context } from '../domain/context.ts';
import { hashToken, newToken } from '../domain/ids.ts';
import { signIn } from '../domain/people.ts';
import type { User } from '../prisma/client/client.ts';

declare module 'express-session' {
  interface SessionData {
    csrfToken?: string;
    /** The person's `sessionEpoch` at the sign-in. */
    epoch?: number;
    startedAt?: number;
  }
}

const idleMs = 7 * 24 * 3600 * 1000;
const longestMs = 30 * 24 * 3600 * 1000;
const seenMs = 60_000;

export const cookieName = (isHttps: boolean): string => (isHttps ? '__Host-arboretum' : 'arboretum');

/** connect-pg-simple with the id hashed, so that a look into the table signs nobody in. */
function hashedStore(pool: pg.Pool): session.Store {
  const Store = connectPgSimple(session);
  const store = new Store({ pool, tableName: 'login_session', pruneSessionInterval: 3600 });
  const { get, set, destroy, touch } = store;
  store.get = (sid, done) => get.call(store, hashToken(sid), done);
  store.set = (sid, data, done) => set.call(store, hashToken(sid), data, done);
  store.destroy = (sid, done) => destroy.call(store, hashToken(sid), done);
  store.touch = (sid: string, data: SessionData, done?: () => void) => touch.call(store, hashToken(sid), data, done);
  return store;
}

const auth = new passport.Passport();

/** Middleware that knows who asks; the same ones serve HTTP and the websocket's handshake. */
export function loginSessions(ctx: Context, pool: pg.Pool, key: string): RequestHandler[] {
  const isHttps = ctx.config.publicUrl.protocol === 'https:';
  const sessions = session({
    name: cookieName(isHttps),
    secret: key,
    store: hashedStore(pool),
    resave: false,
    saveUninitialized: false,
    rolling: true,
    proxy: true,
    cookie: { httpOnly: true, sameSite: 'lax', secure: isHttps, path: '/', maxAge: idleMs },
  });
  auth.use(
    new Strategy(
      { usernameField: 'login', passwordField: 'password' },
      (login, password, done) => void signIn(ctx, login, password).then((user) => done(null, user ?? false), done),
    ),
  );
  auth.serializeUser((user, done) => done(null, (user as User).id));
  auth.deserializeUser(
    (id: string, done) => void ctx.db.user.findUnique({ where: { id } }).then((user) => done(null, user && !user.disabledAt ? user : false), done),
  );
  return [sessions, auth.initialize(), auth.session(), endOldSessions, noteSeen(ctx)];
}

/** A sign-in from before a change of role or password, or too old, counts as none. */
const endOldSessions: RequestHandler = (request, _response, next) => {
  const user = request.user as User | undefined;
  if (!user) return next();
  const { epoch, startedAt } = request.session;
  if (epoch === user.sessionEpoch && startedAt !== undefined && Date.now() - startedAt < longestMs) return next();
  request.logout((error?: unknown) => next(error));
};

/** When the person was here last, to the minute; nobody waits for it. */
const noteSeen =
  (ctx: Context): RequestHandler =>
  (request, _response, next) => {
    const user = request.user as User | undefined;
    const before = new Date(Date.now() - seenMs);
    if (user && (user.lastSeenAt === null || user.lastSeenAt < before)) {
      ctx.db.user
        .updateMany({ where: { id: user.id, OR: [{ lastSeenAt: null }, { lastSeenAt: { lt: before } }] }, data: { lastSeenAt: new Date() } })
        .catch((error: unknown) => ctx.log.warn('when a person was seen could not be noted', { error: String(error) }));
    }
    next();
  };

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error('the sign-in could not be stored', { cause: error }));

/** Checks `login` and `password` of the body. @returns the person, null when they do not go together */
export const authenticate = (request: Request, response: Response): Promise<User | null> =>
  new Promise((resolve, reject) => {
    const done = (error: unknown, user?: User | false): void => (error ? reject(asError(error)) : resolve(user || null));
    (auth.authenticate('local', done) as RequestHandler)(request, response, (error?: unknown) => done(error, false));
  });

/** Signs in: a new session id, so that one planted before is worthless. */
export async function beginSession(request: Request, user: User): Promise<void> {
  await new Promise<void>((resolve, reject) => request.logIn(user, (error?: unknown) => (error ? reject(asError(error)) : resolve())));
  request.session.csrfToken = newToken();
  request.session.epoch = user.sessionEpoch;
  request.session.startedAt = Date.now();
  await new Promise<void>((resolve, reject) => request.session.save((error?: unknown) => (error ? reject(asError(error)) : resolve())));
}

/** Ends the sign-in; ending none is fine. */
export async function endSession(request: Request): Promise<void> {
  await new Promise<void>((resolve) => request.session.destroy(() => resolve()));
}
