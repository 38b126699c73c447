// Rooms of the panel in a real oTree that runs: known at once, replaced, removed, with the people who wait in them.
import { createHash } from 'node:crypto';
import { chownSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { Duplex } from 'node:stream';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { Instance, stop, temporaryDatabase, until } from './instance.ts';
import { pythonWith } from './venv.ts';

vi.setConfig({ testTimeout: 120_000 });
const versions = ['6.0.15', '5.11.5'] as const;
type PanelRoom = { name: string; displayName: string; labels: string[] | null; usesSecureUrls: boolean };
type RestRoom = { name: string; session_code: string | null; present_labels: string[] };

async function withRooms(version: (typeof versions)[number]) {
  const one = new Instance({ python: pythonWith(version), project: 'tests/projects/lab-games', databaseUrl: await temporaryDatabase() });
  const file = join(one.folder, 'rooms.json');
  one.configure({ roomsFile: file });
  const write = (text: string): void => {
    writeFileSync(`${file}.new`, text, { mode: 0o400 });
    if (one.uid) chownSync(`${file}.new`, one.uid, one.uid);
    renameSync(`${file}.new`, file);
  };
  const setRooms = (...rooms: PanelRoom[]): void => write(JSON.stringify({ rooms }));
  const list = async (): Promise<RestRoom[]> =>
    JSON.parse((await one.request('GET', '/api/rooms', { headers: { 'otree-rest-key': 'rest-key', host: 'lab.example' } })).body) as RestRoom[];
  const names = async (): Promise<string[]> => (await list()).map(({ name }) => name);
  /** What a room link leads to; oTree 5 answers a wrong label with 200 and a page that asks for another. */
  const enter = async (room: string, label: string, hash = ''): Promise<'waits' | 'plays' | 'refused'> => {
    const { status, body } = await one.request('GET', `/room/${room}?participant_label=${label}&hash=${hash}&welcome_page_ok=1`);
    if (status === 302 || status === 307) return 'plays';
    return status === 200 && body.includes('wait_for_session_in_room') ? 'waits' : 'refused';
  };
  /** Opens the websocket with which oTree's page of a room waits; `destroy` leaves the page. */
  const wait = (room: string, label: string): Promise<Duplex> =>
    new Promise((resolve, reject) => {
      const path = `/wait_for_session_in_room?room_name=${room}&participant_label=${label}&tab_unique_id=t`;
      const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
      const request = http.request({ socketPath: one.socket, path, headers });
      request.on('upgrade', (_response, socket) => resolve(socket.resume()));
      request.on('error', reject).end();
    });
  return { one, file, write, setRooms, list, names, enter, wait };
}

const hall = (labels: string[] | null, more: Partial<PanelRoom> = {}): PanelRoom => ({
  name: 'hall',
  displayName: 'Hall',
  labels,
  usesSecureUrls: false,
  ...more,
});

test.each(versions)('a running oTree knows a new room, its labels and its links at the next request (oTree %s)', async (version) => {
  const { one, setRooms, names, enter } = await withRooms(version);
  const first = await one.serve();
  const before = await names();
  expect(await enter('hall', 'A01')).toBe('refused');
  setRooms(hall(['A01', 'A02']));
  expect(await names()).toEqual([...before, 'hall']);
  expect([await enter('hall', 'A01'), await enter('hall', 'A02'), await enter('hall', 'B01')]).toEqual(['waits', 'waits', 'refused']);
  setRooms(hall(['B01'], { usesSecureUrls: true }));
  const hash = createHash('sha224').update('B01room-secret-of-this-instance').digest('hex').slice(0, 8);
  expect([await enter('hall', 'A01'), await enter('hall', 'B01'), await enter('hall', 'B01', hash)]).toEqual(['refused', 'refused', 'waits']);
  await one.rest('/api/sessions', { session_config_name: 'survey', num_participants: 1, room_name: 'hall' });
  expect(await enter('hall', 'B01', hash)).toBe('plays');
  await stop(first);
  await one.serve();
  expect(await enter('hall', 'B01', hash)).toBe('plays');
});

test('a room of the panel takes the place of one in settings.py, and gives it back', async () => {
  const { one, setRooms, names, enter } = await withRooms('6.0.15');
  await one.serve();
  const before = await names();
  expect(await enter('online', 'anybody')).toBe('waits');
  setRooms(hall(['A01'], { name: 'online' }));
  expect(await names()).toEqual(before);
  expect([await enter('online', 'anybody'), await enter('online', 'A01')]).toEqual(['refused', 'waits']);
  setRooms();
  expect(await enter('online', 'anybody')).toBe('waits');
});

test('a file that is away or broken changes nothing', async () => {
  const { one, file, write, setRooms, names } = await withRooms('6.0.15');
  setRooms(hall(['A01']));
  await one.serve();
  expect(await names()).toContain('hall');
  write('{"rooms": [{"na');
  expect(await names()).toContain('hall');
  rmSync(file);
  expect(await names()).toContain('hall');
});

test.each(versions)('tells who waits in a room, also when its labels change meanwhile (oTree %s)', async (version) => {
  const { one, setRooms, list, wait } = await withRooms(version);
  setRooms(hall(['A01', 'A02']));
  await one.serve();
  const present = async (): Promise<string[]> => (await list()).find(({ name }) => name === 'hall')?.present_labels ?? ['no room'];
  const [first, second] = [await wait('hall', 'A01'), await wait('hall', 'A02')];
  await until('both wait', async () => (await present()).length === 2);
  setRooms(hall(['A01', 'A02', 'A03']));
  expect(await present()).toEqual(['A01', 'A02']);
  first.destroy();
  await until('one has left', async () => (await present()).join() === 'A02');
  second.destroy();
  await until('nobody waits', async () => (await present()).length === 0);
});

test('a room that is removed lets its people leave and its session live, and lets nobody in', async () => {
  const { one, setRooms, names, enter, wait } = await withRooms('6.0.15');
  setRooms(hall(['A01']));
  await one.serve();
  const socket = await wait('hall', 'A01');
  const { code } = await one.rest('/api/sessions', { session_config_name: 'survey', num_participants: 1, room_name: 'hall' });
  setRooms();
  expect(await names()).not.toContain('hall');
  expect(await enter('hall', 'A01')).toBe('refused');
  socket.destroy();
  const cookie = (await one.signIn('the-panels-password')) ?? '';
  for (const page of [`/SessionMonitor/${code}`, '/room_with_session/hall']) expect((await one.request('GET', page, { headers: { cookie } })).status).toBe(200);
});
