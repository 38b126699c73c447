// Behind somebody else's proxy: the examples of docs/behind-a-proxy.md, run as they stand there, with the panel's own nginx behind them.

import https from 'node:https';
import http from 'node:http';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadConfig, trustedProxiesOf } from '../../domain/config.ts';
import { proxiesForTests, startProxyInFront, type ProxyInFront, type ProxyKind } from '../proxy-in-front.ts';
import { makeStand, never, seenBy, until, type Answer, type Stand } from './nginx-stand.ts';
import { freePort } from '../free-ports.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const host = 'otree.example.org';
/** All of 127.0.0.0/8 is this machine: the visitor calls from another of its addresses than the proxy does. */
const visitor = '127.0.0.2';
const kinds = await proxiesForTests();

type Front = ProxyInFront & { readonly http: number };
async function startFront(kind: ProxyKind, panel: number): Promise<Front> {
  const plain = await freePort();
  const front = startProxyInFront({ kind, host, http: plain, https: await freePort(), panel });
  await until(
    `${kind} answers`,
    () =>
      ask(front.port).then(
        () => true,
        () => false,
      ),
    60_000,
  );
  return { ...front, http: plain };
}

type Asked = {
  readonly name?: string;
  readonly path?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string;
  readonly agent?: https.Agent;
};
function ask(port: number, { name = host, path = '/', headers = {}, body = '', agent }: Asked = {}): Promise<Answer> {
  const way = { host: '127.0.0.1', localAddress: visitor, port, servername: name, rejectUnauthorized: false, agent: agent ?? false } as const;
  return new Promise((resolve, reject) => {
    const request = https.request({ ...way, path, method: body === '' ? 'GET' : 'POST', headers: { Host: name, ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    request.on('error', reject).end(body);
  });
}

describe.each(kinds)('the %s example of the guide', (kind) => {
  let stand: Stand;
  let front: Front;
  const trust = () => stand.route('trust', { address: { mode: 'name', hostName: `trust.${host}`, certificate: null }, maxBodyMib: 20 });

  beforeAll(async () => {
    stand = await makeStand({ panelHostNames: [host], trustedProxies: ['127.0.0.1'], maxPanelBodyMib: 20 });
    await stand.upstream('panel');
    await stand.upstream('trust');
    await stand.door.apply([trust()], never);
    front = await startFront(kind, stand.port);
  });
  afterAll(async () => {
    await front?.stop();
    await stand?.clear();
  });

  it('lets panel and instances know how and from where the visitor came, whatever the visitor claims', async () => {
    const claims = { 'X-Forwarded-For': '6.6.6.6', 'X-Forwarded-Proto': 'gopher', 'X-Real-IP': '6.6.6.6', Forwarded: 'for=6.6.6.6' };
    for (const name of [host, `trust.${host}`]) {
      const { headers } = seenBy(await ask(front.port, { name, headers: claims }));
      expect(headers).toMatchObject({
        host: name,
        'x-forwarded-host': name,
        'x-forwarded-proto': 'https',
        'x-forwarded-for': visitor,
        'x-real-ip': visitor,
      });
      expect(headers.forwarded).toBeUndefined();
    }
  });

  it('is not believed where another proxy was named', async () => {
    const other = await makeStand({ panelHostNames: [host], trustedProxies: ['127.0.0.9'] });
    await other.upstream('panel');
    await other.door.apply([], never);
    const unknown = await startFront(kind, other.port);
    const { headers } = seenBy(await ask(unknown.port));
    expect([headers['x-forwarded-proto'], headers['x-forwarded-for']]).toEqual(['http', '127.0.0.1']);
    await unknown.stop();
    await other.clear();
  });

  it('leads from http to https, name, path and query kept', async () => {
    const location = await new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: front.http, path: '/p/a%2Fb%20c?x=%20&y=%2F', headers: { Host: `trust.${host}` }, agent: false as const };
      http.get(options, (response) => resolve([response.resume().statusCode, response.headers.location])).on('error', reject);
    });
    expect(location).toEqual([301, `https://trust.${host}/p/a%2Fb%20c?x=%20&y=%2F`]);
  });

  it('passes websockets, and what is said in them, both ways', async () => {
    for (const name of [host, `trust.${host}`]) {
      const socket = tls.connect({ host: '127.0.0.1', port: front.port, servername: name, rejectUnauthorized: false });
      let heard = '';
      socket.setEncoding('utf8').on('data', (piece: string) => (heard += piece));
      const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13';
      socket.write(`GET /socket.io/?transport=websocket HTTP/1.1\r\nHost: ${name}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${key}\r\n\r\n`);
      await until('the websocket opens', () => heard.includes('101 Switching') && heard.includes('tick 1\n'));
      socket.write('hello');
      await until('the other side hears', () => heard.includes('heard hello'));
      socket.destroy();
    }
  });

  it('lets a large upload through, whole', async () => {
    const body = 'x'.repeat(12 * 2 ** 20);
    for (const name of [host, `trust.${host}`]) {
      const answer = await ask(front.port, { name, path: '/api/v1/upload', body });
      expect(answer.status).toBe(200);
      expect(seenBy(answer).body === body).toBe(true);
    }
  });

  it('leaves an address as it was typed', async () => {
    const path = '/lobby/trust/a%2Fb%20c%25/%C3%A4~(x)?q=%2F+%20&r=a/b';
    expect(seenBy(await ask(front.port, { path })).url).toBe(path);
  });

  it('loses nothing that is sent while the panel’s nginx reloads behind it', async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const over = new AbortController();
    const sent: number[] = [];
    const sending = (async () => {
      while (!over.signal.aborted) sent.push((await ask(front.port, { name: `trust.${host}`, body: 'answer', agent })).status);
    })();
    for (let reload = 0; reload < 5; reload += 1) {
      const before = sent.length;
      await stand.door.applyOne('more', stand.route('more', { upstreamSocket: stand.layout.instanceSocket('trust') }), never);
      await stand.door.applyOne('more', null, never);
      await until('more were sent', () => sent.length > before + 5);
    }
    over.abort();
    await sending;
    agent.destroy();
    expect(sent.filter((status) => status !== 200)).toEqual([]);
  });
});

