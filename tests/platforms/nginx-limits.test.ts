// What one visitor may take: a lab of 300 behind one address passes, more than the limit is told so, slow ones hold up nobody.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectionsPerAddressOf } from '../../platforms/nginx-limits.ts';
import { NginxProcess } from '../../platforms/nginx-process.ts';
import { handshake, makeStand, never, seenBy, sendBytes, until, type Stand, type Upstream } from './nginx-stand.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

const name = 'one.lab.test';
const held = `GET /held HTTP/1.1\r\nHost: ${name}\r\n\r\n`;
const sentence = 'Too many connections from your address';
let stand: Stand;
let one: Upstream;

async function open(more: Parameters<typeof makeStand>[0] = {}): Promise<void> {
  stand = await makeStand(more);
  one = await stand.upstream('one');
  await stand.upstream('panel');
  await stand.door.apply([stand.route('one')], never);
}
afterEach(() => stand.clear());

type Sent = Awaited<ReturnType<typeof sendBytes>>;
const sendMany = async (count: number, bytes: string, localAddress?: string): Promise<readonly Sent[]> =>
  await Promise.all(Array.from({ length: count }, () => sendBytes(stand.port, bytes, localAddress)));

describe('connections of one address', () => {
  test('300 seats behind one address, each with three websockets and six requests at once, and one more is answered', async () => {
    await open();
    const all: Sent[] = [];
    // In rows of thirty: a socket's queue of arrivals has an end, and here visitors and experiment are one process.
    for (let row = 1; row <= 10; row += 1) {
      all.push(...(await sendMany(90, handshake(name, '/quiet'))), ...(await sendMany(180, held)));
      await until('the row is with the experiment', () => one.seen.upgrades === row * 90 && one.seen.requests === row * 180, 30_000);
    }
    expect(seenBy(await stand.ask(name)).name).toBe('one');
    expect(all.some(({ state }) => state.isClosed)).toBe(false);
    for (const { socket } of all) socket.destroy();
  });

  describe('over the limit', () => {
    beforeEach(() => open({ connectionsPerAddress: 5, trustedProxies: ['127.0.0.9'] }));

    test('a sentence for people, a problem for programs; websockets count, other addresses do not', async () => {
      await sendMany(3, handshake(name, '/quiet'));
      const requests = await sendMany(2, held);
      await until('all five are counted', () => one.seen.upgrades === 3 && one.seen.requests === 2);
      const page = await stand.ask(name);
      expect([page.status, page.headers['retry-after'], page.headers['cache-control']]).toEqual([429, '5', 'no-store']);
      expect(page.body).toContain(sentence);
      expect(page.body).toMatch(/http-equiv="refresh"/);
      expect((await stand.ask('lab.test')).body).toContain(sentence);
      const problem = await stand.ask('lab.test', { path: '/api/v1/me' });
      expect([problem.status, problem.headers['content-type']]).toEqual([429, 'application/problem+json']);
      expect(JSON.parse(problem.body)).toMatchObject({ status: 429, title: 'There are too many connections from your address.' });
      const [refused] = await sendMany(1, handshake(name, '/quiet'));
      await until('a sixth websocket is refused', () => refused?.state.text.startsWith('HTTP/1.1 429') ?? false);
      const [neighbour] = await sendMany(1, `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`, '127.0.0.2');
      await until('the neighbour is answered', () => neighbour?.state.text.startsWith('HTTP/1.1 200') ?? false);
      for (const { socket } of requests) socket.destroy();
      await until('there is room again', async () => (await stand.ask(name)).status === 200);
    });

    test('behind a proxy that was named the visitor counts, not the proxy; who only claims an address is counted under his own', async () => {
      const as = (visitor: string, bytes: string): string => bytes.replace('\r\n\r\n', `\r\nX-Forwarded-For: ${visitor}\r\nConnection: close\r\n\r\n`);
      const page = `GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`;
      const statusOf = async (bytes: string, from: string): Promise<string> => {
        const [sent] = await sendMany(1, bytes, from);
        await until('an answer comes', () => sent?.state.isClosed ?? false);
        return sent?.state.text.slice(9, 12) ?? '';
      };
      await sendMany(5, as('192.0.2.1', held), '127.0.0.9');
      await until('five of one visitor', () => one.seen.requests === 5);
      expect(await statusOf(as('192.0.2.1', page), '127.0.0.9')).toBe('429');
      expect(await statusOf(as('192.0.2.2', page), '127.0.0.9')).toBe('200');
      for (let index = 0; index < 5; index += 1) await sendMany(1, as(`192.0.2.${10 + index}`, held), '127.0.0.3');
      await until('five who claim to be others', () => one.seen.requests === 11);
      expect(await statusOf(as('192.0.2.99', page), '127.0.0.3')).toBe('429');
    });

    test('a worker that was killed: what it had is not counted for ever', async () => {
      await stand.door.check();
      const sockets = await sendMany(5, handshake(name, '/quiet'));
      await until('all are counted', () => one.seen.upgrades === 5);
      const nginx = new NginxProcess(stand.layout, 'nginx');
      const workers = await nginx.workersOf((await nginx.masterPid()) ?? 0);
      for (const pid of workers) process.kill(pid, 'SIGKILL');
      await until('their sockets are closed', () => sockets.every(({ state }) => state.isClosed));
      await until('others have taken their place', async () => (await nginx.ask()) !== null);
      expect((await stand.ask(name)).status).toBe(429);
      expect(await stand.door.check()).toMatchObject({ state: 'drifted', reason: expect.stringContaining('A worker of nginx died') });
      await stand.door.repair(never);
      expect((await stand.ask(name)).status).toBe(200);
      expect(await stand.door.check()).toEqual({ state: 'ok' });
    });
  });

  test('nobody may have more than half of what the machine lets nginx carry', () => {
    expect([1024, 4096, 20_000, 1_000_000].map(connectionsPerAddressOf)).toEqual([256, 1024, 4000, 4000]);
  });
});

