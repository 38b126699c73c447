// A panel's HTTP side for tests: the real application on a loopback port, and a browser's worth of client.

import type { Server } from 'node:http';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import type { Me } from '../../contracts/people.ts';
import type { Role } from '../../contracts/roles.ts';
import { systemActor } from '../../domain/context.ts';
import { newId } from '../../domain/ids.ts';
import { createPerson } from '../../domain/people.ts';
import type { User } from '../../prisma/client/client.ts';
import { buildApp } from '../../server/app.ts';
import { loginSessions } from '../../server/login-session.ts';
import { testContext, type TestContext } from '../factories.ts';

export const password = 'correct horse battery';

export type Answer = { readonly status: number; readonly body: Record<string, unknown>; readonly headers: Headers };
export type Client = {
  readonly me: Me | null;
  readonly cookie: string;
  send(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
};
export type TestPanel = {
  readonly ctx: TestContext;
  readonly url: string;
  readonly server: Server;
  readonly sessions: ReturnType<typeof loginSessions>;
  person(role: Role): Promise<User>;
  signIn(user: Pick<User, 'userName'> | null): Promise<Client>;
  close(): Promise<void>;
};

/** Listens; sign-ins, origin checks and limits are the real ones. */
export async function startPanel(env: Readonly<Record<string, string>> = {}): Promise<TestPanel> {
  const ctx = await testContext(env);
  const pool = new pg.Pool({ connectionString: ctx.config.DATABASE_URL?.open(), max: 3 });
  const sessions = loginSessions(ctx, pool, 'a key for tests');
  const server = http.createServer(buildApp({ ctx, loginSessions: sessions, pingRedis: () => Promise.resolve('PONG') }));
  // A request that meets the end of an idle connection would fail: this process is busy with both sides.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ctx,
    url,
    server,
    sessions,
    person: (role) => {
      const userName = newId();
      return createPerson(ctx, systemActor, { name: `Person ${userName}`, userName, email: `${userName}@lab.example`, password, role });
    },
    // As the front door would say it: a cookie for https is given to https only.
    signIn: (user) => signIn(url, user, { 'x-forwarded-proto': ctx.config.publicUrl.protocol.slice(0, -1) }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await pool.end();
      await ctx.close();
    },
  };
}

async function signIn(url: string, user: Pick<User, 'userName'> | null, forwarded: Readonly<Record<string, string>>): Promise<Client> {
  let cookie = '';
  let csrfToken = '';
  const send: Client['send'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(cookie ? { cookie } : {}),
        ...(csrfToken ? { 'x-csrf-token': csrfToken } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...forwarded,
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {}, headers: response.headers };
  };
  if (!user) return { me: null, cookie, send };
  const answer = await send('POST', '/session', { login: user.userName, password });
  if (answer.status !== 201) throw new Error(`sign-in failed: ${answer.status}`);
  cookie = (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  const me = answer.body as unknown as Me;
  csrfToken = me.csrfToken;
  return { me, cookie, send };
}