describe('forwarded headers', () => {
  const given = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '192.0.2.7' };

  it('are believed from a named network only', async () => {
    const asked = async (trustedProxies: readonly string[], address: string) => {
      const other = await makeStand({ panelHostNames: [host], trustedProxies });
      await other.upstream('panel');
      await other.door.apply([], never);
      const { headers } = seenBy(await other.ask(host, { headers: given, address }));
      await other.clear();
      return [headers['x-forwarded-proto'], headers['x-forwarded-for']];
    };
    // All of 127.0.0.0/8 is this machine; the kernel calls from 127.0.0.1 unless the target is another of them.
    expect(await asked(['127.0.0.0/8', '::1'], '127.0.0.1')).toEqual(['https', '192.0.2.7']);
    expect(await asked(['127.0.0.9', '2001:db8::/64'], '127.0.0.1')).toEqual(['http', '127.0.0.1']);
    expect(await asked([], '127.0.0.1')).toEqual(['http', '127.0.0.1']);
  });

  it('are believed from this machine when PUBLIC_URL is https and nothing is named, and otherwise from whom TRUSTED_PROXIES names', () => {
    const trusted = (env: Readonly<Record<string, string>>) => trustedProxiesOf(loadConfig(env));
    expect(trusted({ PUBLIC_URL: 'http://otree.example.org' })).toEqual([]);
    expect(trusted({ PUBLIC_URL: 'https://otree.example.org' })).toEqual(['127.0.0.1', '::1']);
    expect(trusted({ PUBLIC_URL: 'https://otree.example.org', TRUSTED_PROXIES: '10.0.0.7, 2001:db8::/64' })).toEqual(['10.0.0.7', '2001:db8::/64']);
  });

  it.each(['10.0.0.0/33', 'proxy.example.org', '10.0.0.7/8/8', '1.2.3.4;} evil', '::1/129', '10.0.0.7/-1'])('refuses “%s” as an address', (text) => {
    expect(() => loadConfig({ TRUSTED_PROXIES: text })).toThrow('TRUSTED_PROXIES: addresses or networks');
  });
});
