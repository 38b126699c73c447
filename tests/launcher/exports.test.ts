// Data for the panel out of a real oTree, also where oTree's own REST interface has none; and bots that never touch the live data.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { Instance, query, temporaryDatabase } from './instance.ts';
import { pythonWith } from './venv.ts';

vi.setConfig({ testTimeout: 120_000 });
const versions = ['6.0.15', '5.11.5'] as const;
const key = { 'otree-rest-key': 'rest-key', host: 'lab.example' };

async function playing(version: (typeof versions)[number]) {
  const one = new Instance({ python: pythonWith(version), project: 'tests/projects/lab-games', databaseUrl: await temporaryDatabase() });
  await one.serve();
  const get = async (path: string, headers: Record<string, string> = key) => one.request('GET', path, { headers });
  const index = async () => JSON.parse((await get('/api/arboretum_exports')).body) as { apps: string[]; hasChat: boolean; sessions: Record<string, unknown>[] };
  return { one, get, index };
}

test.each(versions)('every export is there for whoever has the key, and for nobody else (oTree %s)', async (version) => {
  const { one, get, index } = await playing(version);
  const { code } = await one.rest('/api/sessions', { session_config_name: 'bargain', num_participants: 2 });
  expect(await index()).toMatchObject({
    apps: ['bargain', 'survey'],
    hasChat: false,
    sessions: [{ code, config: 'bargain', participants: 2, isDemo: false, isMturk: false, isWhole: true }],
  });
  for (const path of ['/api/export_wide', '/api/export_app?app=bargain', '/api/export_page_times', '/api/export_chat']) {
    const answer = await get(path);
    expect([path, answer.status]).toEqual([path, 200]);
    expect((await get(path, { host: 'lab.example' })).status).toBe(403);
    expect((await get(path, { host: 'lab.example', 'otree-rest-key': 'wrong' })).status).toBe(403);
  }
  expect((await get('/api/arboretum_exports', { host: 'lab.example' })).status).toBe(403);
  expect((await get('/api/export_wide')).body.trim().split('\n')).toHaveLength(3);
  expect((await get('/api/export_app?app=bargain')).body).toContain(code);
  expect((await get('/api/export_page_times')).body).toMatch(/^session_code,/);
});

test.each(versions)('the project’s own exports are named and come as it puts them together (oTree %s)', async (version) => {
  const own = readFileSync('tests/projects/lab-games/survey/__init__.py', 'utf8');
  const more = `
def custom_export(players):
    yield ['person', 'note']
    for player in players:
        yield [player.participant.code, 'ä, "b"']

def custom_export_ages(players):
    yield ['age']

def custom_export_broken(players):
    raise ValueError('no')
`;
  const files = { 'survey/__init__.py': own + more };
  const one = new Instance({ python: pythonWith(version), project: 'tests/projects/lab-games', files, databaseUrl: await temporaryDatabase() });
  await one.serve();
  await one.rest('/api/sessions', { session_config_name: 'survey', num_participants: 2 });
  const get = async (path: string, headers: Record<string, string> = key) => one.request('GET', path, { headers });
  const { customs } = JSON.parse((await get('/api/arboretum_exports')).body) as { customs: unknown };
  const names = version === '6.0.15' ? ['custom_export', 'custom_export_ages', 'custom_export_broken'] : ['custom_export'];
  expect(customs).toEqual(names.map((name) => ({ app: 'survey', function: name })));
  const address = '/api/export_app_custom?app=survey&function_name=custom_export';
  const rows = (await get(address)).body.trim().split(/\r?\n/);
  expect([rows[0], rows.length, rows[1]]).toEqual(['person,note', 3, expect.stringMatching(/^\w{8},"ä, ""b"""$/)]);
  expect((await get(address, { host: 'lab.example' })).status).toBe(403);
});

test('a session whose making failed is named', async () => {
  const { one, get, index } = await playing('6.0.15');
  const { code } = await one.rest('/api/sessions', { session_config_name: 'survey', num_participants: 1 });
  // oTree ends the connection after such a mistake, at times before the whole answer was read.
  await one.rest('/api/sessions', { session_config_name: 'survey', num_participants: 1, room_name: 'nowhere' }).catch(() => null);
  const { sessions } = await index();
  expect(sessions.map(({ isWhole }) => isWhole)).toEqual([true, false]);
  expect((await get('/api/export_wide').catch(() => ({ status: 500 }))).status).toBe(500);
  expect((await get(`/api/export_wide?session_code=${code}`)).status).toBe(200);
});

test.each(versions)('bots play a config in memory; one that fails is told by the exit code (oTree %s)', async (version) => {
  const databaseUrl = 'postgresql://nobody:nothing@127.0.0.1:1/none';
  const one = new Instance({ python: pythonWith(version), project: 'tests/projects/lab-games', databaseUrl });
  const good = one.run('bots', 'bargain');
  expect([good.code, good.stdout + good.stderr]).toEqual([0, expect.stringContaining('Bots completed session')]);
  const broken = new Instance({
    python: pythonWith(version),
    project: 'tests/projects/lab-games',
    files: { 'survey/tests.py': 'from . import *\nclass PlayerBot(Bot):\n    def play_round(self):\n        yield Thanks\n' },
    databaseUrl,
  });
  expect(broken.run('bots', 'survey')).toMatchObject({ code: 65, stderr: expect.stringContaining('Bot') });
  const exporting = one.run('bots', 'survey', '1', join(one.folder, 'run/out'));
  expect([exporting.code, exporting.stderr + exporting.stdout]).toEqual([0, expect.stringContaining('Exported CSV')]);
});

test.each(versions)('a column that the project has and the database lacks is named, also while oTree runs on (oTree %s)', async (version) => {
  const databaseUrl = await temporaryDatabase();
  const one = new Instance({ python: pythonWith(version), project: 'tests/projects/lab-games', databaseUrl });
  await one.serve();
  const look = async (): Promise<unknown> => JSON.parse((await one.request('GET', '/api/arboretum_tables', { headers: key })).body) as unknown;
  expect(await look()).toEqual({ dialect: 'postgresql', gaps: [] });
  await query(databaseUrl, 'ALTER TABLE survey_player DROP COLUMN mood; ALTER TABLE survey_player ADD COLUMN older int NOT NULL');
  expect(await look()).toEqual({
    dialect: 'postgresql',
    gaps: [
      { kind: 'missing', table: 'survey_player', column: 'mood' },
      { kind: 'required', table: 'survey_player', column: 'older' },
    ],
  });
});
