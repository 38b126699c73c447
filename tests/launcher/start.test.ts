import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { cookieOf, Instance, type InstanceOptions, marked, processesWith, query, stop, temporaryDatabase, until } from './instance.ts';
import { pythonWith } from './venv.ts';

vi.setConfig({ testTimeout: 120_000 });
const versions = ['6.0.15', '5.11.5'] as const;
const labGames = 'tests/projects/lab-games';

async function instance(options: Partial<InstanceOptions> = {}): Promise<Instance & { url: string }> {
  const url = await temporaryDatabase();
  const python = pythonWith('6.0.15');
  return Object.assign(new Instance({ python, project: labGames, databaseUrl: url, ...options }), { url });
}

function replaceInSettings(from: string, to: string): Record<string, string> {
  const text = readFileSync(`${import.meta.dirname}/../projects/lab-games/settings.py`, 'utf8');
  if (!text.includes(from)) throw new Error(`settings.py has no ${from}`);
  return { 'settings.py': text.replace(from, to) };
}

/** Without the keeper. */
function timeoutWorkers(one: Instance): number[] {
  const keepers = processesWith(one.folder, 'confine.py');
  return processesWith(one.folder, 'start.py', 'timeouts').filter((pid) => !keepers.includes(pid));
}

test.each(versions)("the panel's password wins over one that stands in the project (oTree %s)", async (version) => {
  const files = replaceInSettings("environ.get('OTREE_ADMIN_PASSWORD')", "'1234'");
  const one = await instance({ python: pythonWith(version), files });
  await one.serve();
  expect(await one.signIn('1234')).toBeNull();
  expect(await one.signIn('the-panels-password')).not.toBeNull();
});

test.each(versions)('the cookie has the name of the instance (oTree %s)', async (version) => {
  const one = await instance({ python: pythonWith(version) });
  await one.serve();
  expect(await one.signIn('the-panels-password')).toMatch(/^otree_k3v9=/);
});

test.each(versions)('a new password signs admins out and leaves participants and room links alone (oTree %s)', async (version) => {
  const one = await instance({ python: pythonWith(version) });
  const hash = createHash('sha224').update('Aliceroom-secret-of-this-instance').digest('hex').slice(0, 8);
  const room = (given: string) => `/room/lab?participant_label=Alice&hash=${given}&welcome_page_ok=1`;
  const unlabelled = '/room/online?welcome_page_ok=1';
  const first = await one.serve();
  const admin = await one.signIn('the-panels-password');
  const sessions = { headers: { cookie: admin ?? '' } };
  expect((await one.request('GET', '/sessions', sessions)).status).toBe(200);
  await createSession(one, { session_config_name: 'survey', num_participants: 1, room_name: 'lab' });
  await createSession(one, { session_config_name: 'survey', num_participants: 2, room_name: 'online' });
  const enter = await one.request('GET', room(hash));
  expect([302, 307]).toContain(enter.status);
  const seat = await one.request('GET', unlabelled);
  expect(seat.headers.location).toMatch(/InitializeParticipant/);
  expect(await stop(first)).toBe(0);

  one.configure({ adminPassword: 'another-password' });
  await one.serve();
  expect((await one.request('GET', '/sessions', sessions)).status).toBe(302);
  expect(await one.signIn('the-panels-password')).toBeNull();
  expect(await one.signIn('another-password')).not.toBeNull();
  expect((await one.request('GET', room(hash))).headers.location).toBe(enter.headers.location);
  expect((await one.request('GET', room('d8ae836d'))).status).toBe(404);
  const again = await one.request('GET', unlabelled, { headers: { cookie: cookieOf(seat) } });
  expect(again.headers.location).toBe(seat.headers.location);
  expect((await one.request('GET', unlabelled)).headers.location).not.toBe(seat.headers.location);
});

test("another instance's admin cookie is not accepted, even with the same password", async () => {
  const one = await instance();
  const other = await instance({ config: { secretKey: 'secret-of-another-instance' } });
  await Promise.all([one.serve(), other.serve()]);
  const cookie = (await one.signIn('the-panels-password')) ?? '';
  expect((await one.request('GET', '/sessions', { headers: { cookie } })).status).toBe(200);
  expect((await other.request('GET', '/sessions', { headers: { cookie } })).status).toBe(302);
});

test.each(versions)('a picture that is answered late signs nobody out: its answer brings no cookie (oTree %s)', async (version) => {
  const one = await instance({ python: pythonWith(version) });
  await one.serve();
  const headers = { cookie: (await one.signIn('the-panels-password')) ?? '' };
  const [page, picture, icon] = await Promise.all(['/demo', '/static/favicon.ico', '/favicon.ico'].map((path) => one.request('GET', path, { headers })));
  expect([page?.status, cookieOf(page!).split('=')[0]]).toEqual([200, 'otree_k3v9']);
  expect([picture?.status, picture?.headers['set-cookie'], icon?.headers['set-cookie']]).toEqual([200, undefined, undefined]);
});

