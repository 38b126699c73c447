// Instances by path behind one server, and former addresses that lead to the present one, with a real nginx.

import { readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { FrontDoorRoute, RouteAddress } from '../../platforms/front-door.ts';
import { pathsFileOf, siteFileOf } from '../../platforms/nginx-settings.ts';
import { ask, makeStand, never, openSocket, seenBy, until, type Answer, type Stand } from './nginx-stand.ts';
import { freePort } from '../free-ports.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const host = 'otree.test';
let stand: Stand;

const named = (hostName: string): RouteAddress => ({ mode: 'name', hostName, certificate: null });
const onPort = (port: number): RouteAddress => ({ mode: 'port', port, certificate: null });
const below = (prefix: string): RouteAddress => ({ mode: 'path', prefix });
const byPath = (id: string, more: Partial<FrontDoorRoute> = {}): FrontDoorRoute =>
  stand.route(id, { address: below(`/otree/${id}`), url: `http://${host}/otree/${id}`, ...more });
const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => stand.ask(host, { path, headers });
const led = ({ status, headers }: Answer) => [status, headers.location];

/** The first line and headers that come back for bytes that no client library would send. */
function raw(target: string, name = host): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(stand.port, '127.0.0.1');
    let text = '';
    socket
      .setEncoding('latin1')
      .on('data', (chunk: string) => (text += chunk))
      .on('end', () => resolve(text.split('\r\n\r\n')[0] ?? ''))
      .on('error', reject);
    socket.write(`GET ${target} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
  });
}
/** Where a browser ends that follows. */
const hostOfLocation = (head: string, from = `http://${host}`): string | null => {
  const location = /\r\nlocation: (.*)/i.exec(head)?.[1];
  return location === undefined ? null : new URL(location, from).host;
};
const oddTargets = [
  '//evil.example/',
  '///evil.example',
  String.raw`/\evil.example`,
  String.raw`\\evil.example`,
  '/%2f%2fevil.example',
  '/%5cevil.example',
  '/%0d%0aLocation:%20http://evil.example',
  'http://evil.example/x',
  'http://evil.example?x',
  'http://x@evil.example/@evil.example',
  '/@evil.example',
  '.evil.example',
  '@evil.example',
  '/otree/old/..//evil.example',
  '/otree/old//evil.example',
  '/otree/old?//evil.example',
  '/otree/old@evil.example',
  '/otree/x/../old//evil.example',
  '//otree//old//evil.example',
];

beforeAll(async () => {
  stand = await makeStand({ paths: { url: `http://${host}/otree`, port: null } });
  for (const name of ['one', 'two', 'panel']) await stand.upstream(name);
  await stand.door.apply(
    [
      byPath('one'),
      byPath('two'),
      byPath('asleep', { upstreamSocket: null, fallback: 'stopped' }),
      byPath('new', { upstreamSocket: null, fallback: 'waiting' }),
    ],
    never,
  );
});
afterAll(() => stand?.clear());

describe('one server for all paths', () => {
  test('each instance gets what is below its own path, whole and as it was sent', async () => {
    for (const path of ['/otree/one/', '/otree/one/p/abc/Welcome/1?x=%2F%20&y=1', '/otree/one/static/a%20b.css', '/otree/one//double']) {
      expect(seenBy(await get(path))).toMatchObject({ name: 'one', url: path });
    }
    expect(seenBy(await get('/otree/two/InitializeParticipant/x')).name).toBe('two');
  });

  test('without the slash at the end one is led to it, query kept', async () => {
    expect(led(await get('/otree/one'))).toEqual([307, '/otree/one/']);
    expect(led(await get('/otree/one?a=1'))).toEqual([307, '/otree/one/?a=1']);
  });

  test.each([
    ['/otree/asleep/x', 503, 'This experiment is stopped'],
    ['/otree/new/', 503, 'No experiment here yet'],
    ['/otree/nobody/', 404, 'There is no experiment at this address'],
    ['/otree/onex/', 404, 'There is no experiment at this address'],
    ['/otree/', 404, 'There is no experiment at this address'],
    ['/otree', 404, 'There is no experiment at this address'],
    ['/', 404, 'There is no experiment at this address'],
    ['/api/v1/me', 404, 'There is no experiment at this address'],
  ])('%s: %i, %s', async (path, status, sentence) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(sentence);
  });

  test('an instance whose oTree is down shows its own page, the neighbour goes on', async () => {
    const third = await stand.upstream('third');
    await stand.door.applyOne('third', byPath('third'), never);
    expect(seenBy(await get('/otree/third/')).name).toBe('third');
    await third.stop();
    const answer = await get('/otree/third/');
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
    expect(answer.body).toContain('One moment…');
    expect(seenBy(await get('/otree/one/')).name).toBe('one');
    await stand.door.applyOne('third', null, never);
    expect((await get('/otree/third/')).status).toBe(404);
  });

  test('the panel has another address: its own host name shows no path, the paths’ shows no panel', async () => {
    expect(seenBy(await stand.ask('lab.test', { path: '/otree/one/' })).name).toBe('panel');
    expect((await get('/healthz')).status).toBe(404);
  });

  test('the panel says below it who it is, as at its own address, and nothing else', async () => {
    const seen = seenBy(await get('/otree/healthz', { cookie: 'arboretum=secret' }));
    expect([seen.name, seen.url, 'cookie' in seen.headers]).toEqual(['panel', '/healthz', false]);
    expect((await get('/otree/healthz/')).status).toBe(404);
    expect((await get('/otree/readyz')).status).toBe(404);
  });

  test('a websocket passes and outlives the coming and going of neighbours', async () => {
    const socket = await openSocket(stand.port, host, '/otree/one/live');
    await stand.door.applyOne('third', byPath('third', { upstreamSocket: null }), never);
    await stand.door.applyOne('third', null, never);
    const count = socket.ticks().length;
    await until('it goes on', () => socket.ticks().length > count + 10);
    expect(socket.state.isClosed).toBe(false);
    socket.close();
  });

  test('cookies: one’s own pass, the neighbour’s and the panel’s do not, in either direction', async () => {
    const cookie = 'otree_one=1; otree_two=2; arboretum=s; __Host-arboretum=t; theme=dark';
    expect(seenBy(await get('/otree/one/', { Cookie: cookie })).headers.cookie).toBe('otree_one=1; theme=dark');
    expect(seenBy(await get('/otree/two/', { Cookie: cookie })).headers.cookie).toBe('otree_two=2; theme=dark');
    const set = (await get('/otree/one/', { 'x-set': '__Host-arboretum=evil; Path=/; Secure||otree_one=1; Path=/otree/one/' })).headers['set-cookie'] ?? [];
    expect(set.map((line) => /secure/i.test(line))).toEqual([false, false]);
  });

  test('each has its own limit for bodies', async () => {
    await stand.door.applyOne('two', byPath('two', { maxBodyMib: 2 }), never);
    const body = 'x'.repeat(1_500_000);
    const post = (id: string) => stand.ask(host, { path: `/otree/${id}/upload`, method: 'POST', body }).catch(() => ({ status: 413 }));
    expect([(await post('one')).status, (await post('two')).status]).toEqual([413, 200]);
  });
});

