// Addresses as people and front door have them: what a host name may be, what leads where, who wants a certificate.

import { once } from 'node:events';
import net from 'node:net';
import os from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostNameSchema, type AddressMode } from '../../contracts/addresses.ts';
import { instanceUrl, leadsHere, pathPrefixOf, routeAddressOf, type Addressed } from '../../domain/addresses.ts';
import { loadConfig } from '../../domain/config.ts';
import { freePort } from '../../domain/free-port.ts';
import { lookAtHostName, whyNeverOurs } from '../../domain/host-names.ts';
import { newId } from '../../domain/ids.ts';
import { namesToCertify } from '../../domain/certificate-names.ts';
import { routeOf } from '../../domain/routes.ts';
import { askDns } from '../../domain/system-check-surroundings.ts';
import type { Platform } from '../../platforms/platform.ts';
import { Secret } from '../../platforms/secret.ts';
import { startDns, type DnsServer } from '../dns-server.ts';
import { anInstance, testContext, type TestContext } from '../factories.ts';

const https = { PUBLIC_URL: 'https://otree.lab.test', HTTPS_PORT: '443', PATH_URL: 'https://paths.lab.test/otree', PORT: '80' };
const at = (mode: AddressMode, more: Partial<Addressed> = {}): Addressed => ({
  id: 'abc',
  name: 'trust',
  addressMode: mode,
  frontCertificateUntil: null,
  port: mode === 'port' ? 10_001 : null,
  hostName: mode === 'host' ? 'trust.psy.test' : null,
  ...more,
});

let ctx: TestContext;
let dns: DnsServer;
beforeAll(async () => {
  [ctx, dns] = await Promise.all([testContext(https), startDns()]);
});
afterAll(() => Promise.all([ctx.close(), dns.close()]));

describe('a host name', () => {
  it.each([
    ['study.psychology.uni.test', 'study.psychology.uni.test'],
    ['  Study.UNI.test. ', 'study.uni.test'],
    ['xn--prfung-4ya.uni.test', 'xn--prfung-4ya.uni.test'],
    ['a-1.b2.localhost', 'a-1.b2.localhost'],
    [`${'a'.repeat(63)}.uni.test`, `${'a'.repeat(63)}.uni.test`],
  ])('%j is taken as %j', (text, name) => {
    expect(hostNameSchema.parse(text)).toBe(name);
  });

  it.each([
    ['', /whole host name/],
    ['study', /whole host name with its domain/],
    ['https://study.uni.test', /no https/],
    ['study.uni.test:8080', /no port/],
    ['study.uni.test/otree', /no path/],
    ['*.uni.test', /not a wildcard/],
    ['192.0.2.7', /numbers/],
    ['0x7f.1', /numbers/],
    ['1.2.3.0x4', /numbers/],
    ['-study.uni.test', /hyphens between dots/],
    ['study_1.uni.test', /hyphens between dots/],
    ['prüfung.uni.test', /xn--/],
    ['study..uni.test', /between dots/],
    ['xn--a.uni.test', /numbers/],
    [`${'a'.repeat(64)}.uni.test`, /between dots/],
    [`${'a.'.repeat(127)}test`, /253/],
    ['study.onion', /lead nowhere/],
    ['study.uni.test; return 200', /between dots/],
  ])('%j is refused', (text, sentence) => {
    const parsed = hostNameSchema.safeParse(text);
    expect(parsed.success ? 'taken' : parsed.error.issues.map(({ message }) => message).join(' ')).toMatch(sentence);
  });

  it('of the panel or of all paths is nobody else’s', () => {
    expect(whyNeverOurs(ctx.config, 'otree.lab.test')).toContain('panel');
    expect(whyNeverOurs(ctx.config, 'paths.lab.test')).toContain('paths');
    expect(whyNeverOurs(ctx.config, 'other.lab.test')).toBeNull();
  });

  it('by which people may open the panel is nobody’s: that of the machine, or any one while PUBLIC_URL is not set', () => {
    expect(whyNeverOurs(ctx.config, os.hostname().toLowerCase())).toContain('machine');
    expect(whyNeverOurs(loadConfig({}), 'other.lab.test')).toContain('PUBLIC_URL');
    expect(whyNeverOurs(loadConfig({}), 'other.lab.localhost')).toBeNull();
  });
});

