// A whole oTree below a path: every answer of an admin's and two participants' walk is looked through for addresses outside of it.

import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { launchVariables } from '../../platforms/dokku/launch.ts';
import { makeSpec } from '../contract/instances.ts';
import { heard, Visitor } from './below-path.ts';
import { type Answer, Instance, type InstanceOptions, marked, query, temporaryDatabase, until } from './instance.ts';
import { olderVersions, pythonWith } from './venv.ts';

vi.setConfig({ testTimeout: 180_000 });
const versions = ['6.0.15', '5.11.5', '5.10.4', ...olderVersions()] as const;
const prefix = '/otree/trust';
const labGames = 'tests/projects/lab-games';

async function instance(options: Partial<InstanceOptions> = {}): Promise<Instance & { url: string }> {
  const url = await temporaryDatabase();
  const config = { pathPrefix: prefix, ...options.config };
  return Object.assign(new Instance({ python: pythonWith('6.0.15'), project: labGames, databaseUrl: url, ...options, config }), { url });
}

const startLinks = (page: Answer): string[] => [...new Set([...page.body.matchAll(/\/otree\/trust\/InitializeParticipant\/\w+/g)].map(([link]) => link))];

/** oTree 6 puts an envelope around what a live page hears. */
const isSaid = (messages: readonly Record<string, unknown>[], type: string): boolean =>
  messages.some((message) => ((message['live_method_payload'] ?? message) as Record<string, unknown>)['type'] === type);

test.each(versions)('no answer to an admin leaves the path (oTree %s)', async (version) => {
  const one = await instance({ python: pythonWith(version) });
  await one.serve();
  const admin = new Visitor(one, prefix);
  expect((await admin.get('/sessions')).headers.location).toBe(`http://lab.example${prefix}/login`);
  expect(await admin.signIn('wrong')).toBe(false);
  expect(await admin.signIn('the-panels-password')).toBe(true);

  const making = await admin.socket(await admin.get('/create_session'), 'create_session');
  making.send({ session_config: 'bargain', num_participants: '2', room_name: '' });
  const made = await heard<string>(making.messages, 'session_url');
  const code = made.split('/').at(-1) ?? '';
  expect(startLinks(await admin.get(made))).toHaveLength(2);
  const inRoom = await one.rest('/api/sessions', { session_config_name: 'survey', num_participants: 1, room_name: 'lab' });
  expect(inRoom).toMatchObject({
    admin_url: `http://lab.example${prefix}/SessionStartLinks/${inRoom['code']}`,
    room_url: `http://lab.example${prefix}/room/lab`,
  });

  const pages = ['', 'demo', 'demo/survey', 'rooms', 'sessions', 'sessions?archive=1', 'room_without_session/online', 'room_with_session/lab', 'server_check'];
  const ofSession = ['SessionMonitor', 'SessionData', 'SessionPayments', 'SessionDescription', 'SessionEditProperties', 'SessionSplitScreen'];
  const exports = version === '6.0.15' ? ['ExportIndex', 'ExportWide', 'ExportPageTimes'] : ['export', 'ExportPageTimes'];
  for (const page of [...pages, ...ofSession.map((name) => `${name}/${code}`), ...exports])
    expect(`${page} ${(await admin.open(`/${page}`)).status}`).toBe(`${page} 200`);
  const monitor = await admin.socket(await admin.get(`/SessionMonitor/${code}`), 'session_monitor');
  await until('the monitor shows something', () => monitor.messages.length);
  const data = await admin.socket(await admin.get(version === '6.0.15' ? '/ExportIndex' : '/export'), 'export');
  expect(data.messages).toEqual([]);
  const deleting = await admin.socket(await admin.get('/sessions'), 'delete_sessions');
  deleting.send([code]);
  await until('the session is gone', async () => (await query(one.url, `select 1 from otree_session where code = '${code}'`)).length === 0);
  expect((await admin.get('/logout')).headers.location).toBe(`http://lab.example${prefix}/login`);
  expect(admin.leaks).toEqual([]);
});