describe('a request outside of every path', () => {
  const from = (referer: string) => ({ Referer: referer });
  test('goes to the instance of the page that asked, method and query kept', async () => {
    for (const referer of [`http://${host}/otree/one/p/abc`, `http://${host}:8080/otree/one/`, `https://${host}/otree/one?x=1`, `http://${host}/otree/one`])
      expect(led(await get('/static/img/a%20b.png?v=2', from(referer)))).toEqual([307, '/otree/one/static/img/a%20b.png?v=2']);
    expect(led(await stand.ask(host, { path: '/save', method: 'POST', body: 'a=1', headers: from(`http://${host}/otree/two/x`) }))).toEqual([
      307,
      '/otree/two/save',
    ]);
  });

  test.each([
    ['another site’s page', `http://evil.example/otree/one/`],
    ['a host that ends alike', `http://xotree.test/otree/one/`],
    ['a page without instance', `http://${host}/otree/`],
    ['a page outside', `http://${host}/x/otree/one/`],
    ['a name that is none', `http://${host}/otree/..%2f/`],
    ['a name in capitals', `http://${host}/otree/ONE/`],
    ['nothing', ''],
  ])('stays nobody’s when it came from %s', async (_, referer) => {
    expect((await get('/static/a.png', from(referer))).status).toBe(404);
  });

  test('what has the prefix is never led on: no circle', async () => {
    expect((await get('/otree/gone/static/a.png', from(`http://${host}/otree/gone/`))).status).toBe(404);
  });

  test('never leads to another host, however it is written', async () => {
    for (const target of oddTargets) {
      const head = await raw(`${target} HTTP/1.1\r\nReferer: http://${host}/otree/one/\r\nX-Rest:`);
      expect([target, hostOfLocation(head) ?? host]).toEqual([target, host]);
    }
  });
});

