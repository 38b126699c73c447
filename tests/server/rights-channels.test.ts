// Who may watch which channel and run which git command, for everybody who stands to an instance in some way.

import type { Redis } from 'ioredis';
import { Emitter } from '@socket.io/redis-emitter';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClientEvents, ServerEvents } from '../../contracts/events.ts';
import { canOnInstance, standings, type Standing } from '../../contracts/roles.ts';
import { liveKey, makeEvents } from '../../domain/assemble.ts';
import type { Context } from '../../domain/context.ts';
import { makeGitAccess } from '../../domain/git-access.ts';
import { newId } from '../../domain/ids.ts';
import { announceInstance } from '../../domain/instances.ts';
import { addShare, handOver, removeShare } from '../../domain/shares.ts';
import { findInstance, type OwnedInstance } from '../../domain/access.ts';
import type { User } from '../../prisma/client/client.ts';
import { startLive, type LiveServer } from '../../server/live.ts';
import { anInstance } from '../factories.ts';
import { startPanel, type TestPanel } from './panel.ts';
import { testRedis } from './redis.ts';

type Browser = Socket<ServerEvents, ClientEvents>;
let panel: TestPanel;
let live: LiveServer;
let redis: Redis;
let ctx: Context;
const sockets: Browser[] = [];

beforeAll(async () => {
  panel = await startPanel();
  redis = testRedis();
  live = startLive(panel.server, { ctx: panel.ctx, loginSessions: panel.sessions, redis });
  const emitter = new Emitter<ServerEvents>(redis, { key: liveKey });
  const events = makeEvents(
    (to, event, payload) => void emitter.to([...to]).emit(event, ...([payload] as Parameters<ServerEvents[typeof event]>)),
    (of, from) => emitter.in(of).socketsLeave(from),
  );
  ctx = { ...panel.ctx, events };
});
afterAll(async () => {
  for (const socket of sockets) socket.disconnect();
  await live.close();
  redis.disconnect();
  await panel.close().catch(() => undefined);
});

