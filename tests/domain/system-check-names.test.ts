// Names: a real DNS server that knows what each test tells it, and real servers at the public address.

import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Checked } from '../../contracts/system-check.ts';
import { identityHeader, panelIdentity, sawHeader } from '../../domain/panel-identity.ts';
import { runCheck } from '../../domain/system-check.ts';
import { adviseMode } from '../../domain/system-check-modes.ts';
import { lookAtNames, nameChecks } from '../../domain/system-check-names.ts';
import { reachChecks } from '../../domain/system-check-reach.ts';
import { askDns, type Surroundings } from '../../domain/system-check-surroundings.ts';
import { startDns, type DnsServer } from '../dns-server.ts';
import { anInstance, testContext, type TestContext } from '../factories.ts';
import { surroundings } from '../surroundings.ts';

let dns: DnsServer;
let ctx: TestContext;
beforeAll(async () => {
  [dns, ctx] = await Promise.all([startDns(), testContext()]);
});
afterAll(() => Promise.all([dns.close(), ctx.close()]));

let count = 0;
/** A host name of this test's own, and surroundings in which it is the panel's. */
function place(env: Readonly<Record<string, string>> = {}, more: Partial<Surroundings> = {}): { host: string; around: Surroundings } {
  count += 1;
  const host = `otree${count}.test`;
  return { host, around: surroundings({ PUBLIC_URL: `http://${host}:9`, ...env }, { names: askDns([dns.address]), ...more }) };
}

async function run(id: string, around: Surroundings): Promise<Checked> {
  const check = [...nameChecks, ...reachChecks].find((one) => one.id === id);
  if (!check) throw new Error(`there is no check ${id}`);
  return runCheck(check, { ...around, nameFacts: lookAtNames(around) });
}

describe('the panel’s name', () => {
  it('that leads to this machine is good', async () => {
    const { host, around } = place();
    dns.tell(host, ['192.0.2.10']);
    expect(await run('name', around)).toMatchObject({ result: 'good', seen: `${host} is 192.0.2.10.`, request: null });
  });

  it('that DNS does not know is bad, and the IT department is asked for it by name and address', async () => {
    const { host, around } = place();
    const { result, request } = await run('name', around);
    expect(result).toBe('bad');
    expect(request).toContain(host);
    expect(request).toContain('192.0.2.10');
  });

  it('that leads elsewhere needs attention: it may be a proxy', async () => {
    const { host, around } = place();
    dns.tell(host, ['198.51.100.1']);
    expect(await run('name', around)).toMatchObject({ result: 'attention', means: expect.stringContaining('proxy') });
  });

  it('cannot be judged without DNS', async () => {
    const { around } = place({}, { names: askDns(['127.0.0.1:9']) });
    expect(await run('name', around)).toMatchObject({ result: 'unknown', seen: expect.stringContaining('no DNS server answers') });
  });

  it('is not looked up when PUBLIC_URL is an address or this machine only', async () => {
    expect(await run('name', surroundings())).toMatchObject({ result: 'not-here', seen: 'PUBLIC_URL is localhost: for this machine only.' });
    expect(await run('name', surroundings({ PUBLIC_URL: 'http://127.0.0.1:9' }))).toMatchObject({ result: 'not-here' });
    expect(await run('name', surroundings({ PUBLIC_URL: 'http://[::1]:9' }))).toMatchObject({ result: 'not-here' });
  });

  it('needs attention when its IPv6 address is not this machine’s', async () => {
    const { host, around } = place({}, { ownAddresses: ['192.0.2.10', '2001:db8::10'] });
    dns.tell(host, ['192.0.2.10', '2001:db8::99']);
    expect(await run('ipv6', around)).toMatchObject({ result: 'attention', request: expect.stringContaining('2001:db8::99') });
    dns.tell(host, ['192.0.2.10', '2001:db8::10']);
    expect(await run('ipv6', around)).toMatchObject({ result: 'good' });
    dns.tell(host, ['192.0.2.10']);
    expect(await run('ipv6', around)).toMatchObject({ result: 'not-here' });
  });
});

describe('a wildcard entry', () => {
  it('that leads where the panel’s name leads is good', async () => {
    const { host, around } = place();
    dns.tell(host, ['192.0.2.10']);
    dns.tell(`*.${host}`, ['192.0.2.10']);
    expect(await run('wildcard', around)).toMatchObject({ result: 'good' });
  });

  it('that is not there does no harm, unless ADDRESS_MODE relies on it', async () => {
    const { host, around } = place();
    dns.tell(host, ['192.0.2.10']);
    expect(await run('wildcard', around)).toMatchObject({ result: 'not-here', request: expect.stringContaining(`*.${host}`) });
    const relied = place({ ADDRESS_MODE: 'subdomain' });
    dns.tell(relied.host, ['192.0.2.10']);
    expect(await run('wildcard', relied.around)).toMatchObject({ result: 'bad', fix: expect.stringContaining('ADDRESS_MODE=auto') });
  });

  it('that leads to another machine is said to', async () => {
    const { host, around } = place();
    dns.tell(host, ['192.0.2.10']);
    dns.tell(`*.${host}`, ['198.51.100.7']);
    expect(await run('wildcard', around)).toMatchObject({ result: 'attention', seen: expect.stringContaining('198.51.100.7') });
  });
});

