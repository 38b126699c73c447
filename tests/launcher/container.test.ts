// The launcher told by its environment, with the older oTree: what tests/platforms/dokku-tree.test.ts shows with the newer one.

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { packLaunch, packRooms } from '../../platforms/dokku/launch.ts';
import { freePort } from '../free-ports.ts';
import { marked, processesWith, query, repository, stop, temporaryDatabase, temporaryFolder, until } from './instance.ts';
import { pythonWith } from './venv.ts';

vi.setConfig({ testTimeout: 120_000 });
const sessionFields = { completionlink: 'https://app.prolific.com/submissions/complete?cc=C1ABC' };
const launch = packLaunch({ adminPassword: 'the-panels-password', secretKey: 'a-secret', roomSecret: 'room-secret', cookieName: 'otree_k3v9', sessionFields });

async function container() {
  const folder = temporaryFolder();
  cpSync(join(repository, 'launcher'), join(folder, 'launcher'), { recursive: true });
  cpSync(join(repository, 'tests/projects/lab-games'), join(folder, 'project'), { recursive: true });
  mkdirSync(join(folder, 'run'), { mode: 0o700 });
  const url = await temporaryDatabase();
  const words = (...more: string[]): string[] => [join(folder, 'launcher/start.py'), 'container', ...more];
  const env = {
    PATH: '/usr/bin:/bin',
    OTREE_PRODUCTION: '1',
    OTREE_AUTH_LEVEL: 'STUDY',
    OTREE_REST_KEY: 'rest-key',
    ARBORETUM_LAUNCH: launch,
    DATABASE_URL: url,
  };
  return { folder, url, words, env };
}

test('serves on PORT with rooms and completion links of the panel, and its timeout worker works (oTree 5.11.5)', async () => {
  const { url, words, env } = await container();
  const room = { name: 'hall', displayName: 'Hall', labels: null, usesSecureUrls: false };
  const port = String(await freePort());
  const child = spawn(pythonWith('5.11.5'), words('serve'), { env: { ...env, PORT: port, ARBORETUM_ROOMS: await packRooms([room]) }, stdio: 'ignore' });
  onTestFinished(async () => void (await stop(child)));
  const headers = { 'otree-rest-key': 'rest-key', 'content-type': 'application/json', connection: 'close' };
  const ask = (path: string, more: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${path}`, { headers, ...more });
  await until('oTree answers', async () => child.exitCode !== null || (await ask('/login').catch(() => null))?.status === 200, 60_000);
  expect(((await (await ask('/api/rooms')).json()) as { name: string }[]).map(({ name }) => name)).toContain('hall');
  const told = spawnSync(pythonWith('5.11.5'), words('memory'), { env, encoding: 'utf8' });
  const [memory = 0, free = 0] = told.stdout.split(' ').map(Number);
  expect(memory, told.stderr).toBeGreaterThan(20 * 1024 * 1024);
  expect(free).toBeGreaterThan(0);
  expect(await (await ask('/api/session_configs')).json()).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'survey', ...sessionFields })]));
  await ask('/api/sessions', { method: 'POST', body: JSON.stringify({ session_config_name: 'survey', num_participants: 1 }) });
  const [session] = await query(url, 'select _anonymous_code from otree_session');
  // A participant opens the page with the three-second timeout and is never heard of again.
  await fetch(`http://127.0.0.1:${port}/join/${String(session?.['_anonymous_code'])}`, { headers: { connection: 'close' } });
  await until('the page timed out', async () => (await query(url, 'select 1 from survey_player where ran_out')).length === 1);
});

test('tries a project, and names what stops it (oTree 5.11.5)', async () => {
  const { folder, words, env } = await container();
  const run = () => spawnSync(pythonWith('5.11.5'), words('try'), { env, encoding: 'utf8', timeout: 90_000 });
  const done = run();
  expect(done.status, done.stderr).toBe(0);
  expect(marked(done.stdout, 'ARBORETUM-CHECK')).toEqual({ missingTemplates: [] });
  expect(processesWith(folder)).toEqual([]);
  cpSync(join(folder, 'project/survey'), join(folder, 'project/bargain'), { recursive: true });
  const broken = run();
  expect(broken.status).toBe(65);
  expect(marked(broken.stderr, 'ARBORETUM-PROBLEM')).toMatchObject({ code: 'otree_check' });
});
