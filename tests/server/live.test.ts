// Live channels: who hears what, through the real Redis and socket.io.

import { Emitter } from '@socket.io/redis-emitter';
import type { Redis } from 'ioredis';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClientEvents, ServerEvents } from '../../contracts/events.ts';
import { liveKey, makeEvents } from '../../domain/assemble.ts';
import type { Events } from '../../domain/context.ts';
import { changePerson, deletePerson } from '../../domain/change-people.ts';
import { changePassword } from '../../domain/people.ts';
import { systemActor } from '../../domain/context.ts';
import type { User } from '../../prisma/client/client.ts';
import { startLive, type LiveServer } from '../../server/live.ts';
import { anInstance } from '../factories.ts';
import { password, startPanel, type TestPanel } from './panel.ts';
import { testRedis } from './redis.ts';

type Browser = Socket<ServerEvents, ClientEvents>;
let panel: TestPanel;
let live: LiveServer;
let redis: Redis;
let events: Events;
const sockets: Browser[] = [];

beforeAll(async () => {
  panel = await startPanel();
  redis = testRedis();
  live = startLive(panel.server, { ctx: panel.ctx, loginSessions: panel.sessions, redis });
  const emitter = new Emitter<ServerEvents>(redis, { key: liveKey });
  events = makeEvents(
    (to, event, payload) => void emitter.to([...to]).emit(event, ...([payload] as Parameters<ServerEvents[typeof event]>)),
    (of, from) => emitter.in(of).socketsLeave(from),
  );
});
afterAll(async () => {
  for (const socket of sockets) socket.disconnect();
  await live.close();
  redis.disconnect();
  await panel.close().catch(() => undefined);
});

async function open(user: User | null, headers: Readonly<Record<string, string>> = {}): Promise<Browser> {
  const { cookie } = user ? await panel.signIn(user) : { cookie: '' };
  const socket: Browser = io(panel.url, { transports: ['websocket'], extraHeaders: { cookie, ...headers }, reconnection: false, forceNew: true });
  sockets.push(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

const watch = (socket: Browser, name: string): Promise<boolean> => new Promise((resolve) => socket.emit('watch', name, resolve));

/** Collects what a page hears until it hears the last word; channels keep their order. */
async function heardBy(socket: Browser, ownerId: string, say: () => void): Promise<string[]> {
  const heard: string[] = [];
  const end = new Promise<void>((resolve) => {
    socket.on('job-log', ({ jobId }) => (jobId === `last word for ${ownerId}` ? resolve() : heard.push(jobId)));
  });
  say();
  events.jobLog({ instanceId: 'none', ownerId }, `last word for ${ownerId}`, 0);
  await end;
  return heard;
}

describe('a socket', () => {
  it('of nobody is refused', async () => {
    await expect(open(null)).rejects.toThrow('sign_in_required');
  });

  it('from a page of another site is refused, by websocket too', async () => {
    const user = await panel.person('manager');
    await expect(open(user, { origin: 'https://evil.example' })).rejects.toThrow();
  });

  it('hears of an instance if it is the owner’s, a manager’s or nobody else’s', async () => {
    const [owner, stranger, manager] = await Promise.all([panel.person('experimenter'), panel.person('experimenter'), panel.person('manager')]);
    const instance = await anInstance(panel.ctx, { ownerId: owner.id });
    const say = (): void => events.jobLog({ instanceId: instance.id, ownerId: owner.id }, 'secret news', 1);
    expect(await heardBy(await open(owner), owner.id, say)).toEqual(['secret news']);
    expect(await heardBy(await open(stranger), stranger.id, say)).toEqual([]);
    expect(await heardBy(await open(manager), manager.id, say)).toEqual(['secret news']);
  });

  it('may watch what its person may see, and nothing else', async () => {
    const [owner, stranger] = await Promise.all([panel.person('experimenter'), panel.person('experimenter')]);
    const instance = await anInstance(panel.ctx, { ownerId: owner.id });
    expect(await watch(await open(owner), instance.name)).toBe(true);
    const other = await open(stranger);
    expect(await watch(other, instance.name)).toBe(false);
    expect(await watch(other, 'no-such-instance')).toBe(false);
    expect(await heardBy(other, stranger.id, () => events.jobLog({ instanceId: instance.id, ownerId: owner.id }, 'secret news', 1))).toEqual([]);
  });

  it('is closed when its person is disabled', async () => {
    const person = await panel.person('experimenter');
    const socket = await open(person);
    const closed = new Promise<string>((resolve) => socket.once('disconnect', resolve));
    await changePerson(panel.ctx, systemActor, { personId: person.id, change: { isDisabled: true } });
    expect(await closed).toBe('io server disconnect');
  });

  it('is closed when the role or the password of its person changes, or the account is deleted', async () => {
    const [one, two, three] = await Promise.all([panel.person('experimenter'), panel.person('experimenter'), panel.person('experimenter')]);
    const manager = await panel.person('manager');
    const opened = [await open(one), await open(two), await open(three)];
    const closed = Promise.all(opened.map((socket) => new Promise<string>((resolve) => socket.once('disconnect', resolve))));
    await changePerson(panel.ctx, systemActor, { personId: one.id, change: { role: 'manager' } });
    await changePassword(panel.ctx, two, { present: password, next: 'another long password' });
    await deletePerson(panel.ctx, systemActor, { personId: three.id, heirId: manager.id });
    expect(await closed).toEqual(Array.from({ length: 3 }, () => 'io server disconnect'));
  });
});