describe('an address', () => {
  it.each<[AddressMode, string, string]>([
    ['subdomain', 'https://trust.otree.lab.test', ''],
    ['port', 'https://otree.lab.test:10001', ''],
    ['path', 'https://paths.lab.test/otree/trust', '/otree/trust'],
    ['host', 'https://trust.psy.test', ''],
  ])('of kind %s is %s', (mode, url, prefix) => {
    expect(instanceUrl(ctx.config, at(mode))).toBe(url);
    expect(pathPrefixOf(ctx.config, at(mode))).toBe(prefix);
  });

  it('has the certificate of its host name', () => {
    const shown = (hostName: string) => ({ chain: `chain of ${hostName}`, privateKey: new Secret('key') });
    const chainOf = (mode: AddressMode) => {
      const address = routeAddressOf(ctx.config, at(mode), shown);
      return address.mode === 'path' ? null : (address.certificate?.chain ?? null);
    };
    expect(chainOf('subdomain')).toBe('chain of trust.otree.lab.test');
    expect(chainOf('port')).toBe('chain of otree.lab.test');
    expect(chainOf('host')).toBe('chain of trust.psy.test');
  });

  it('of before is sent on to the present one, unless nobody serves its kind any more', async () => {
    const instance = await anInstance(ctx, { name: `moved-${newId()}`, addressMode: 'host', hostName: `${newId()}.psy.test` });
    const former = (mode: AddressMode, more = {}) => ({
      id: newId(),
      instanceId: instance.id,
      mode,
      port: null,
      hostName: null,
      createdAt: new Date(),
      ...more,
    });
    const row = { ...instance, formerAddresses: [former('port', { port: 10_007 }), former('path'), former('subdomain')] };
    const platform = { upstreamSocket: () => '/run/o.sock' } as unknown as Platform;
    const route = routeOf({ config: ctx.config, platform }, row, () => null);
    expect(route).toMatchObject({ url: `https://${instance.hostName}`, address: { mode: 'name', hostName: instance.hostName } });
    expect(route?.redirects).toEqual([
      { mode: 'port', port: 10_007, certificate: null },
      { mode: 'path', prefix: `/otree/${instance.name}` },
      { mode: 'name', hostName: `${instance.name}.otree.lab.test`, certificate: null },
    ]);
    const withoutPaths = { ...ctx.config, pathUrl: null };
    expect(routeOf({ config: withoutPaths, platform }, row, () => null)?.redirects.map(({ mode }) => mode)).toEqual(['port', 'name']);
  });
});

describe('names that want a certificate', () => {
  it('are the panel’s, that of the paths, and those of live instances, present and before', async () => {
    const own = await testContext(https);
    const [named, ported, gone] = [
      await anInstance(own, { name: 'named' }),
      await anInstance(own, { name: 'ported', addressMode: 'port', port: 10_001 }),
      await anInstance(own, { name: 'gone', state: 'deleted', deletedAt: new Date() }),
    ];
    await anInstance(own, { name: 'broken', state: 'failed' });
    await anInstance(own, { name: 'pathed', addressMode: 'path' });
    await anInstance(own, { name: 'hosted', addressMode: 'host', hostName: 'study.psy.test' });
    const keep = (instanceId: string, mode: string, hostName: string | null = null) =>
      own.db.formerAddress.create({ data: { id: newId(), instanceId, mode, hostName } });
    await keep(ported.id, 'subdomain');
    await keep(named.id, 'host', 'old.psy.test');
    expect([...(await namesToCertify(own))].toSorted()).toEqual(
      ['otree.lab.test', 'paths.lab.test', 'named.otree.lab.test', 'old.psy.test', 'ported.otree.lab.test', 'study.psy.test'].toSorted(),
    );
    expect(gone.deletedAt).not.toBeNull();
    await own.close();
  });

  it('are none where a proxy in front holds the certificates', async () => {
    expect(await namesToCertify({ ...ctx, config: loadConfig({ PUBLIC_URL: 'https://otree.lab.test' }) })).toEqual([]);
  });
});