test.each(versions)('redirects and links are https when the front door says so over the Unix socket (oTree %s)', async (version) => {
  const one = await instance({ python: pythonWith(version) });
  await one.serve();
  const headers = { host: 'lab.example', 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.7' };
  const answer = await one.request('GET', '/demo', { headers });
  expect(answer).toMatchObject({ status: 302, headers: { location: 'https://lab.example/login' } });
  const rooms = await one.request('GET', '/api/rooms', { headers: { ...headers, 'otree-rest-key': 'rest-key' } });
  expect(rooms.body).toContain('https://lab.example/room/lab');
});

test('the server listens on its socket only, with the group of the folder, and leaves nothing in the project', async () => {
  const one = await instance();
  const keeper = await one.serve();
  expect(statSync(one.socket).mode & 0o777).toBe(0o660);
  expect(statSync(one.socket).gid).toBe(statSync(dirname(one.socket)).gid);
  await until('the timeout worker runs', () => timeoutWorkers(one).length === 1);
  const listening = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .filter((line) => line.split(/\s+/)[4] === '0A');
  expect(listening.filter((line) => line.split(/\s+/)[8] === String(one.uid))).toEqual([]);
  expect(readdirSync(one.project)).not.toContain('db.sqlite3');
  expect(await stop(keeper)).toBe(0);
  expect(existsSync(one.socket)).toBe(false);
  expect(processesWith(one.folder)).toEqual([]);
});

test('a stale socket of a killed server is no obstacle', async () => {
  const one = await instance();
  const first = await one.serve();
  first.kill('SIGKILL');
  await until('the server is gone', () => processesWith(one.folder).length === 0);
  expect(existsSync(one.socket)).toBe(true);
  await one.serve();
});

test('two signals at once are one stop: the keeper and its process group are both told', async () => {
  const one = await instance();
  const keeper = await one.serve();
  process.kill(-(keeper.pid ?? 0), 'SIGTERM');
  await until('the server ended', () => keeper.exitCode !== null);
  expect(keeper.exitCode).toBe(0);
  expect(readFileSync(one.log, 'utf8')).not.toContain('Traceback');
});

test.each(versions)('participants without a browser are moved on, also after the database cut all connections (oTree %s)', async (version) => {
  const one = await instance({ python: pythonWith(version) });
  await one.serve();
  await until('the worker works', () => readFileSync(one.log, 'utf8').includes('timeoutworker is listening'));
  await openSurvey(one);
  await query(one.url, 'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()');
  expect((await one.request('GET', '/login')).status).toBe(200);
  await until('the page timed out', async () => (await query(one.url, 'select 1 from survey_player where ran_out')).length === 1);
});

test('a timeout worker that died is started again, and works', async () => {
  const one = await instance();
  await one.serve();
  const [worker] = await until('the timeout worker runs', () => (timeoutWorkers(one).length ? timeoutWorkers(one) : null));
  process.kill(worker ?? 0, 'SIGKILL');
  const [next] = await until('another one runs', () => {
    const others = timeoutWorkers(one).filter((pid) => pid !== worker);
    return others.length ? others : null;
  });
  expect(next).not.toBe(worker);
  expect(readFileSync(one.log, 'utf8')).toContain('the timeout worker ended (exit code -9); it starts again in 1 s');
  await openSurvey(one);
  await until('the page timed out', async () => (await query(one.url, 'select 1 from survey_player where ran_out')).length === 1);
});

test('resetdb empties the database', async () => {
  const one = await instance();
  expect(one.run('resetdb')).toMatchObject({ code: 0, stderr: expect.stringContaining('Created new tables') as unknown });
  await query(one.url, 'create table left_over (x int)');
  expect(one.run('resetdb').code).toBe(0);
  expect(await query(one.url, "select 1 from pg_tables where tablename = 'left_over'")).toEqual([]);
  expect(await query(one.url, "select 1 from pg_tables where tablename = 'survey_player'")).toHaveLength(1);
});

test('resetdb does not wait for ever behind a transaction that somebody left open', async () => {
  const one = await instance();
  expect(one.run('resetdb').code).toBe(0);
  const client = new pg.Client({ connectionString: one.url });
  await client.connect();
  try {
    await client.query('begin; select * from survey_player');
    const { code, stderr } = one.run('resetdb');
    expect(code).toBe(69);
    const message = expect.stringContaining('lock timeout') as unknown;
    expect(marked(stderr, 'ARBORETUM-PROBLEM')).toMatchObject({ code: 'database', message });
  } finally {
    await client.end();
  }
});

test('an oTree that this panel cannot run is refused in one sentence', async () => {
  // oTree 3 keeps its version where 5 and 6 do; nothing else of it is looked at.
  const one = await instance({ files: { 'otree/__init__.py': "__version__ = '3.4.0'" } });
  const { code, stderr } = one.run('serve');
  expect(code).toBe(78);
  expect(stderr).toContain('oTree 3.4.0 is too old: this panel runs oTree 5.4 and newer.');
});

test.each([
  [
    'an import that is not installed',
    'survey/__init__.py',
    '\nimport numpyro\n',
    { code: 'module_missing', module: 'numpyro', file: 'survey/__init__.py', line: 2 },
  ],
  ['a syntax error', 'survey/__init__.py', 'from otree.api import *\ndef f(:\n', { code: 'syntax_error', file: 'survey/__init__.py', line: 2 }],
  [
    'an app that is not there',
    'survey',
    null,
    { code: 'otree_check', file: null, message: "Package 'survey' could not be found, or maybe __init__.py is missing" },
  ],
  ['no settings', 'settings.py', null, { code: 'settings_missing' }],
])('serve names %s', async (_, name, content, expected) => {
  const one = await instance({ files: { [name]: content } });
  const { code, stderr } = one.run('serve');
  expect(code).toBe(65);
  expect(marked(stderr, 'ARBORETUM-PROBLEM')).toMatchObject(expected);
});

test("serve repeats oTree's own sentence when a check fails", async () => {
  const text = readFileSync(`${import.meta.dirname}/../projects/lab-games/survey/__init__.py`, 'utf8');
  const app = text.replace("NAME_IN_URL = 'survey'", "NAME_IN_URL = 'bargain'");
  const { code, stderr } = (await instance({ files: { 'survey/__init__.py': app } })).run('serve');
  expect(code).toBe(65);
  const problem = marked(stderr, 'ARBORETUM-PROBLEM');
  expect(problem).toMatchObject({ code: 'otree_check', message: expect.stringContaining('already used by another app') as unknown });
});

test.each([
  ['that is not there', (url: string) => url.replace(/\/launcher_\w+/, '/nowhere_at_all')],
  ['whose URL cannot be read', () => 'foo'],
])('serve names a database %s, and never its password', async (_, change) => {
  const one = await instance();
  const databaseUrl = change(one.url);
  one.configure({ environment: { DATABASE_URL: databaseUrl, OTREE_PRODUCTION: '1', OTREE_AUTH_LEVEL: 'STUDY' } });
  const { code, stderr } = one.run('serve');
  expect(code).toBe(69);
  expect(marked(stderr, 'ARBORETUM-PROBLEM')).toMatchObject({ code: 'database' });
  const password = new RegExp(':([^:@/]+)@').exec(one.url)?.[1];
  expect(password ? marked(stderr, 'ARBORETUM-PROBLEM')['message'] : '').not.toContain(`:${password}@`);
});

test('an env.json without a password is refused: an empty one would let everybody in', async () => {
  const one = await instance({ config: { adminPassword: '' } });
  expect(one.run('serve')).toMatchObject({ code: 78, stderr: expect.stringContaining('env.json lacks adminPassword.') as unknown });
});

test('without a database URL nothing breaks: oTree uses its own file', async () => {
  const one = await instance();
  one.configure({ environment: { DATABASE_URL: '', OTREE_PRODUCTION: '', OTREE_AUTH_LEVEL: 'STUDY' } });
  expect(one.run('describe').code).toBe(0);
});

async function createSession(one: Instance, body: Record<string, unknown>): Promise<{ code: string }> {
  const { code } = await one.rest('/api/sessions', body);
  return { code: code ?? '' };
}

async function joinCode(url: string, code: string): Promise<string> {
  const rows = await query(url, `select _anonymous_code from otree_session where code = '${code}'`);
  return String(rows[0]?.['_anonymous_code']);
}

/** A participant opens the page with the three-second timeout and is never heard of again. */
async function openSurvey(one: Instance & { url: string }): Promise<void> {
  const { code } = await createSession(one, { session_config_name: 'survey', num_participants: 1 });
  let next = `/join/${await joinCode(one.url, code)}`;
  for (let hop = 0; hop < 5; hop++) {
    const answer = await one.request('GET', next);
    if (answer.status === 200) return;
    next = new URL(answer.headers.location ?? '', 'http://lab.example').pathname;
  }
  throw new Error('the survey page did not open');
}
