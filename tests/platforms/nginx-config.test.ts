// The rendered configuration: what it holds, and that no value can become anything but a value.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import type { FrontDoorRoute, RouteAddress } from '../../platforms/front-door.ts';
import { layoutOf } from '../../platforms/layout.ts';
import { renderGeneration, renderMain } from '../../platforms/nginx-config.ts';
import { settingsOf } from '../../platforms/nginx-options.ts';
import { NginxProcess } from '../../platforms/nginx-process.ts';
import type { NginxSettings } from '../../platforms/nginx-settings.ts';
import { claimOf, claimOfSite, renderFormer, renderSite } from '../../platforms/nginx-site.ts';
import { makeCertificate } from './nginx-certificates.ts';

const settings: NginxSettings = {
  layout: layoutOf('/var/lib/arboretum', '/run/arboretum'),
  listenPort: 8080,
  https: null,
  pathDoor: { hostName: 'paths.test', origin: 'http://paths.test', prefix: '/otree', port: null, isTls: false },
  hstsDays: 0,
  panelHostNames: ['lab.test'],
  workerUser: 'arboretum',
  trustedProxies: [],
  maxPanelBodyMib: 250,
  hasIpv6: true,
  canEditCookieFlags: true,
  http2: 'listen',
  canKeepResting: false,
  openFiles: 1024,
  connectionsPerAddress: 256,
};
const route: FrontDoorRoute = {
  instanceId: 'i1',
  address: { mode: 'name', hostName: 'one.lab.test', certificate: null },
  redirects: [],
  url: 'http://one.lab.test',
  upstreamSocket: '/run/arboretum/00000000/i/i1/otree.sock',
  fallback: 'moment',
  cookieName: 'otree_i1',
  maxBodyMib: 20,
};

const noDoor = { panel: null, paths: null };
const encrypted: NginxSettings = { ...settings, https: { port: 8443, origin: 'https://lab.test:8443' } };
const former = { mode: 'name', hostName: 'old.lab.test', certificate: null } as const;
const certificate = makeCertificate('placeholder.example');
/** A former address' files as text. */
function formerOf(address: RouteAddress, url = route.url): string {
  const site = renderFormer(settings, address, url);
  if (site === null) throw new AppError('platform_failed', { reason: 'no such path' });
  return site.servers + site.locations;
}

