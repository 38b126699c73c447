// Behind somebody else's proxy: the nginx example of docs/behind-a-proxy.md, run as it stands there, with the panel's own nginx behind it.

import https from 'node:https';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig, trustedProxiesOf } from '../../domain/config.ts';
import { startProxyInFront, type ProxyInFront } from '../proxy-in-front.ts';
import { freePort, makeStand, never, seenBy, until, type Answer, type Stand } from './nginx-stand.ts';

const host = 'otree.example.org';
let stand: Stand;
let front: ProxyInFront;

beforeAll(async () => {
  stand = await makeStand({ panelHostNames: [host], trustedProxies: ['127.0.0.1'] });
  await stand.upstream('panel');
  await stand.upstream('trust');
  await stand.door.apply([stand.route('trust', { address: { mode: 'name', hostName: `trust.${host}`, certificate: null } })], never);
  front = startProxyInFront({ host, http: await freePort(), https: await freePort(), panel: stand.port });
  await until('the proxy in front answers', () =>
    ask(host).then(
      () => true,
      () => false,
    ),
  );
});
afterAll(async () => {
  await front.stop();
  await stand.clear();
});

function ask(name: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: front.port,
      servername: name,
      rejectUnauthorized: false,
      agent: false as const,
      headers: { Host: name, ...headers },
    };
    https
      .get(options, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (piece: string) => (body += piece));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      })
      .on('error', reject);
  });
}

describe('the nginx example of the guide', () => {
  it('lets panel and instances know how and from where the visitor came, whatever the visitor claims', async () => {
    const claims = { 'X-Forwarded-For': '6.6.6.6', 'X-Forwarded-Proto': 'gopher', 'X-Real-IP': '6.6.6.6', Forwarded: 'for=6.6.6.6' };
    for (const name of [host, `trust.${host}`]) {
      const { headers } = seenBy(await ask(name, claims));
      expect(headers).toMatchObject({
        host: name,
        'x-forwarded-host': name,
        'x-forwarded-proto': 'https',
        'x-forwarded-for': '127.0.0.1',
        'x-real-ip': '127.0.0.1',
      });
      expect(headers.forwarded).toBeUndefined();
    }
  });

  it('passes websockets', async () => {
    const socket = tls.connect({ host: '127.0.0.1', port: front.port, servername: host, rejectUnauthorized: false });
    let heard = '';
    socket.setEncoding('utf8').on('data', (piece: string) => (heard += piece));
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13';
    socket.write(`GET /socket.io/?transport=websocket HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${key}\r\n\r\n`);
    await until('the websocket opens', () => heard.includes('101 Switching') && heard.includes('tick 1\n'));
    socket.write('hello');
    await until('the panel hears', () => heard.includes('heard hello'));
    socket.destroy();
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
