// Rooms of the panel: they replace those of settings.py, two people cannot overwrite each other, nobody loses a seat unasked.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PutRoom } from '../../contracts/rooms.ts';
import { systemActor, type WorkerContext } from '../../domain/context.ts';
import { removePanelRoom, savePanelRoom } from '../../domain/panel-rooms.ts';
import { makeRoomsKeeper } from '../../domain/rooms-keeper.ts';
import { findRoom, roomsOf, withRooms, type ListedRoom } from '../../domain/rooms.ts';
import { findSeat, markReady, openSeat, seatMap } from '../../domain/seats.ts';
import type { EditedRoom } from '../../platforms/project.ts';
import { anInstance, aProject, aRoom, testContext, type AnInstance, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const [ada, ben] = [
  { id: null, name: 'Ada' },
  { id: null, name: 'Ben' },
];
const wish = (more: Partial<PutRoom> = {}): PutRoom => ({ displayName: 'Hall', labels: 'A01\nA02', usesSecureUrls: false, since: null, ...more });
const save = (instance: AnInstance, room = 'hall', more: Partial<PutRoom> = {}, actor = ada): Promise<void> =>
  savePanelRoom(ctx, actor, { instance, room, wish: wish(more) });
const roomsNow = async (instance: AnInstance): Promise<readonly ListedRoom[]> => roomsOf(await withRooms(ctx, instance));
const editedAt = async (instance: AnInstance, name = 'hall'): Promise<string> =>
  (await roomsNow(instance)).find((room) => room.name === name)?.edited?.at.toISOString() ?? '';
const withProject = (): Promise<AnInstance> =>
  anInstance(ctx, { project: aProject({ rooms: [aRoom(), aRoom({ name: 'online', hasWelcomePage: true, labels: ['X'] })] }) });

describe('a room of the panel', () => {
  test('stands behind those of settings.py, also before the first deployment', async () => {
    const [deployed, fresh] = [await withProject(), await anInstance(ctx)];
    for (const instance of [deployed, fresh]) await save(instance);
    expect((await roomsNow(deployed)).map(({ name, edited }) => [name, edited?.byName ?? null])).toEqual([
      ['lab', null],
      ['online', null],
      ['hall', 'Ada'],
    ]);
    expect((await roomsNow(fresh)).map(({ name, labels }) => [name, labels])).toEqual([['hall', ['A01', 'A02']]]);
  });

  test('takes the place of one of the same name and keeps its welcome page; removing it brings the other back', async () => {
    const instance = await withProject();
    await save(instance, 'online', { labels: 'Y1' });
    expect((await roomsNow(instance))[1]).toMatchObject({ name: 'online', labels: ['Y1'], hasWelcomePage: true, edited: { isReplacing: true } });
    await removePanelRoom(ctx, ada, { instance, room: 'online', since: await editedAt(instance, 'online'), isConfirmed: false });
    expect((await roomsNow(instance))[1]).toMatchObject({ name: 'online', labels: ['X'], edited: null });
  });

  test('has a Lobby at once', async () => {
    const instance = await anInstance(ctx);
    await save(instance);
    expect((await seatMap(ctx, instance, 'hall')).seats.map(({ label }) => label)).toEqual(['A01', 'A02']);
  });

  test('is recorded with who and how many labels, and shown to open pages', async () => {
    const instance = await anInstance(ctx);
    await save(instance);
    expect(await ctx.db.audit.findFirst({ where: { instanceId: instance.id } })).toMatchObject({
      action: 'room.save',
      actorName: 'Ada',
      detail: { labels: 2 },
    });
    await ctx.waitForEvent('instance', ({ instanceId }) => instanceId === instance.id);
  });

  test('that stands in settings.py only cannot be removed here', async () => {
    const removal = { instance: await withProject(), room: 'lab', since: '', isConfirmed: true };
    await expect(removePanelRoom(ctx, ada, removal)).rejects.toMatchObject({ code: 'room_of_project' });
    await expect(removePanelRoom(ctx, ada, { ...removal, room: 'attic' })).rejects.toMatchObject({ code: 'room_unknown' });
  });
});

describe('two people at once', () => {
  test('one wins, the other is told who and when, and may save over it knowingly', async () => {
    const instance = await anInstance(ctx);
    const results = await Promise.allSettled([save(instance, 'hall', { labels: 'A' }, ada), save(instance, 'hall', { labels: 'B' }, ben)]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const [winner] = await roomsNow(instance);
    const refused = results.find((result) => result.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'room_changed', details: { who: winner?.edited?.byName } });
    expect(String(refused?.reason)).toMatch(/changed this room at \d\d:\d\d:\d\d \(UTC\), after you began/);
    await save(instance, 'hall', { labels: 'C', since: await editedAt(instance) }, ben);
    expect((await roomsNow(instance))[0]).toMatchObject({ labels: ['C'], edited: { byName: 'Ben' } });
  });

  test('who edits a room that the other removed is told', async () => {
    const instance = await anInstance(ctx);
    await save(instance);
    const since = await editedAt(instance);
    await removePanelRoom(ctx, ada, { instance, room: 'hall', since, isConfirmed: false });
    await expect(save(instance, 'hall', { since }, ben)).rejects.toMatchObject({ code: 'room_changed' });
  });
});

describe('labels on which people sit', () => {
  test('go only when that was confirmed', async () => {
    const instance = await anInstance(ctx, { facts: { participants: [{ room: 'hall', label: 'A02', pageIndex: 2, maxPageIndex: 9, isFinished: false }] } });
    await save(instance);
    const seated = await withRooms(ctx, instance);
    await openSeat(ctx, seated, findSeat(findRoom(seated, 'hall'), 'A01'));
    const since = await editedAt(instance);
    const change = { labels: 'B01', since };
    await expect(save(instance, 'hall', change)).rejects.toMatchObject({ code: 'people_on_seats', details: { count: 2, labels: 'A01, A02' } });
    await expect(removePanelRoom(ctx, ada, { instance, room: 'hall', since, isConfirmed: false })).rejects.toMatchObject({ code: 'people_on_seats' });
    await save(instance, 'hall', { ...change, labels: 'A01\nA02\nA03' });
    await save(instance, 'hall', { labels: 'B01', since: await editedAt(instance), isConfirmed: true });
    expect((await roomsNow(instance))[0]?.labels).toEqual(['B01']);
  });

  test('go with their room, so that a room of the same name begins empty', async () => {
    const instance = await anInstance(ctx);
    await save(instance);
    const seated = await withRooms(ctx, instance);
    await markReady(ctx, seated, findSeat(findRoom(seated, 'hall'), 'A01'));
    await removePanelRoom(ctx, ada, { instance, room: 'hall', since: await editedAt(instance), isConfirmed: true });
    await save(instance);
    expect((await seatMap(ctx, instance, 'hall')).counts.away).toBe(2);
  });
});

describe('handing rooms over', () => {
  const recorder = () => {
    const handed: { id: string; rooms: readonly EditedRoom[] }[] = [];
    let isBroken = false;
    const setRooms = (spec: { instanceId: string }, rooms: readonly EditedRoom[]): Promise<void> =>
      isBroken ? Promise.reject(new Error('disk full')) : Promise.resolve(void handed.push({ id: spec.instanceId, rooms }));
    const worker = { ...ctx, platform: { setRooms }, frontDoor: {} } as unknown as WorkerContext;
    return { handed, worker, of: ({ id }: AnInstance) => handed.filter((one) => one.id === id), setBroken: (value: boolean) => (isBroken = value) };
  };

  test('happens once for each change, and everywhere after a start of the worker', async () => {
    const instance = await anInstance(ctx);
    const { worker, of } = recorder();
    const keeper = makeRoomsKeeper();
    await keeper.round(worker);
    expect(of(instance)).toEqual([{ id: instance.id, rooms: [] }]);
    await save(instance);
    await keeper.round(worker);
    await keeper.round(worker);
    expect(of(instance)).toHaveLength(2);
    expect(of(instance)[1]?.rooms).toEqual([{ name: 'hall', displayName: 'Hall', labels: ['A01', 'A02'], usesSecureUrls: false }]);
    await makeRoomsKeeper().round(worker);
    expect(of(instance)).toHaveLength(3);
  });

  test('waits for an instance that is still being created', async () => {
    const instance = await anInstance(ctx, { state: 'creating' });
    const { worker, of } = recorder();
    const keeper = makeRoomsKeeper();
    await save(instance);
    await keeper.apply(worker, instance.id);
    expect(of(instance)).toEqual([]);
    await ctx.db.instance.update({ where: { id: instance.id }, data: { state: 'waiting' } });
    await keeper.round(worker);
    expect(of(instance)).toHaveLength(1);
  });

  test('that failed is tried again', async () => {
    const instance = await anInstance(ctx);
    const { worker, of, setBroken } = recorder();
    const keeper = makeRoomsKeeper();
    setBroken(true);
    await keeper.round(worker);
    expect(of(instance)).toEqual([]);
    setBroken(false);
    await keeper.round(worker);
    expect(of(instance)).toHaveLength(1);
  });
});

test('the panel’s own doing is possible without a person', async () => {
  const instance = await anInstance(ctx);
  await savePanelRoom(ctx, systemActor, { instance, room: 'hall', wish: wish() });
  expect((await roomsNow(instance))[0]?.edited?.byName).toBe('Arboretum');
});
