// Rooms of a project, and the address at which oTree expects a participant.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import { asJson } from '../../domain/database.ts';
import { findLobbyInstance, findRoom, labelHash, otreeRoomUrl, roomsOf } from '../../domain/rooms.ts';
import { sealedPlace } from '../../domain/specs.ts';
import type { Room } from '../../platforms/project.ts';
import type { Instance } from '../../prisma/client/client.ts';
import { anInstance, aProject, aRoom, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext({ PUBLIC_URL: 'http://lab.example.org' });
});
afterAll(() => ctx.close());

const jsonOf = (rooms: readonly Room[]): Instance['project'] => asJson(aProject({ rooms })) as Instance['project'];

describe('the rooms of an instance', () => {
  test('are none before the first deployment', () => {
    expect(roomsOf({ project: null, panelRooms: [] })).toEqual([]);
  });

  test('are those of the running release', () => {
    const room = aRoom({ labels: ['A01', 'A02'], usesSecureUrls: true });
    expect(roomsOf({ project: jsonOf([room]), panelRooms: [] })).toEqual([{ ...room, edited: null }]);
  });

  test('leave out what another version stored and nobody can read', () => {
    expect(roomsOf({ project: { rooms: [{ name: 7 }, { name: 'lab' }, null] }, panelRooms: [] })).toEqual([{ ...aRoom({ displayName: 'lab' }), edited: null }]);
    expect(roomsOf({ project: 'nonsense', panelRooms: [] })).toEqual([]);
  });

  test('an unknown room has its own code', () => {
    expect(() => findRoom({ project: jsonOf([aRoom()]), panelRooms: [] }, 'attic')).toThrow(new AppError('room_unknown', { room: 'attic' }));
  });
});

describe('looking for an instance without being signed in', () => {
  test('finds it by its name', async () => {
    const { id, name } = await anInstance(ctx);
    expect((await findLobbyInstance(ctx, name)).id).toBe(id);
  });

  test.each(['nobody-has-this-name', '../etc', 'a\0b', ''])('%j is not found', async (name) => {
    await expect(findLobbyInstance(ctx, name)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('a deleted instance is not found', async () => {
    const { name } = await anInstance(ctx, { deletedAt: new Date() });
    await expect(findLobbyInstance(ctx, name)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('the address of a seat in oTree', () => {
  test('names the participant and spares the second welcome click', async () => {
    const instance = await anInstance(ctx, { name: 'trust-game' });
    expect(otreeRoomUrl(ctx, instance, { room: aRoom(), label: 'A07' })).toBe(
      'http://trust-game.lab.example.org/room/lab?participant_label=A07&welcome_page_ok=1',
    );
  });

  test('respects a welcome page of the project itself', async () => {
    const instance = await anInstance(ctx, { port: 10_017 });
    expect(otreeRoomUrl(ctx, instance, { room: aRoom({ hasWelcomePage: true }), label: 'A07' })).toBe(
      'http://lab.example.org:10017/room/lab?participant_label=A07',
    );
  });

  test('carries the hash of the instance’s own room secret where the room wants one', async () => {
    const instance = await anInstance(ctx);
    const roomSecret = ctx.sealer.open(instance.roomSecret, sealedPlace(instance.id, 'room_secret')).open();
    const hash = createHash('sha224').update(`A07${roomSecret}`).digest('hex').slice(0, 8);
    expect(otreeRoomUrl(ctx, instance, { room: aRoom({ labels: ['A07'], usesSecureUrls: true }), label: 'A07' })).toContain(
      `?participant_label=A07&hash=${hash}&welcome_page_ok=1`,
    );
  });

  test('hashes as the launcher does', () => {
    // python3 -c "import hashlib; print(hashlib.sha224(b'Alice' + b'secret').hexdigest()[:8])"
    expect(labelHash('Alice', 'secret')).toBe('a5715005');
  });
});