describe('slow clients', () => {
  const slow = [
    ['half a header', 'GET / HTTP/1.1\r\nHost: one.lab.te'],
    ['half a body', `POST / HTTP/1.1\r\nHost: ${name}\r\nContent-Length: 1000\r\n\r\nabc`],
    ['a body in pieces that never end', `POST / HTTP/1.1\r\nHost: ${name}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`],
  ] as const;

  test('500 of them, dripping, and a normal visitor is answered; the experiment hears of none', async () => {
    await open();
    const sent = await Promise.all(Array.from({ length: 500 }, (_, index) => sendBytes(stand.port, slow[index % 3]?.[1] ?? '')));
    for (let round = 0; round < 20; round += 1) {
      for (const { socket } of sent) socket.write('x');
      expect((await stand.ask(name)).status).toBe(200);
      expect(seenBy(await stand.ask('lab.test')).name).toBe('panel');
    }
    expect(one.seen).toEqual({ requests: 20, bytes: 0, upgrades: 0 });
    for (const { socket } of sent) socket.destroy();
  });

  test('half a header is ended after 20 seconds, half a body after 30, and the experiment hears of neither', async () => {
    await open();
    const begin = performance.now();
    const sent = await Promise.all(slow.map(([, bytes]) => sendBytes(stand.port, bytes)));
    const [header] = sent;
    await until('the header is given up', () => header?.state.isClosed ?? false, 90_000);
    expect(performance.now() - begin).toBeGreaterThan(19_000);
    await until('the bodies are given up', () => sent.every(({ state }) => state.isClosed), 90_000);
    expect(performance.now() - begin).toBeGreaterThan(29_000);
    expect(one.seen).toEqual({ requests: 0, bytes: 0, upgrades: 0 });
  }, 200_000);

  test.each([
    ['an address', { path: `/${'x'.repeat(33_000)}` }, 414],
    ['a line of the header', { headers: { Cookie: 'x'.repeat(33_000) } }, 400],
    ['a header', { headers: Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`X-${index}`, 'x'.repeat(30_000)])) }, 400],
  ])('too long: %s is refused before anybody sees it', async (_, question, status) => {
    await open();
    expect((await stand.ask(name, question)).status).toBe(status);
    expect(one.seen.requests).toBe(0);
  });
});