async function open(user: User): Promise<Browser> {
  const { cookie } = await panel.signIn(user);
  const socket: Browser = io(panel.url, { transports: ['websocket'], extraHeaders: { cookie }, reconnection: false, forceNew: true });
  sockets.push(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

const watch = (socket: Browser, name: string): Promise<boolean> => new Promise((resolve) => socket.emit('watch', name, resolve));

/** Everybody who stands to one fresh instance in some way. */
async function aCast(): Promise<{ instance: OwnedInstance; people: Readonly<Record<Standing, User>> }> {
  const person = (role: 'manager' | 'experimenter'): Promise<User> => panel.person(role);
  const people = {
    manager: await person('manager'),
    owner: await person('experimenter'),
    operate: await person('experimenter'),
    view: await person('experimenter'),
    stranger: await person('experimenter'),
  };
  const { name } = await anInstance(ctx, { ownerId: people.owner.id });
  const found = await findInstance(ctx, people.manager, { name, action: 'instance.read' });
  for (const level of ['operate', 'view'] as const) await addShare(ctx, people.owner, { instance: found, login: people[level].userName, level });
  return { instance: await findInstance(ctx, people.manager, { name, action: 'instance.read' }), people };
}

/** Names of instances in the events that a page has heard until the last word. */
async function heardBy(socket: Browser, person: User, say: () => void): Promise<string[]> {
  const heard: string[] = [];
  const end = new Promise<void>((resolve) => socket.on('job-log', ({ jobId }) => jobId === `last word for ${person.id}` && resolve()));
  socket.on('instance', ({ name, summary }) => heard.push(summary === null ? `${name} is gone` : name));
  say();
  ctx.events.jobLog({ instanceId: 'none', ownerId: person.id }, `last word for ${person.id}`, 0);
  await end;
  return heard;
}

describe('every standing', () => {
  it.each(standings)('watches the instance’s channel as the table says: %s', async (standing) => {
    const { instance, people } = await aCast();
    expect(await watch(await open(people[standing]), instance.name)).toBe(canOnInstance(standing, 'instance.read'));
  });

  it.each(standings)('hears of a change without watching as the table says: %s', async (standing) => {
    const { instance, people } = await aCast();
    const person = people[standing];
    const socket = await open(person);
    const heard: string[] = [];
    socket.on('instance', ({ name }) => heard.push(name));
    await announceInstance(ctx, instance.id);
    await heardBy(socket, person, () => undefined);
    expect(heard).toEqual(canOnInstance(standing, 'instance.read') ? [instance.name] : []);
  });

  it.each(standings.flatMap((standing) => (['git-receive-pack', 'git-upload-pack'] as const).map((command) => [standing, command] as const)))(
    'runs git as the table says: %s %s',
    async (standing, command) => {
      const { instance, people } = await aCast();
      const key = await ctx.db.sshKey.create({
        data: { id: newId(), userId: people[standing].id, name: 'k', type: 'ssh-ed25519', publicKey: newId(), fingerprint: `SHA256:${newId()}` },
      });
      const access = makeGitAccess(ctx);
      const pusher = await access.findPerson(key.fingerprint);
      if (!pusher) throw new Error('the key was not found');
      const answer = await access.openRepository(pusher, instance.name, command).then(
        () => 'open',
        (error: { code: string }) => error.code,
      );
      const action = command === 'git-receive-pack' ? 'instance.push' : 'instance.fetch';
      const refusal = canOnInstance(standing, 'instance.read') ? 'not_allowed' : 'not_found';
      expect(answer).toBe(canOnInstance(standing, action) ? 'open' : refusal);
    },
  );
});

describe('a share that ends', () => {
  it('takes the watching socket out of the channel at once, and its page hears that the instance is gone', async () => {
    const { instance, people } = await aCast();
    const socket = await open(people.view);
    expect(await watch(socket, instance.name)).toBe(true);
    const gone = new Promise<string>((resolve) => socket.on('instance', ({ name, summary }) => summary === null && resolve(name)));
    await removeShare(ctx, people.owner, { instance, personId: people.view.id });
    expect(await gone).toBe(instance.name);
    expect(await heardBy(socket, people.view, () => ctx.events.instanceGone({ instanceId: instance.id, ownerId: people.owner.id }, 'secret news'))).toEqual([]);
    expect(await watch(socket, instance.name)).toBe(false);
  });

  it('ends a channel that was joined in the very moment, within the next look', async () => {
    const { instance, people } = await aCast();
    const socket = await open(people.view);
    expect(await watch(socket, instance.name)).toBe(true);
    // As when the message to Redis was lost: only the row is gone.
    await ctx.db.instanceShare.deleteMany({ where: { instanceId: instance.id, userId: people.view.id } });
    const channel = `instance:${instance.id}`;
    await new Promise<void>((resolve) => live.of('/').adapter.on('leave-room', (room: string) => room === channel && resolve()));
    expect(live.of('/').adapter.rooms.get(channel)).toBeUndefined();
  });
});

describe('a hand-over', () => {
  it('shows the instance to the new owner, and takes it from the old one who keeps nothing', async () => {
    const { instance, people } = await aCast();
    const [old, next] = [await open(people.owner), await open(people.stranger)];
    expect(await watch(old, instance.name)).toBe(true);
    const gone = new Promise<string>((resolve) => old.on('instance', ({ name, summary }) => summary === null && resolve(name)));
    const came = new Promise<string>((resolve) => next.on('instance', ({ summary }) => summary !== null && resolve(summary.owner.id)));
    await handOver(ctx, people.owner, { instance, login: people.stranger.email, keepsOperate: false });
    expect(await came).toBe(people.stranger.id);
    expect(await gone).toBe(instance.name);
  });
});