test.each(versions)('two participants play from the room to the last page (oTree %s)', async (version) => {
  const one = await instance({ python: pythonWith(version) });
  await one.serve();
  const [ada, bob] = [new Visitor(one, prefix), new Visitor(one, prefix)];
  // oTree 6 greets everybody first.
  if (version === '6.0.15') expect((await ada.get('/room/online')).status).toBe(200);
  const waiting = await ada.socket(await ada.get('/room/online?welcome_page_ok=1'), 'wait_for_session_in_room');
  const { code } = await one.rest('/api/sessions', { session_config_name: 'bargain', num_participants: 2, room_name: 'online' });
  await heard(waiting.messages, 'status');

  const pair = await ada.open('/room/online?welcome_page_ok=1');
  expect(pair.path).toMatch(/^\/otree\/trust\/p\/\w+\/bargain\/Pair\/1$/);
  const partner = await ada.socket(pair, 'wait_page');
  const seats = [await bob.open('/room/online?welcome_page_ok=1')];
  await heard(partner.messages, 'status');
  seats.unshift(await ada.open(pair.path));
  for (let round = 1; round <= 2; round++) {
    const live = [await ada.socket(seats[0]!, 'live'), await bob.socket(seats[1]!, 'live')];
    const chat = [await ada.socket(seats[0]!, 'chat'), await bob.socket(seats[1]!, 'chat')];
    chat[0]!.send({ nickname_signed: /"nickname_signed": "([^"]+)"/.exec(seats[0]!.body)?.[1], body: 'half and half?' });
    await until('the other reads it', () => JSON.stringify(chat[1]!.messages).includes('half and half?'));
    live[0]!.send({ type: 'offer', share: '40' });
    await until('the other hears of the offer', () => isSaid(live[1]!.messages, 'offer'));
    live[1]!.send({ type: 'accept' });
    await until('both agree', () => isSaid(live[0]!.messages, 'agreed'));
    for (const step of ['Bargain', 'Outcome']) {
      for (const [seat, person] of [ada, bob].entries()) {
        expect(seats[seat]?.path).toContain(`/bargain/${step}/`);
        expect((await person.post(seats[seat]!.path, {})).status).toBe(302);
      }
      for (const [seat, person] of [ada, bob].entries()) seats[seat] = await person.open(seats[seat]!.path);
    }
  }
  for (const [seat, person] of [ada, bob].entries()) {
    const thanks = (await person.post(seats[seat]!.path, { age: '30', mood: 'good' })).headers.location ?? '';
    expect(thanks).toMatch(/^\/otree\/trust\/p\/\w+\/survey\/Thanks\/\d+$/);
    await person.post(thanks, {});
    expect((await person.open(thanks)).path).toMatch(/^\/otree\/trust\/OutOfRangeNotification\/\w+$/);
  }
  expect(await query(one.url, `select 1 from otree_session where code = '${code}'`)).toHaveLength(1);
  expect([...ada.leaks, ...bob.leaks]).toEqual([]);
});

// Of the older ones the oldest will do: the worker is the same in both.
test.each(versions.filter((version) => version !== '5.9.6'))('a participant who left is moved on (oTree %s)', async (version) => {
  const one = await instance({ python: pythonWith(version) });
  await one.serve();
  await until('the worker works', () => readFileSync(one.log, 'utf8').includes('timeoutworker is listening'));
  const left = new Visitor(one, prefix);
  await one.rest('/api/sessions', { session_config_name: 'survey', num_participants: 1, room_name: 'online' });
  expect((await left.open('/room/online?welcome_page_ok=1')).body).toContain('How old are you?');
  await until('the page timed out', async () => (await query(one.url, 'select 1 from survey_player where ran_out')).length === 1);
});

test('the panel and the timeout worker ask without the prefix, and what they hear lies below it', async () => {
  const one = await instance();
  await one.serve();
  expect((await one.request('GET', '/login')).status).toBe(200);
  const key = { 'otree-rest-key': 'rest-key', host: 'lab.example' };
  expect((await one.request('GET', '/api/rooms', { headers: key })).body).toContain(`http://lab.example${prefix}/room/lab`);
  expect((await one.request('GET', prefix)).headers.location).toBe(`${prefix}/demo`);
  expect((await one.request('GET', '/otree/trusty/login')).status).toBe(404);
  expect(await one.signIn('the-panels-password')).toMatch(/^otree_k3v9=/);
});

test('a container is told of its path by its environment, and of none when it has none', () => {
  const told = (pathPrefix: string): unknown =>
    JSON.parse(Buffer.from(launchVariables(makeSpec({ pathPrefix }))['ARBORETUM_LAUNCH'] ?? '', 'base64').toString());
  expect(told(prefix)).toMatchObject({ pathPrefix: prefix });
  expect(told('')).not.toHaveProperty('pathPrefix');
});

test('without a prefix nothing is touched', async () => {
  const one = await instance({ config: { pathPrefix: '' } });
  await one.serve();
  const page = await one.request('GET', '/login');
  expect(page.body).not.toContain('arboretumPrefix');
  expect(page.headers['set-cookie']?.[0]).toContain('path=/;');
});