describe('a free port', () => {
  it('is one that nobody has, had and keeps, and no port of the panel itself', async () => {
    const own = await testContext({ INSTANCE_PORTS: '20001-20006', PORT: '20002', PATH_URL: 'http://localhost:20005/otree', PATH_PORT: '20005' });
    const one = await anInstance(own, { addressMode: 'port', port: 20_001 });
    await own.db.formerAddress.create({ data: { id: newId(), instanceId: one.id, mode: 'port', port: 20_003 } });
    expect(await freePort(own.db, own.config)).toBe(20_004);
    await anInstance(own, { addressMode: 'port', port: 20_004 });
    expect(await freePort(own.db, own.config)).toBe(20_006);
    await anInstance(own, { addressMode: 'port', port: 20_006 });
    expect(await freePort(own.db, own.config)).toBeNull();
    await own.close();
  });

  it('is none that another program listens on, or talks to somebody from', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port: listened } = server.address() as net.AddressInfo;
    const own = await testContext({ INSTANCE_PORTS: `${listened}-${listened}` });
    expect(await freePort(own.db, own.config)).toBeNull();
    const socket = net.connect(listened, '127.0.0.1');
    await once(socket, 'connect');
    const spoken = socket.localPort ?? 0;
    expect(await freePort(own.db, { ...own.config, INSTANCE_PORTS: [spoken, spoken] })).toBeNull();
    socket.destroy();
    server.close();
    await own.close();
  });
});

describe('where a name leads', () => {
  const look = (host: string, panel = 'otree.look.test') =>
    lookAtHostName({ config: loadConfig({ PUBLIC_URL: `http://${panel}` }), names: askDns([dns.address]), ownAddresses: ['192.0.2.10'] }, host);

  it('is here when DNS gives it an address of this machine, or of the panel’s name', async () => {
    dns.tell('one.psy.test', ['192.0.2.10']);
    dns.tell('otree.look.test', ['198.51.100.9']);
    dns.tell('two.psy.test', ['198.51.100.9']);
    expect(await look('one.psy.test')).toMatchObject({ leads: 'here' });
    expect(await look('two.psy.test')).toMatchObject({ leads: 'here' });
    expect(await look('any.thing.localhost')).toMatchObject({ leads: 'here' });
  });

  it('is said with the record to ask for when it is not here', async () => {
    dns.tell('otree.look.test', ['198.51.100.9']);
    dns.tell('far.psy.test', ['203.0.113.5']);
    expect(await look('far.psy.test')).toMatchObject({ leads: 'elsewhere', seen: 'far.psy.test is 203.0.113.5: it leads to another machine.' });
    expect(await look('none.psy.test')).toMatchObject({
      leads: 'nowhere',
      request: 'Please make this entry in DNS: none.psy.test CNAME otree.look.test, or none.psy.test A 198.51.100.9.',
    });
    expect(await look('none.psy.test', '192.0.2.10')).toMatchObject({ request: 'Please make this entry in DNS: none.psy.test A 192.0.2.10.' });
  });

  it('is unknown without DNS', async () => {
    const asked = lookAtHostName({ config: ctx.config, names: askDns(['127.0.0.1:9']), ownAddresses: [] }, 'x.psy.test');
    expect(await asked).toMatchObject({ leads: 'unknown', seen: expect.stringContaining('No DNS server answers') });
  });

  it('below the panel’s: on localhost everywhere, below an address nowhere', async () => {
    expect(await leadsHere(loadConfig({}), 'trust.localhost')).toBe(true);
    expect(await leadsHere(loadConfig({ PUBLIC_URL: 'http://192.0.2.7:8080' }), 'trust.192.0.2.7')).toBe(false);
    expect(await leadsHere(loadConfig({ PUBLIC_URL: 'http://no-such-name.invalid' }), 'trust.no-such-name.invalid')).toBe(false);
  });
});
