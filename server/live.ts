// Live pages: who may join which channel. Events come from the worker and from this process through Redis.

import type http from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import type { RequestHandler } from 'express';
import type { Redis } from 'ioredis';
import { Server, type Socket } from 'socket.io';
import { channels, type ClientEvents, type ServerEvents } from '../contracts/events.ts';
import { findInstance, visibleTo, type Person } from '../domain/access.ts';
import type { Context } from '../domain/context.ts';
import type { User } from '../prisma/client/client.ts';
import { isOwnOrigin } from './origin.ts';

export type LiveServer = Server<ClientEvents, ServerEvents>;
const recheckMs = 3000;

/** Puts socket.io on the HTTP server. A sign-in that ended loses its sockets within `recheckMs`. */
export function startLive(httpServer: http.Server, parts: { ctx: Context; loginSessions: readonly RequestHandler[]; redis: Redis }): LiveServer {
  const { ctx, loginSessions, redis } = parts;
  const live: LiveServer = new Server(httpServer, {
    adapter: createAdapter(redis, redis.duplicate(), { key: 'arboretum' }),
    allowRequest: (request, done) => done(null, isOwnOrigin(request)),
    serveClient: false,
    maxHttpBufferSize: 10_000,
    perMessageDeflate: false,
  });
  for (const middleware of loginSessions) live.engine.use(onlyHandshake(middleware));
  live.use((socket, next) => next(personOf(socket) ? undefined : new Error('sign_in_required')));
  live.on('connection', (socket) => void welcome(ctx, socket));
  const timer = setInterval(() => void dropEnded(ctx, live).then(() => dropUnseen(ctx, live)), recheckMs).unref();
  httpServer.on('close', () => clearInterval(timer));
  return live;
}

type EngineMiddleware = Parameters<LiveServer['engine']['use']>[0];
/** Later packets of a long-polling connection carry a session id and need no second look. */
const onlyHandshake =
  (middleware: RequestHandler): EngineMiddleware =>
  (request: http.IncomingMessage & { _query?: Record<string, string> }, response: http.ServerResponse, next: (error?: Error) => void) => {
    if (request._query?.['sid'] === undefined) middleware(request as never, response as never, next as never);
    else next();
  };

const personOf = (socket: Socket): User | undefined => (socket.request as { user?: User }).user;

async function welcome(ctx: Context, socket: Socket<ClientEvents, ServerEvents>): Promise<void> {
  const person = personOf(socket);
  if (!person) return;
  socket.on('watch', (name, answer) => {
    watch(ctx, socket, { person, name }).then(answer, () => answer(false));
  });
  socket.on('unwatch', (name) => {
    if (typeof name === 'string')
      void findInstance(ctx, person, { name, action: 'instance.read' }).then(
        ({ id }) => socket.leave(channels.instance(id)),
        () => undefined,
      );
  });
  await socket.join(person.role === 'manager' ? [channels.managers, channels.person(person.id)] : channels.person(person.id));
}

async function watch(ctx: Context, socket: Socket<ClientEvents, ServerEvents>, request: { person: Person; name: unknown }): Promise<boolean> {
  if (typeof request.name !== 'string') return false;
  const instance = await findInstance(ctx, request.person, { name: request.name, action: 'instance.read' });
  await socket.join(channels.instance(instance.id));
  return true;
}

/** Closes sockets of people who were disabled, changed role or password, or signed out. */
async function dropEnded(ctx: Context, live: LiveServer): Promise<void> {
  const sockets = [...live.sockets.sockets.values()];
  if (sockets.length === 0) return;
  const ids = [...new Set(sockets.flatMap((socket) => personOf(socket)?.id ?? []))];
  const people = await ctx.db.user.findMany({ where: { id: { in: ids } } }).catch(() => null);
  if (!people) return;
  const now = new Map(people.map((person) => [person.id, person]));
  for (const socket of sockets) {
    const then = personOf(socket);
    const person = then && now.get(then.id);
    if (!then || !person || person.disabledAt || person.sessionEpoch !== then.sessionEpoch || person.role !== then.role) socket.disconnect(true);
  }
}

const instanceChannel = channels.instance('');

/**
 * Takes sockets out of the channels of instances that their person may no longer see. A share that ends takes them out at
 * once; this is for whoever asked to watch in the very moment, and for what Redis lost.
 */
async function dropUnseen(ctx: Context, live: LiveServer): Promise<void> {
  for (const socket of live.sockets.sockets.values()) {
    const person = personOf(socket);
    const watched = [...socket.rooms].filter((room) => room.startsWith(instanceChannel)).map((room) => room.slice(instanceChannel.length));
    if (!person || person.role === 'manager' || watched.length === 0) continue;
    const seen = await ctx.db.instance.findMany({ where: { AND: [{ id: { in: watched } }, visibleTo(person)] }, select: { id: true } }).catch(() => null);
    if (!seen) return;
    const ids = new Set(seen.map(({ id }) => id));
    for (const id of watched) if (!ids.has(id)) await socket.leave(channels.instance(id));
  }
}