const before = `<!doctype html>
<html><head data-x="a>b"><link href="/static/a.css"><meta http-equiv="refresh" content="5; url=/demo"><style>@import "/static/b.css"; p { background: url('/static/c.png') }</style></head>
<body style="background:url(/static/d.png)" onload="location.href='/p/x'"><!-- <img src="/static/comment.png"> -->
<img src=/static/e.png srcset="/static/f.png 1x, https://cdn.example/static/g.png 2x"><object data='/static/h.svg'></object><p data="/static/text">/static/in/a/sentence</p>
<a href="//cdn.example/static/i">other host</a><a href="https://cdn.example/static/j">other host</a><a href="${prefix}/static/k">there already</a><a href="#l">here</a>
<form action="/login"><button formaction="/logout"></button></form><svg><image xlink:href="/static/m.svg"/></svg>
<script>const a = '/static/n.png', b = "/staticky", c = cdn + '/static/o.png', d = 'ws://' + location.host + '/live?x=1', e = \`ws://\${location.host}/chat\`, f = "<img src=\\"/static/p.png\\">", g = '</p>';</script>
</body></html>
`;
const after = `<!doctype html>
<html><head data-x="a>b"><link href="/otree/trust/static/a.css"><meta http-equiv="refresh" content="5; url=/otree/trust/demo"><style>@import "/otree/trust/static/b.css"; p { background: url('/otree/trust/static/c.png') }</style></head>
<body style="background:url(/otree/trust/static/d.png)" onload="location.href='/otree/trust/p/x'"><!-- <img src="/static/comment.png"> -->
<img src=/otree/trust/static/e.png srcset="/otree/trust/static/f.png 1x, https://cdn.example/static/g.png 2x"><object data='/otree/trust/static/h.svg'></object><p data="/static/text">/static/in/a/sentence</p>
<a href="//cdn.example/static/i">other host</a><a href="https://cdn.example/static/j">other host</a><a href="${prefix}/static/k">there already</a><a href="#l">here</a>
<form action="/otree/trust/login"><button formaction="/otree/trust/logout"></button></form><svg><image xlink:href="/otree/trust/static/m.svg"/></svg>
<script>const a = '/otree/trust/static/n.png', b = "/staticky", c = cdn + '/static/o.png', d = 'ws://' + location.host + '/otree/trust/live?x=1', e = \`ws://\${location.host}/otree/trust/chat\`, f = "<img src=\\"/otree/trust/static/p.png\\">", g = '</p>';</script>
</body></html>
`;

test('HTML has its addresses put right, and everything else passes as it is', async () => {
  const large = Buffer.alloc(3_000_000, 'src="/static/x" ');
  const one = await instance({
    files: { '_static/page.html': before, '_static/part.html': '  <p>a part</p>', '_static/page.js': before, '_static/large.csv': large },
  });
  await one.serve();
  const page = await one.request('GET', `${prefix}/static/page.html`);
  expect(page.body.replace(/(<head data-x="a>b">)<script>[^]*?<\/script>/, '$1')).toBe(after);
  expect(page.body).toContain('<head data-x="a>b"><script>(function (prefix');
  expect(page.headers['content-length']).toBe(String(Buffer.byteLength(page.body)));
  expect((await one.request('GET', `${prefix}/static/part.html`)).body).toMatch(/^ {2}<script>.*<\/script><p>a part<\/p>$/s);
  expect((await one.request('HEAD', `${prefix}/static/page.html`)).status).toBe(200);
  const again = await one.request('GET', `${prefix}/static/page.html`, { headers: { 'if-none-match': String(page.headers['etag']) } });
  expect(again).toMatchObject({ status: 304, body: '' });
  expect((await one.request('GET', `${prefix}/static/page.js`)).body).toBe(before);
  const csv = await one.request('GET', `${prefix}/static/large.csv`);
  expect(csv.headers['content-length']).toBe(String(large.length));
  expect(csv.body).toBe(large.toString());
});

test('a stray quote or an element without an end hides no address that a browser would see', async () => {
  const stray = `<!doctype html><p title=it's><img src="/static/a.png"></p><p "><a href="/demo">b</a><!-- open${`<a x='`.repeat(20_000)}`;
  const one = await instance({ files: { '_static/stray.html': stray } });
  await one.serve();
  const { body } = await one.request('GET', `${prefix}/static/stray.html`);
  for (const address of ['src="/otree/trust/static/a.png"', 'href="/otree/trust/demo"']) expect(body).toContain(address);
  expect(body.endsWith(`<a x='`.repeat(20_000))).toBe(true);
});

const changed = (lines: string): Record<string, string> => ({
  'survey/__init__.py': `${readFileSync(`${import.meta.dirname}/../projects/lab-games/survey/__init__.py`, 'utf8')}\n${lines}\n`,
});

test.each([
  ['start links are made elsewhere', 'import otree.common\ndel otree.common.participant_start_url'],
  ['websockets are named otherwise', 'import otree.channels.utils as c\nfor n in [n for n in vars(c) if n.endswith("_path")]: delattr(c, n)'],
  ['the order of pages is kept otherwise', 'from otree.views.abstract import FormPageOrInGameWaitPage as P\nasync def other(self): pass\nP.dispatch = other'],
  [
    'pages have other addresses than routes',
    "from otree.views.abstract import FormPageOrInGameWaitPage as P\nP.get_url = classmethod(lambda cls, participant_code, name_in_url, page_index: '/q')",
  ],
  [
    'a page names its own host',
    'from otree.views.admin import Login\nfrom starlette.responses import HTMLResponse\nLogin.get = lambda self, request: HTMLResponse(\'<a href=//x/>.</a><a href="http://otree.invalid/rooms">.</a>\')',
  ],
])('an oTree where %s does not start below a path, and says so', async (_, lines) => {
  const one = await instance({ files: changed(lines) });
  const { code, stderr } = one.run('serve');
  expect(code).toBe(65);
  expect(marked(stderr, 'ARBORETUM-PROBLEM')).toMatchObject({ code: 'path_not_supported', message: 'This oTree version (6.0.15) cannot live under a path.' });
  expect(stderr).toContain('this oTree cannot live under a path: ');
});