describe('names of instances', () => {
  it('are looked up one by one, and those that lead nowhere are named', async () => {
    const { host, around } = place({}, { query: (sql) => ctx.db.$queryRawUnsafe(sql) });
    const [found, lost] = [await anInstance(ctx), await anInstance(ctx)];
    await anInstance(ctx, { port: 10_400 });
    await anInstance(ctx, { addressMode: 'path' });
    const own = await anInstance(ctx, { addressMode: 'host', hostName: `own-name.${host}` });
    dns.tell(own.hostName ?? '', ['192.0.2.10']);
    dns.tell(host, ['192.0.2.10']);
    dns.tell(`${found.name}.${host}`, ['192.0.2.10']);
    const answer = await run('instance-names', around);
    expect(answer).toMatchObject({ result: 'bad', seen: `1 of 3 do not lead here: ${lost.name}.${host}.` });
    expect(answer.request).toContain(`${lost.name}.${host}`);
    dns.tell(`${lost.name}.${host}`, ['192.0.2.10']);
    expect(await run('instance-names', around)).toMatchObject({ result: 'good' });
  });
});

describe('the best kind of address', () => {
  const advise = async (around: Surroundings, certificate: Parameters<typeof adviseMode>[0]['certificate'] = { state: 'plain-http' }) =>
    adviseMode({ names: await lookAtNames(around), certificate, ownAddresses: around.ownAddresses, config: around.config });

  it('is a name where a wildcard leads here, and a port where not', async () => {
    const { host, around } = place();
    dns.tell(host, ['192.0.2.10']);
    expect(await advise(around)).toMatchObject({ best: 'port', caveat: null });
    dns.tell(`*.${host}`, ['192.0.2.10']);
    expect(await advise(around)).toMatchObject({ best: 'subdomain', caveat: null });
  });

  it('is a name with a caveat while the certificate does not hold the wildcard', async () => {
    const { host, around } = place();
    dns.tell(host, ['192.0.2.10']);
    dns.tell(`*.${host}`, ['192.0.2.10']);
    const certificate = { state: 'seen', daysLeft: 80, fits: true, fitsWildcard: false, names: host, distrust: null } as const;
    expect(await advise(around, certificate)).toMatchObject({ best: 'subdomain', request: `Please let the certificate of ${host} hold *.${host} as well.` });
    expect(await advise(around, { ...certificate, fitsWildcard: true })).toMatchObject({ caveat: null });
  });
});

type Way = { readonly saw?: string; readonly hasWebsocket?: boolean; readonly identity?: string; readonly isCircle?: boolean };

/** Something that answers at a public address, as the panel would after a proxy has done this to the request. */
async function answering(way: Way, judge: (around: Surroundings) => Promise<void>): Promise<void> {
  const server = http.createServer((request, response) => {
    response.setHeader(identityHeader, way.identity ?? panelIdentity(surroundings().config.layout));
    response.setHeader(sawHeader, way.saw ?? `http://${request.headers.host}`);
    if (way.isCircle) response.writeHead(301, { Location: `http://${request.headers.host}${request.url}` });
    response.end('alive\n');
  });
  if (way.hasWebsocket !== false)
    server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await judge(surroundings({ PUBLIC_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('the public address', () => {
  it('at which this very panel answers is good', () =>
    answering({}, async (around) => {
      expect(await run('reached', around)).toMatchObject({ result: 'good' });
      expect(await run('passed-on', around)).toMatchObject({ result: 'good' });
    }));

  it('at which another program or another panel answers is bad', () =>
    answering({ identity: panelIdentity({ dataDir: '/another' }) }, async (around) => {
      expect(await run('reached', around)).toMatchObject({ result: 'bad', seen: expect.stringContaining('Something else answers') });
      expect(await run('passed-on', around)).toMatchObject({ result: 'unknown' });
    }));

  it('at which nobody answers is bad, and unknown while the panel is not running', async () => {
    const around = surroundings({ PUBLIC_URL: 'http://127.0.0.1:9' });
    expect(await run('reached', around)).toMatchObject({ result: 'bad' });
    expect(await run('reached', { ...around, isPanelRunning: false })).toMatchObject({ result: 'unknown' });
  });

  it('that leads to itself again is bad, whoever does it', () =>
    answering({ isCircle: true }, async (around) => {
      expect(await run('reached', around)).toMatchObject({ result: 'bad', seen: expect.stringContaining('go round in circles'), request: null });
      expect(await run('passed-on', around)).toMatchObject({ result: 'unknown' });
    }));

  it('with a proxy that changes the host name is bad', () =>
    answering({ saw: 'http://127.0.0.1:8080' }, async (around) => {
      expect(await run('passed-on', around)).toMatchObject({ result: 'bad', fix: expect.stringContaining('Host') });
    }));

  it('with a proxy that does not tell of https is bad: nobody could sign in', () =>
    answering({}, async (around) => {
      const { publicUrl } = around.config;
      const nameFacts = lookAtNames(around).then((facts) => ({ ...facts, reached: { ...facts.reached, saw: `http://${publicUrl.host}` } }));
      const https = { ...around, config: { ...around.config, publicUrl: new URL(`https://${publicUrl.host}`) }, nameFacts };
      const check = reachChecks.find(({ id }) => id === 'passed-on');
      expect(check && (await runCheck(check, https))).toMatchObject({ result: 'bad', fix: expect.stringContaining('TRUSTED_PROXIES') });
    }));

  it('with a proxy that stops websockets is bad', () =>
    answering({ hasWebsocket: false }, async (around) => {
      expect(await run('passed-on', around)).toMatchObject({ result: 'bad', fix: expect.stringContaining('Upgrade') });
    }));
});
