// The front door with a real nginx, seen by visitors: pages, panel, cookies, bodies, unknown names.

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NginxProcess } from '../../platforms/nginx-process.ts';
import { ask, makeStand, never, openSocket, seenBy, until } from './nginx-stand.ts';
import { freePort } from '../free-ports.ts';
import type { Stand, Upstream } from './nginx-stand.ts';

let stand: Stand;
let one: Upstream;
let portOfFour: number;

beforeAll(async () => {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore', env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin' } });
  } catch {
    throw new Error('These tests need nginx: apt-get install -y nginx');
  }
  stand = await makeStand();
  portOfFour = await freePort();
  one = await stand.upstream('one');
  await stand.door.apply(
    [
      stand.route('one'),
      stand.route('two', { upstreamSocket: null, fallback: 'waiting' }),
      stand.route('three', { upstreamSocket: null, fallback: 'stopped' }),
      stand.route('four', { address: { mode: 'port', port: portOfFour, certificate: null } }),
    ],
    never,
  );
});
afterAll(() => stand?.clear());

/** What the worker has taken of the processor so far; a busy machine takes nothing from that. */
async function processorMs(): Promise<number> {
  const { pid = 0 } = (await new NginxProcess(stand.layout, 'nginx').ask()) ?? {};
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // After the name in parentheses: utime and stime, fields 14 and 15 of proc(5), in hundredths of a second.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const cookiesAt = async (host: string, cookie: string | string[]): Promise<string | undefined> =>
  seenBy(await stand.ask(host, { headers: { Cookie: cookie } })).headers.cookie;

describe('stand-in pages', () => {
  test.each([
    ['two', 'No experiment here yet'],
    ['three', 'This experiment is stopped'],
    ['one-of-no-upstream', ''],
  ])('%s says what is the matter', async (name, title) => {
    const answer = await stand.ask(`${name}.lab.test`);
    expect(answer.status).toBe(title === '' ? 404 : 503);
    expect(answer.body).toContain(title || 'There is no experiment at this address');
  });

  test('an upstream that is down: one moment, for pages, assets, HEAD and POST alike', async () => {
    for (const question of [{}, { path: '/static/x.css' }, { method: 'HEAD' }, { method: 'POST', body: 'a=1' }]) {
      const answer = await ask({ port: portOfFour, host: 'lab.test', ...question });
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toBe('5');
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.body.includes('One moment…')).toBe(question.method !== 'HEAD');
    }
  });

  test('it comes back by itself, also after a form was sent', async () => {
    const { body } = await ask({ port: portOfFour, host: 'x' });
    expect(body).toMatch(/http-equiv="refresh" content="5"/);
    // With its origin: `//evil.example` alone would be another host.
    expect(body).toContain('location.replace(location.origin + location.pathname');
    expect(body).toContain('prefers-color-scheme: dark');
  });

  test('the pages have no address of their own', async () => {
    expect((await ask({ port: portOfFour, host: 'x', path: '/.arboretum/moment.html' })).status).toBe(404);
  });

  test('oTree’s own 503 passes as it is', async () => {
    const answer = await stand.ask('one.lab.test', { path: '/busy' });
    expect(answer.status).toBe(503);
    expect(seenBy(answer).url).toBe('/busy');
  });

  test('an instance that comes up is there without a reload', async () => {
    const four = await stand.upstream('four');
    expect(seenBy(await ask({ port: portOfFour, host: 'lab.test' })).name).toBe('four');
    await four.stop();
    expect((await ask({ port: portOfFour, host: 'lab.test' })).status).toBe(503);
  });
});

describe('names', () => {
  test('an unknown name below the panel’s host finds no panel', async () => {
    const panel = await stand.upstream('panel');
    for (const host of ['nobody.lab.test', 'NOBODY.LAB.TEST:8080', 'a.b.lab.test', 'xone.lab.test', 'nobody.lab.test.']) {
      const answer = await stand.ask(host);
      expect([host, answer.status]).toEqual([host, 404]);
      expect(answer.body).toContain('There is no experiment at this address');
    }
    for (const host of ['lab.test', '127.0.0.1', 'xlab.test']) expect(seenBy(await stand.ask(host)).name).toBe('panel');
    await panel.stop();
  });

  test('on IPv6 as well, where the machine has it', async () => {
    const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));
    const name = await stand.ask('one.lab.test', { address: '::1' }).then(
      (answer) => seenBy(answer).name,
      () => 'nobody',
    );
    expect(name).toBe(hasIpv6 ? 'one' : 'nobody');
  });
});

