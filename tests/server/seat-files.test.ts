// Downloads of a room over real HTTP: shortcuts, table, sheet; and editing rooms there.

import { encode } from 'uqr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linksTable, roomLinks } from '../../domain/seat-links.ts';
import type { User } from '../../prisma/client/client.ts';
import { anInstance, aProject, aRoom, type AnInstance } from '../factories.ts';
import { startPanel, type Client, type TestPanel } from './panel.ts';

let panel: TestPanel;
let owner: User;
let ada: Client;
beforeAll(async () => {
  panel = await startPanel({ PUBLIC_URL: 'http://lab.example.org' });
  owner = await panel.person('experimenter');
  ada = await panel.signIn(owner);
});
afterAll(() => panel.close());

const withRoom = (room: Parameters<typeof aRoom>[0] = { labels: ['A01', 'A02'] }): Promise<AnInstance> =>
  anInstance(panel.ctx, { ownerId: owner.id, project: aProject({ rooms: [aRoom(room)] }) });
const get = async ({ name }: AnInstance, what: string): Promise<Response> =>
  fetch(`${panel.url}/api/v1/instances/${name}/rooms/lab/${what}`, { headers: { cookie: ada.cookie } });

describe('downloads', () => {
  test('are a .zip of shortcuts, a .csv and a page', async () => {
    const instance = await withRoom();
    const zip = await ada.send('GET', `/instances/${instance.name}/rooms/lab/shortcuts?system=macos`);
    expect([zip.status, zip.headers.get('content-type'), zip.headers.get('content-disposition')]).toEqual([
      200,
      'application/zip',
      `attachment; filename=${instance.name}-lobby-macos.zip`,
    ]);
    const csv = await ada.send('GET', `/instances/${instance.name}/rooms/lab/links`);
    expect(csv.headers.get('content-disposition')).toContain('-seats.csv');
    const sheet = await ada.send('GET', `/instances/${instance.name}/rooms/lab/sheet`);
    expect(sheet.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await ada.send('GET', `/instances/${instance.name}/rooms/attic/sheet`)).body['code']).toBe('room_unknown');
    expect((await ada.send('GET', `/instances/${instance.name}/rooms/lab/shortcuts?system=amiga`)).status).toBe(400);
  });

  test('the sheet has a code with each seat’s own address, and names that cannot become markup', async () => {
    const instance = await withRoom({ labels: ['A01', 'A02'], displayName: '<script>alert(1)</script>' });
    const response = await get(instance, 'sheet');
    const text = await response.text();
    expect(text.match(/<svg/g)).toHaveLength(2);
    expect(text).not.toContain('<script>');
    expect(text).toContain(`lab.example.org/lobby/${instance.name}/lab/A02`);
    const dark = encode(`http://lab.example.org/lobby/${instance.name}/lab/A01`, { border: 1, ecc: 'M' }).data.flat().filter(Boolean).length;
    expect(/<svg.*?<path[^>]*d="([^"]*)"/s.exec(text)?.[1]?.match(/M/g)).toHaveLength(dark);
  });

  test('a room without labels has as many seats as are wished', async () => {
    const instance = await withRoom({});
    const links = await roomLinks(panel.ctx, instance, { room: 'lab', count: 3 });
    expect(links.seats.map(({ label }) => label)).toEqual(['seat_1', 'seat_2', 'seat_3']);
  });

  test('the table names Lobby and oTree, and no cell is a formula', async () => {
    const instance = await withRoom({ labels: ['A01'], usesSecureUrls: true });
    const links = await roomLinks(panel.ctx, instance, { room: 'lab', count: 1 });
    expect(linksTable(links)).toMatch(
      /^\uFEFF"Seat","Lobby","oTree"\r\n"A01","http:\/\/lab\.example\.org\/lobby\/[\w-]+\/lab\/A01","http:\/\/[\w.-]+\/room\/lab\?participant_label=A01&hash=[0-9a-f]{8}&welcome_page_ok=1"\r\n$/,
    );
    const hostile = { ...links, seats: ['=1+1', '@a', '+a', '-a', 'a"b'].map((label) => ({ label, address: 'x', otreeAddress: 'y' })) };
    expect(linksTable(hostile)).toContain(`"'=1+1","x","y"\r\n"'@a","x","y"\r\n"'+a","x","y"\r\n"'-a","x","y"\r\n"a""b","x","y"`);
  });
});

describe('editing a room', () => {
  const body = { displayName: 'Hall', labels: 'A01\nA02', usesSecureUrls: false, since: null };

  test('answers that it is kept, and whether oTree knows it already', async () => {
    const instance = await withRoom();
    const saved = await ada.send('PUT', `/instances/${instance.name}/rooms/hall`, body);
    expect([saved.status, saved.body]).toEqual([200, { name: 'hall', isApplied: false }]);
    const { body: view } = await ada.send('GET', `/instances/${instance.name}`);
    expect(view['rooms']).toMatchObject([
      { name: 'lab', edited: null },
      { name: 'hall', labels: ['A01', 'A02'], edited: { byName: owner.name, isReplacing: false } },
    ]);
  });

  test('names the field and the line that is wrong', async () => {
    const { name } = await withRoom();
    const labels = await ada.send('PUT', `/instances/${name}/rooms/hall`, { ...body, labels: 'A01\nA-02' });
    expect([labels.status, (labels.body['fields'] as Record<string, string>)['labels']]).toEqual([400, expect.stringContaining('Line 2: “A-02”')]);
    const called = await ada.send('PUT', `/instances/${name}/rooms/lab-2`, body);
    expect([called.status, Object.keys(called.body['fields'] as object)]).toEqual([400, ['name']]);
  });

  test('of two who save at once, the second is told who was faster', async () => {
    const { name } = await withRoom();
    await ada.send('PUT', `/instances/${name}/rooms/hall`, body);
    const second = await ada.send('PUT', `/instances/${name}/rooms/hall`, body);
    expect([second.status, second.body['code']]).toEqual([409, 'room_changed']);
    expect(second.body['title']).toContain(owner.name);
  });
});