/** nginx's own reading of a file: words, quoted strings as one, `{`, `}` and `;`; comments are nothing. */
const tokensOf = (config: string): readonly string[] =>
  config.match(/#[^\n]*|"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|[{};]|[^\s{};"']+/g)?.filter((token) => !token.startsWith('#')) ?? [];

/** Each place where a value from outside enters, with a value that is surely fine. */
const places: readonly { readonly name: string; readonly good: string; readonly render: (value: string) => string }[] = [
  {
    name: 'host name',
    good: 'placeholder.example',
    render: (value) => renderSite(settings, { ...route, address: { mode: 'name', hostName: value, certificate: null } }).servers,
  },
  { name: 'socket', good: '/run/placeholder/x.sock', render: (value) => renderSite(settings, { ...route, upstreamSocket: value }).servers },
  { name: 'cookie name', good: 'otree_placeholder', render: (value) => renderSite(settings, { ...route, cookieName: value }).servers },
  { name: 'panel host name', good: 'placeholder.example', render: (value) => renderMain({ ...settings, panelHostNames: [value] }, noDoor) },
  { name: 'worker user', good: 'placeholder', render: (value) => renderMain({ ...settings, workerUser: value }, noDoor) },
  {
    name: 'data directory',
    good: '/placeholder/data',
    render: (value) => renderMain({ ...settings, layout: { ...settings.layout, nginxPid: value } }, noDoor),
  },
  {
    name: 'path prefix',
    good: '/otree/placeholder',
    render: (value) => renderSite(settings, { ...route, address: { mode: 'path', prefix: value } }).locations,
  },
  { name: 'former path prefix', good: '/otree/placeholder', render: (value) => formerOf({ mode: 'path', prefix: value }) },
  { name: 'former host name', good: 'placeholder.example', render: (value) => formerOf({ ...former, hostName: value }) },
  { name: 'address that a former one leads to', good: 'http://placeholder.example', render: (value) => formerOf(former, value) },
  {
    name: 'address of an instance with https',
    good: 'https://placeholder.example:10001',
    render: (value) => renderSite(encrypted, { ...route, url: value, address: { mode: 'port', port: 10_001, certificate } }).servers,
  },
  {
    name: 'origin of the panel',
    good: 'https://placeholder.example',
    render: (value) => renderMain({ ...encrypted, https: { port: 8443, origin: value } }, { panel: { file: '/x.pem', content: '' }, paths: null }),
  },
  {
    name: 'host name of all paths',
    good: 'placeholder.example',
    render: (value) => renderMain({ ...settings, pathDoor: { hostName: value, origin: 'http://x', prefix: '/otree', port: null, isTls: false } }, noDoor),
  },
  {
    name: 'prefix of all paths',
    good: '/placeholder',
    render: (value) => renderMain({ ...settings, pathDoor: { hostName: 'h', origin: 'http://x', prefix: value, port: null, isTls: false } }, noDoor),
  },
  { name: 'generation', good: 'placeholder-1', render: (value) => renderGeneration(settings, value) },
];

const evil = [
  '"',
  "'",
  '\\',
  '$',
  ';',
  '{',
  '}',
  '\n',
  '\r',
  '\0',
  '\t',
  ' ',
  '#',
  '*',
  '..',
  '/',
  '~',
  '^',
  '_',
  '|',
  'ä',
  '\u2028',
  '; return 200 "x";',
  '} server {',
  '${host}',
  '$http_cookie',
  'include /etc/passwd;',
  '`id`',
  '%0a',
  ':80',
  ' default_server',
];
const fine = ['a', 'b7', 'lab', '-', '.', 'otree_', '/run/', 'x.sock', 'arboretum'];
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.array(fc.constantFrom(...evil, ...fine), { maxLength: 8 }).map((parts) => parts.join('')),
  fc.array(fc.constantFrom(...fine), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
  fc.tuple(fc.constantFrom('http://', 'https://', '/otree/', '/'), fc.stringMatching(/^[a-z][a-z0-9-]{0,9}$/)).map((parts) => parts.join('')),
);

describe('values', () => {
  test.each(places)('2,000 hostile strings as $name: refused, or exactly one value differs', ({ good, render }) => {
    const model = render(good);
    const count = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(hostile, (value) => {
        let config: string;
        try {
          config = render(value);
        } catch (error) {
          count.refused += 1;
          return error instanceof AppError && error.code === 'platform_failed';
        }
        count.accepted += 1;
        const [now, then] = [tokensOf(config), tokensOf(model)];
        return (
          config === model.replaceAll(good, () => value) &&
          now.length === then.length &&
          now.every((token, index) => token === then[index]?.replaceAll(good, () => value))
        );
      }),
      { numRuns: 2000 },
    );
    expect(count.refused).toBeGreaterThan(500);
    expect(count.accepted).toBeGreaterThan(0);
  });

  test.each([0, -1, 65_536, 1.5, Number.NaN, Infinity])('%s is no port', (port) => {
    expect(() => renderSite(settings, { ...route, address: { mode: 'port', port, certificate: null } })).toThrow(AppError);
  });

  test('a socket path over 107 bytes, a body limit of nothing, and the panel’s cookie as an instance’s are refused', () => {
    expect(() => renderSite(settings, { ...route, upstreamSocket: `/${'a'.repeat(107)}` })).toThrow(AppError);
    expect(() => renderSite(settings, { ...route, maxBodyMib: 0 })).toThrow(AppError);
    expect(() => renderSite(settings, { ...route, cookieName: 'arboretum' })).toThrow(AppError);
    expect(() => renderSite(settings, { ...route, cookieName: '__Host-arboretum' })).toThrow(AppError);
  });
});

describe('what is written', () => {
  test('a site tells its claim in its first line', () => {
    expect(claimOfSite(renderSite(settings, route))).toBe('host:one.lab.test');
    const onPort: FrontDoorRoute = { ...route, address: { mode: 'port', port: 8123, certificate: null } };
    expect(claimOfSite(renderSite(settings, onPort))).toBe(claimOf(onPort.address));
    expect(claimOfSite({ servers: 'server {}', locations: '', certificates: [] })).toBeNull();
  });

  test('IPv6 only where the machine has it, the user only when given, cookie flags only from nginx 1.19.3', () => {
    expect(renderMain({ ...settings, hasIpv6: false }, noDoor)).not.toContain('[::]');
    expect(renderMain({ ...settings, workerUser: null }, noDoor)).not.toMatch(/^user /m);
    expect(renderMain(settings, noDoor)).toMatch(/^user arboretum arboretum;/m);
    expect(renderSite({ ...settings, canEditCookieFlags: false }, route).servers).not.toContain('proxy_cookie_flags');
  });

  test('connections that rest outlive a reload where nginx knows how: from 1.27.4', async () => {
    const home = mkdtempSync('/tmp/ngx-old-');
    const written = async (version: string): Promise<string> => {
      const nginxBinary = path.join(home, version);
      writeFileSync(nginxBinary, `#!/bin/sh\necho 'nginx version: nginx/${version}' >&2\n`, { mode: 0o755 });
      const options = { layout: settings.layout, listenPort: 8080, workerUser: null, trustedProxies: [], maxPanelBodyMib: 5 };
      return renderMain(settingsOf(options, await new NginxProcess(settings.layout, nginxBinary).build()), noDoor);
    };
    for (const old of ['1.22.1', '1.26.3', '1.27.3']) expect(await written(old)).not.toContain('keepalive_min_timeout');
    for (const late of ['1.27.4', '1.28.0', '2.0.0']) expect(await written(late)).toContain('  keepalive_min_timeout 10s;\n');
    rmSync(home, { recursive: true });
  });

  test('nobody puts X-Frame-Options before an experiment', () => {
    expect(renderMain(settings, noDoor) + renderSite(settings, route).servers).not.toMatch(/x-frame-options/i);
  });
});