describe('a listener of its own', () => {
  test('answers to every name there, and the plain port knows no path', async () => {
    const port = await freePort();
    const other = await makeStand({ paths: { url: `http://lab.test:${port}/lab/experiments`, port } });
    await other.upstream('panel');
    await other.upstream('one');
    await other.door.apply([other.route('one', { address: below('/lab/experiments/one'), url: `http://lab.test:${port}/lab/experiments/one` })], never);
    for (const name of ['lab.test', 'x', '127.0.0.1']) expect(seenBy(await ask({ port, host: name, path: '/lab/experiments/one/' })).name).toBe('one');
    expect(seenBy(await other.ask('lab.test', { path: '/lab/experiments/one/' })).name).toBe('panel');
    expect((await ask({ port, host: 'lab.test', path: '/api/v1/me' })).status).toBe(404);
    const { refused } = await other.door.apply([other.route('thief', { address: onPort(port) })], never);
    expect(refused).toEqual([{ instanceId: 'thief', reason: 'this address is the one that all paths share.' }]);
    await other.clear();
  });
});

describe('refusals', () => {
  test('a path of somebody else’s, below nothing of ours, or the host of all paths: named, the others live', async () => {
    const routes = [
      byPath('one'),
      stand.route('thief', { address: below('/otree/one') }),
      stand.route('far', { address: below('/elsewhere/far') }),
      stand.route('deep', { address: below('/otree/one/deep') }),
      stand.route('odd', { address: below('/otree/x; } location / { return 200') }),
      stand.route('host', { address: named(host) }),
    ];
    const { refused } = await stand.door.apply(routes, never);
    expect(refused.map(({ instanceId }) => instanceId)).toEqual(['thief', 'far', 'deep', 'odd', 'host']);
    expect(refused[0]?.reason).toBe('instance one has this address (/otree/one) already.');
    expect(seenBy(await get('/otree/one/')).name).toBe('one');
  });

  test('a broken file among the paths is found by its name; the others come up', async () => {
    await stand.door.apply([byPath('one'), byPath('two')], never);
    await stand.door.stop(never);
    await writeFile(pathsFileOf(stand.layout, 'broken'), 'location nonsense');
    const next = stand.newDoor();
    await next.start();
    expect(seenBy(await get('/otree/two/')).name).toBe('two');
    expect(await next.check()).toMatchObject({ state: 'drifted', reason: expect.stringContaining('Instance broken is not reachable') });
    await next.apply([byPath('one'), byPath('two')], never);
    expect(await next.check()).toEqual({ state: 'ok' });
    await stand.door.apply([byPath('one'), byPath('two')], never);
  });

  test('a lost or changed file of a path is seen and written anew', async () => {
    const file = pathsFileOf(stand.layout, 'one');
    const before = await readFile(file, 'utf8');
    for (const harm of [() => rm(file), () => writeFile(file, '# not ours\n')]) {
      await harm();
      expect(await stand.door.check()).toEqual({ state: 'drifted', reason: `${file} is not as it was written.` });
      await stand.door.repair(never);
      expect(await readFile(file, 'utf8')).toBe(before);
      expect(await stand.door.check()).toEqual({ state: 'ok' });
    }
  });
});