describe('the panel', () => {
  test('away: a page for people, a problem for programs', async () => {
    const page = await stand.ask('lab.test', { path: '/instances' });
    expect([page.status, page.headers['retry-after']]).toEqual([503, '5']);
    expect(page.body).toContain('One moment…');
    for (const path of ['/api/v1/me', '/socket.io/?EIO=4']) {
      const answer = await stand.ask('lab.test', { path, method: 'POST' });
      expect([answer.status, answer.headers['content-type']]).toEqual([503, 'application/problem+json']);
      expect(JSON.parse(answer.body)).toMatchObject({ status: 503, code: 'service_unavailable', requestId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    }
  });

  test('hears the truth about the visitor and none of the instances’ cookies', async () => {
    const panel = await stand.upstream('panel');
    const host = `lab.test:${stand.port}`;
    const cookie = 'otree_one=1; arboretum=s; theme=dark;otree_two=2; __Host-arboretum=t; otreex=3';
    const { headers } = seenBy(
      await stand.ask(host, {
        path: '/api/v1/me',
        headers: { Cookie: cookie, 'X-Forwarded-For': '6.6.6.6', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'evil', Forwarded: 'for=6.6.6.6' },
      }),
    );
    expect(headers).toMatchObject({
      host,
      'x-forwarded-host': host,
      'x-forwarded-for': '127.0.0.1',
      'x-real-ip': '127.0.0.1',
      'x-forwarded-proto': 'http',
      connection: 'close',
    });
    expect(headers.forwarded).toBeUndefined();
    expect(headers.cookie).toBe('arboretum=s; theme=dark; __Host-arboretum=t; otreex=3');
    const socket = await openSocket(stand.port, host, '/socket.io/?transport=websocket');
    socket.say('hello');
    await until('the panel hears', () => socket.state.text.includes('heard hello'));
    socket.close();
    await panel.stop();
  });

  test('behind a proxy that was named that proxy is believed, its last address only', async () => {
    const other = await makeStand({ trustedProxies: ['127.0.0.1', '::1'] });
    await other.upstream('one');
    await other.door.apply([other.route('one')], never);
    const given = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '6.6.6.6, 192.0.2.7' };
    expect(seenBy(await other.ask('one.lab.test', { headers: given })).headers).toMatchObject({ 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.7' });
    expect(seenBy(await other.ask('one.lab.test', { headers: { 'X-Forwarded-Proto': 'gopher', 'X-Forwarded-For': '"x' } })).headers).toMatchObject({
      'x-forwarded-proto': 'http',
      'x-forwarded-for': '127.0.0.1',
    });
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
    // From another address nobody is believed; a machine without one can only show the proxy's case again.
    const outsider = seenBy(await other.ask('one.lab.test', { address: outside ?? '127.0.0.1', headers: given })).headers;
    expect(outsider).toMatchObject(outside === undefined ? { 'x-forwarded-for': '192.0.2.7' } : { 'x-forwarded-proto': 'http', 'x-forwarded-for': outside });
    await other.clear();
  });
});

describe('cookies to an instance', () => {
  const many = Array.from({ length: 40 }, (_, index) => `k${index}=v; otree_n${index}=w`).join('; ');
  test.each([
    ['its own and what experiments set', 'a=1; otree_one=own; b=2', 'a=1; otree_one=own; b=2'],
    ['not the panel’s', 'arboretum=secret; a=1; __Host-arboretum=secret', 'a=1'],
    ['not a neighbour’s', 'otree_two=x; otree_one=own; otree_onex=x; otree_on=x; otree_=x', 'otree_one=own'],
    [
      'names that only start or end like ours',
      'arboretum2=a; my-arboretum=b; xotree_two=c; __Host-arboretumx=d',
      'arboretum2=a; my-arboretum=b; xotree_two=c; __Host-arboretumx=d',
    ],
    ['odd spacing', 'a=1;arboretum=secret;  otree_two =x ;\tarboretum\t= secret; b=2;', 'a=1; b=2'],
    ['nothing but theirs', 'arboretum=secret', undefined],
    ['values that look like names', 'a=arboretum=1; b=otree_two=2', 'a=arboretum=1; b=otree_two=2'],
    ['empty pieces', ';; ;a=1;;', 'a=1'],
    ['the same name twice', 'arboretum=s1; a=1; arboretum=s2; a=2; arboretum=s3', 'a=1; a=2'],
    ['a bar in a value', 'a=x|y; arboretum=s|t; otree_one=p|q', 'a=x|y; otree_one=p|q'],
    ['forty neighbours in turn: fails closed to its own', `arboretum=secret; ${many}; otree_one=own; z=1`, 'otree_one=own'],
  ])('%s', async (_, sent, expected) => {
    expect(await cookiesAt('one.lab.test', sent)).toBe(expected);
  });

  test('several Cookie headers', async () => {
    expect(await cookiesAt('one.lab.test', ['arboretum=secret', 'a=1', 'otree_two=2; b=2'])).toBe('a=1; b=2');
  });

  test.each([
    ['empty pieces', `${';'.repeat(30_000)}x`],
    ['spaces', `a=1;${' '.repeat(30_000)}arboretum`],
    ['nearly refused names', `${' otree_'.repeat(1000)};${'a;'.repeat(10_000)}arboretum`],
    ['thousands of neighbours', 'otree_two=1;a=1;'.repeat(1800)],
    ['spaces between', 'a ;'.repeat(10_000)],
  ])('a header made to be slow is read in no time: %s', async (_, cookie) => {
    const before = await processorMs();
    expect((await stand.ask('one.lab.test', { headers: { Cookie: cookie } })).status).toBe(200);
    expect((await processorMs()) - before).toBeLessThan(300);
  });
});

describe('cookies from an instance', () => {
  const setBy = async (lines: string[]): Promise<string[]> =>
    (await stand.ask('one.lab.test', { headers: { 'x-set': lines.join('||') } })).headers['set-cookie'] ?? [];

  test('its own pass as they are, also beside a forged one', async () => {
    expect(await setBy(['otree_one=1; Path=/; HttpOnly', 'arboretum=evil; Path=/', 'theme=dark'])).toEqual([
      'otree_one=1; Path=/; HttpOnly',
      'arboretum=evil; Path=/; Secure',
      'theme=dark',
    ]);
  });

  test('the panel’s names are spoiled in every line: __Host- loses Secure, the plain one gets it', async () => {
    const lines = await setBy([
      '__Host-arboretum=evil; Path=/; Secure',
      ' arboretum =evil',
      '=arboretum=evil',
      '__Host-arboretum=two; Secure; Path=/; HttpOnly',
    ]);
    expect(lines.filter((line) => line.includes('__Host-')).some((line) => /secure/i.test(line))).toBe(false);
    expect(lines.filter((line) => !line.includes('__Host-')).every((line) => /; secure/i.test(line))).toBe(true);
    expect(lines).toHaveLength(4);
  });
});

describe('bodies', () => {
  test('half a body reaches nobody and delays no one', async () => {
    const before = { ...one.seen };
    const slow = net.connect(stand.port, '127.0.0.1');
    slow.write('POST /p HTTP/1.1\r\nHost: one.lab.test\r\nContent-Length: 10\r\n\r\nabc');
    const chunked = net.connect(stand.port, '127.0.0.1');
    chunked.write('POST /p HTTP/1.1\r\nHost: one.lab.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    for (let index = 0; index < 20; index += 1) expect((await stand.ask('one.lab.test')).status).toBe(200);
    expect(one.seen).toEqual({ ...before, requests: before.requests + 20 });
    slow.write('defghij');
    await until('the whole body arrives', () => one.seen.bytes === before.bytes + 10);
    slow.destroy();
    chunked.destroy();
  });

  test('more than the instance may have is refused before it sees a byte', async () => {
    const before = one.seen.requests;
    expect(
      (await stand.ask('one.lab.test', { method: 'POST', headers: { 'Content-Length': String(2 ** 20 + 1) } }).catch(() => ({ status: 413 }))).status,
    ).toBe(413);
    expect(one.seen.requests).toBe(before);
  });

  test('only a websocket may upgrade', async () => {
    const { headers } = seenBy(await stand.ask('one.lab.test', { headers: { Upgrade: 'h2c', Connection: 'Upgrade, HTTP2-Settings' } }));
    expect([headers.upgrade, headers.connection]).toEqual([undefined, 'close']);
  });
});