describe('former addresses', () => {
  let port: number;
  const url = `http://${host}/otree/new`;
  const newOne = (): FrontDoorRoute =>
    byPath('new', {
      upstreamSocket: stand.layout.instanceSocket('one'),
      redirects: [named('old.lab.test'), onPort(port), below('/otree/old'), below('/gone/old')],
    });
  beforeAll(async () => {
    port = await freePort();
    await stand.door.apply([newOne(), byPath('one')], never);
  });

  test('of each kind lead to the present one, path and query kept, with 307 for forms too', async () => {
    expect(led(await stand.ask('old.lab.test', { path: '/p/abc?x=1&y=%20' }))).toEqual([307, `${url}/p/abc?x=1&y=%20`]);
    expect(led(await ask({ port, host: 'lab.test', path: '/room/x', method: 'POST', body: 'a=1' }))).toEqual([307, `${url}/room/x`]);
    expect(led(await get('/otree/old/p/abc?x=1'))).toEqual([307, `${url}/p/abc?x=1`]);
    expect(led(await get('/otree/old'))).toEqual([307, `${url}/`]);
    expect(led(await get('/otree/old?x=1'))).toEqual([307, `${url}/?x=1`]);
    expect(led(await get('/otree/old/'))).toEqual([307, `${url}/`]);
    expect((await get('/otree/old/')).headers['cache-control']).toBe('no-store');
    expect(seenBy(await get('/otree/new/')).name).toBe('one');
    expect(await stand.door.check()).toEqual({ state: 'ok' });
  });

  test('a path leads to a name or a port as well', async () => {
    await stand.door.applyOne(
      'new',
      stand.route('new', { address: named('new.lab.test'), url: 'http://new.lab.test:8080', redirects: [below('/otree/old')] }),
      never,
    );
    expect(led(await get('/otree/old/p/abc?x=1'))).toEqual([307, 'http://new.lab.test:8080/p/abc?x=1']);
    for (const target of oddTargets) {
      const head = await raw(target);
      expect([target, ['new.lab.test:8080', null].includes(hostOfLocation(head))]).toEqual([target, true]);
    }
    await stand.door.applyOne('new', newOne(), never);
  });

  test('never lead to another host, however the request is written', async () => {
    await stand.door.applyOne('x', stand.route('x', { address: named('x.lab.test'), url: 'http://x.lab.test', redirects: [named('was.lab.test')] }), never);
    for (const target of oddTargets) {
      const head = await raw(target, 'was.lab.test');
      expect([target, [host, 'x.lab.test', null].includes(hostOfLocation(head))]).toEqual([target, true]);
      expect(head.match(/^location:/gim)?.length ?? 0).toBeLessThan(2);
    }
    await stand.door.applyOne('x', null, never);
  });

  test('are nobody else’s while they lead there, and free again afterwards', async () => {
    for (const address of [named('old.lab.test'), onPort(port), below('/otree/old')]) {
      await expect(stand.door.applyOne('other', stand.route('other', { address }), never)).rejects.toThrow('instance new has this address');
    }
    await stand.door.applyOne('new', byPath('new'), never);
    await stand.door.applyOne('other', stand.route('other', { address: onPort(port), upstreamSocket: stand.layout.instanceSocket('two') }), never);
    expect(seenBy(await ask({ port, host: 'x' })).name).toBe('two');
    await stand.door.applyOne('other', null, never);
    await stand.door.applyOne('new', newOne(), never);
  });

  test('one that cannot be had leaves the instance and its other former addresses alone', async () => {
    const busy = await freePort();
    const other = net.createServer().listen(busy, '0.0.0.0');
    await new Promise((resolve) => other.once('listening', resolve));
    const redirects = [named('bad name;'), onPort(busy), named('old.lab.test'), named(host)];
    await stand.door.applyOne('new', byPath('new', { upstreamSocket: stand.layout.instanceSocket('one'), redirects }), never);
    expect(seenBy(await get('/otree/new/')).name).toBe('one');
    expect(led(await stand.ask('old.lab.test', { path: '/x' }))).toEqual([307, `${url}/x`]);
    expect(await stand.door.check()).toMatchObject({ state: 'drifted', reason: expect.stringContaining('A former address of instance new does not lead on') });
    const { refused } = await stand.door.apply([byPath('new', { redirects: [onPort(busy)] })], never);
    expect(refused).toEqual([{ instanceId: 'new', reason: `port ${busy} is in use by another program.` }]);
    await new Promise((resolve) => other.close(resolve));
  });

  test('a move that is refused leaves everything as it was, the former addresses too', async () => {
    await stand.door.apply([newOne(), byPath('one')], never);
    const before = await readFile(siteFileOf(stand.layout, 'new.1'), 'utf8');
    const busy = await freePort();
    const other = net.createServer().listen(busy, '0.0.0.0');
    await new Promise((resolve) => other.once('listening', resolve));
    const move = stand.route('new', { address: onPort(busy), url: `http://lab.test:${busy}`, redirects: [below('/otree/new'), named('old.lab.test')] });
    await expect(stand.door.applyOne('new', move, never)).rejects.toThrow(`port ${busy} is in use`);
    expect(seenBy(await get('/otree/new/')).name).toBe('one');
    expect(led(await stand.ask('old.lab.test'))).toEqual([307, `${url}/`]);
    expect(await readFile(siteFileOf(stand.layout, 'new.1'), 'utf8')).toBe(before);
    expect(await stand.door.check()).toEqual({ state: 'ok' });
    await new Promise((resolve) => other.close(resolve));
  });
});
