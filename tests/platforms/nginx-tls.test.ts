// https at the front door with a real nginx: certificates per name, who is sent where, what is refused, what survives a reboot.

import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DoorCertificate, FrontDoorRoute, RouteAddress } from '../../platforms/front-door.ts';
import { Secret } from '../../platforms/secret.ts';
import { makeCertificate } from './nginx-certificates.ts';
import { ask, makeStand, never, seenBy, until, type Answer, type Stand } from './nginx-stand.ts';
import { freePort } from '../free-ports.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const panelCertificate = makeCertificate('lab.test');
const wildcard = makeCertificate('lab.test', '*.lab.test');
const oneCertificate = makeCertificate('one.lab.test');
const otherOne = makeCertificate('one.lab.test');

let stand: Stand;
let https: number;
let [paths, onPort, pendingPort, formerPort, formerPending] = [0, 0, 0, 0, 0];

type More = Partial<NonNullable<Parameters<typeof makeStand>[0]>>;
async function makeSecureStand(more: More = {}) {
  const port = await freePort();
  const made = await makeStand({ https: { port, origin: `https://lab.test:${port}` }, ...more });
  return { made, port };
}
const named = (hostName: string, certificate: DoorCertificate | null): RouteAddress => ({ mode: 'name', hostName, certificate });
const numbered = (port: number, certificate: DoorCertificate | null): RouteAddress => ({ mode: 'port', port, certificate });
const secure = (host: string, more: Partial<Parameters<typeof ask>[0]> = {}): Promise<Answer> => ask({ port: https, host, isTls: true, ...more });
const led = ({ status, headers }: Answer) => [status, headers.location];
const pending = 'The certificate of this address is on its way';

/** What a name shows in the handshake: the names of its certificate, or why there is none. */
function shown(port: number, servername: string, more: tls.ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = tls.connect({ host: '127.0.0.1', port, ...(servername === '' ? {} : { servername }), rejectUnauthorized: false, ...more }, () => {
      const { subjectaltname, fingerprint256 } = socket.getPeerCertificate();
      resolve(`${subjectaltname} ${fingerprint256}`);
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
const refusedHandshake = 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME';

const routes = (): FrontDoorRoute[] => [
  stand.route('one', {
    address: named('one.lab.test', oneCertificate),
    url: `https://one.lab.test:${https}`,
    redirects: [named('was-one.lab.test', null), numbered(formerPort, panelCertificate)],
  }),
  stand.route('soon', { address: named('soon.lab.test', null), url: `https://soon.lab.test:${https}`, redirects: [numbered(formerPending, null)] }),
  stand.route('numbered', {
    address: numbered(onPort, panelCertificate),
    url: `https://lab.test:${onPort}`,
    upstreamSocket: stand.layout.instanceSocket('one'),
  }),
  stand.route('later', { address: numbered(pendingPort, null), url: `https://lab.test:${pendingPort}`, upstreamSocket: stand.layout.instanceSocket('one') }),
  stand.route('below', {
    address: { mode: 'path', prefix: '/otree/below' },
    url: `https://lab.test:${paths}/otree/below`,
    upstreamSocket: stand.layout.instanceSocket('one'),
  }),
];

beforeAll(async () => {
  [paths, onPort, pendingPort, formerPort, formerPending] = await Promise.all([freePort(), freePort(), freePort(), freePort(), freePort()]);
  const { made, port } = await makeSecureStand({ paths: { url: `https://lab.test:${paths}/otree`, port: paths }, hstsDays: 30 });
  [stand, https] = [made, port];
  await stand.upstream('panel');
  await stand.upstream('one');
  await stand.door.setCertificates({ panel: panelCertificate, paths: panelCertificate }, never);
  await stand.door.apply(routes(), never);
});
afterAll(() => stand?.clear());

describe('certificates', () => {
  test('each name, port and path shows its own; the visitor is told to panel and instance as one of https', async () => {
    expect(await stand.door.check()).toEqual({ state: 'ok' });
    expect(await shown(https, 'lab.test')).toContain('DNS:lab.test');
    expect(await shown(https, 'one.lab.test')).toContain('DNS:one.lab.test');
    const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '127.0.0.1' };
    for (const [name, answer] of [
      ['panel', await secure('lab.test', { headers: { 'X-Forwarded-Proto': 'http' } })],
      ['one', await secure('one.lab.test', { path: '/p/x' })],
      ['one', await secure('lab.test', { port: onPort })],
      ['one', await secure('lab.test', { port: paths, path: '/otree/below/' })],
    ] as const) {
      expect(seenBy(answer)).toMatchObject({ name, headers: forwarded });
    }
  });

  test('a name that has none, or that nobody has, or no name at all: the handshake is refused', async () => {
    for (const name of ['soon.lab.test', 'was-one.lab.test', 'nobody.lab.test', 'a.b.lab.test', 'evil.example', '']) {
      expect([name, await shown(https, name)]).toEqual([name, refusedHandshake]);
    }
    for (const port of [pendingPort, formerPending]) expect(await shown(port, 'lab.test')).toBe(refusedHandshake);
  });

  test('TLS 1.2 and 1.3 only', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      expect(await shown(https, 'lab.test', { minVersion: version, maxVersion: version })).toContain('DNS:lab.test');
    }
    expect(await shown(https, 'lab.test', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).not.toContain('DNS:');
  });

  test('HTTP/2 with cookies in pieces, as browsers send them: only one’s own pass', async () => {
    const session = http2.connect(`https://127.0.0.1:${https}`, { servername: 'one.lab.test', rejectUnauthorized: false });
    const stream = session.request({
      ':path': '/p/x',
      ':authority': 'one.lab.test',
      cookie: ['otree_one=1', '__Host-arboretum=secret', 'otree_two=2', 'theme=dark', 'arboretum=secret'],
    });
    let body = '';
    for await (const piece of stream.setEncoding('utf8')) body += String(piece);
    session.close();
    const { headers } = JSON.parse(body) as { headers: Record<string, string> };
    expect([headers['cookie'], headers['host'], headers['x-forwarded-proto']]).toEqual(['otree_one=1; theme=dark', 'one.lab.test', 'https']);
  });

  test('HTTP/2 where the browser wants it', async () => {
    const socket = tls.connect({ host: '127.0.0.1', port: https, servername: 'one.lab.test', rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    expect(socket.alpnProtocol).toBe('h2');
    socket.destroy();
  });

  test('a websocket passes, and lives through a renewed certificate; new visitors see the new one', async () => {
    const socket = tls.connect({ host: '127.0.0.1', port: https, servername: 'one.lab.test', rejectUnauthorized: false });
    let heard = '';
    socket.setEncoding('utf8').on('data', (piece: string) => (heard += piece));
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13';
    socket.write(`GET /live HTTP/1.1\r\nHost: one.lab.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${key}\r\n\r\n`);
    await until('the websocket opens', () => heard.includes('tick 1\n'));
    const before = await shown(https, 'one.lab.test');
    const [first] = routes();
    await stand.door.applyOne('one', { ...(first as FrontDoorRoute), address: named('one.lab.test', otherOne) }, never);
    expect(await shown(https, 'one.lab.test')).not.toBe(before);
    socket.write('still here');
    await until('it goes on', () => heard.includes('heard still here'));
    socket.destroy();
    await stand.door.apply(routes(), never);
    expect(await shown(https, 'one.lab.test')).toBe(before);
  });

  test('lie in files that only their owner reads, each once, and go when nobody names them', async () => {
    const dir = stand.layout.nginxCertificates;
    const files = await readdir(dir);
    expect(files).toHaveLength(2);
    for (const file of files) {
      expect(statSync(path.join(dir, file)).mode & 0o777).toBe(0o600);
      expect(readFileSync(path.join(dir, file), 'utf8')).toContain('PRIVATE KEY');
    }
    await stand.door.applyOne('one', null, never);
    expect(await readdir(dir)).toHaveLength(1);
    await stand.door.apply(routes(), never);
    const others = await Promise.all([stand.layout.nginxConfig, path.join(stand.layout.nginxSites, 'one.conf')].map((file) => readFile(file, 'utf8')));
    expect(others.join('')).not.toContain('PRIVATE KEY');
  });

  test.each([
    ['another one’s key', { chain: oneCertificate.chain, privateKey: otherOne.privateKey }, 'does not go with its key'],
    ['no certificate', { chain: '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----', privateKey: otherOne.privateKey }, 'no certificate in PEM form'],
    ['no key', { chain: oneCertificate.chain, privateKey: new Secret('x') }, 'key cannot be read'],
  ])('%s: refused in a sentence without the key, the old one stays, others too', async (_, bad, sentence) => {
    const [first] = routes();
    const before = await shown(https, 'one.lab.test');
    await expect(stand.door.applyOne('one', { ...(first as FrontDoorRoute), address: named('one.lab.test', bad) }, never)).rejects.toThrow(sentence);
    await expect(stand.door.setCertificates({ panel: bad, paths: null }, never)).rejects.toThrow(sentence);
    expect(await shown(https, 'one.lab.test')).toBe(before);
    expect(await shown(https, 'lab.test')).toContain('DNS:lab.test');
    const { refused } = await stand.door.apply([stand.route('bad', { address: named('bad.lab.test', bad) }), ...routes()], never);
    expect(refused.map(({ instanceId }) => instanceId)).toEqual(['bad']);
    await stand.door.apply(routes(), never);
    expect(await stand.door.check()).toEqual({ state: 'ok' });
  });

  test('a key that nginx’s own rules refuse takes nobody else down', async () => {
    const home = path.join(stand.base, 'weak');
    await mkdir(home);
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:512', '-nodes', '-keyout', `${home}/k`, '-out', `${home}/c`, '-subj', '/CN=weak.lab.test'], {
      stdio: 'pipe',
    });
    const weak = { chain: await readFile(`${home}/c`, 'utf8'), privateKey: new Secret(await readFile(`${home}/k`, 'utf8')) };
    const { refused } = await stand.door.apply([...routes(), stand.route('weak', { address: named('weak.lab.test', weak) })], never);
    expect(refused.map(({ instanceId }) => instanceId)).toEqual(['weak']);
    expect(seenBy(await secure('one.lab.test')).name).toBe('one');
    await expect(stand.door.setCertificates({ panel: weak, paths: panelCertificate }, never)).rejects.toThrow('nginx refuses its configuration');
    expect(seenBy(await secure('lab.test')).name).toBe('panel');
    expect(await stand.door.check()).toEqual({ state: 'ok' });
  });
});

describe('the plain port', () => {
  test('sends everybody to https, port, path and query kept', async () => {
    expect(led(await stand.ask('lab.test', { path: '/instances?x=1' }))).toEqual([308, `https://lab.test:${https}/instances?x=1`]);
    expect(led(await stand.ask('one.lab.test', { path: '/p/x', method: 'POST', body: 'a=1' }))).toEqual([308, `https://one.lab.test:${https}/p/x`]);
    expect(led(await stand.ask('192.0.2.1', { path: '//evil.example' }))).toEqual([308, `https://lab.test:${https}//evil.example`]);
    expect((await stand.ask('nobody.lab.test')).status).toBe(404);
  });

  test('no number in the address when it is 443 for people, whatever nginx listens on', async () => {
    const { made } = await makeSecureStand({ https: { port: await freePort(), origin: 'https://lab.test' } });
    await made.door.setCertificates({ panel: panelCertificate, paths: null }, never);
    expect(led(await made.ask('lab.test', { path: '/x' }))).toEqual([308, 'https://lab.test/x']);
    await made.clear();
  });

  test('of an instance: without encryption one is led to the address with it', async () => {
    expect(led(await ask({ port: onPort, host: 'lab.test', path: '/p/x?y' }))).toEqual([308, `https://lab.test:${onPort}/p/x?y`]);
    expect(led(await ask({ port: paths, host: 'lab.test', path: '/otree/below/' }))).toEqual([308, `https://lab.test:${paths}/otree/below/`]);
  });

  test('a page says that the certificate is on its way, and looks again', async () => {
    for (const answer of [await stand.ask('soon.lab.test', { path: '/p/x' }), await ask({ port: pendingPort, host: 'lab.test' })]) {
      expect([answer.status, answer.headers['retry-after'], answer.headers['strict-transport-security']]).toEqual([503, '5', undefined]);
      expect(answer.body).toContain(pending);
      expect(answer.body).toMatch(/http-equiv="refresh"/);
    }
  });

  test('former addresses lead on with and without encryption, with and without a certificate', async () => {
    const url = `https://one.lab.test:${https}`;
    expect(led(await stand.ask('was-one.lab.test', { path: '/p/x' }))).toEqual([307, `${url}/p/x`]);
    expect(led(await secure('lab.test', { port: formerPort, path: '/p/x?y' }))).toEqual([307, `${url}/p/x?y`]);
    expect(led(await ask({ port: formerPort, host: 'lab.test', path: '/p/x' }))).toEqual([308, `${url}/p/x`]);
    expect(led(await ask({ port: formerPending, host: 'lab.test', path: '/p/x' }))).toEqual([308, `https://soon.lab.test:${https}/p/x`]);
  });

  test('an authority finds its answer on every name, with https and without', async () => {
    const plain = await makeStand({ paths: { url: 'http://otree.test/otree', port: null } });
    await plain.door.apply([plain.route('one'), { ...plain.route('two'), redirects: [named('was.lab.test', null)] }], never);
    for (const [one, names] of [
      [stand, ['lab.test', 'one.lab.test', 'soon.lab.test', 'was-one.lab.test', 'nobody.lab.test', 'evil.example', '127.0.0.1']],
      [plain, ['lab.test', 'one.lab.test', 'was.lab.test', 'nobody.lab.test', 'otree.test', 'evil.example']],
    ] as const) {
      await writeFile(path.join(one.layout.acmeChallenges, 'token_-1'), 'token_-1.thumbprint', { mode: 0o644 });
      for (const name of names) {
        const answer = await one.ask(name, { path: '/.well-known/acme-challenge/token_-1' });
        expect([name, answer.status, answer.body, answer.headers['content-type']]).toEqual([name, 200, 'token_-1.thumbprint', 'text/plain']);
        expect((await one.ask(name, { path: '/.well-known/acme-challenge/../../../nginx.conf' })).body).not.toContain('worker_processes');
        expect((await one.ask(name, { path: '/.well-known/acme-challenge/..%2f..%2fnginx.conf' })).body).not.toContain('worker_processes');
        expect([403, 404]).toContain((await one.ask(name, { path: '/.well-known/acme-challenge/none' })).status);
      }
    }
    await plain.clear();
  });
});

describe('Strict-Transport-Security', () => {
  const header = ({ headers }: Answer) => headers['strict-transport-security'];
  test('is said by panel, instances and pages over https only, for as long as was set, whatever they say themselves', async () => {
    const age = String(30 * 86_400);
    for (const answer of [
      await secure('lab.test'),
      await secure('one.lab.test'),
      await secure('lab.test', { port: onPort }),
      await secure('lab.test', { port: paths, path: '/otree/nobody/' }),
    ]) {
      expect(header(answer)).toBe(`max-age=${age}`);
    }
    for (const name of ['lab.test', 'soon.lab.test', 'nobody.lab.test']) expect(header(await stand.ask(name))).toBeUndefined();
  });

  test('is not said where it is 0; behind a proxy that holds the certificate it is', async () => {
    const { made, port } = await makeSecureStand();
    await made.upstream('panel');
    await made.door.setCertificates({ panel: panelCertificate, paths: null }, never);
    expect(header(await ask({ port, host: 'lab.test', isTls: true }))).toBeUndefined();
    await made.clear();
    const behind = await makeStand({ trustedProxies: ['127.0.0.1'], hstsDays: 1 });
    await behind.upstream('panel');
    await behind.door.apply([], never);
    expect(header(await behind.ask('lab.test', { headers: { 'X-Forwarded-Proto': 'https' } }))).toBe('max-age=86400');
    expect(header(await behind.ask('lab.test'))).toBeUndefined();
    await behind.clear();
  });
});

describe('a wildcard certificate of the panel', () => {
  test('lets names that nobody has say so; a name that waits for its own is still refused', async () => {
    await stand.door.setCertificates({ panel: wildcard, paths: panelCertificate }, never);
    const answer = await secure('nobody.lab.test');
    expect(answer.status).toBe(404);
    expect(answer.body).toContain('There is no experiment at this address');
    expect(await shown(https, 'soon.lab.test')).toBe(refusedHandshake);
    for (const name of ['a.b.lab.test', 'xlab.test', 'evil.example']) expect(await shown(https, name)).toBe(refusedHandshake);
    expect(await shown(https, 'one.lab.test')).toContain('DNS:one.lab.test');
    await stand.door.setCertificates({ panel: panelCertificate, paths: panelCertificate }, never);
    expect(await shown(https, 'nobody.lab.test')).toBe(refusedHandshake);
  });
});

describe('before there is a certificate for the panel', () => {
  test('handshakes are refused, and a page says what is missing; it comes without anybody losing a socket', async () => {
    const { made, port } = await makeSecureStand({ paths: { url: 'https://otree.test/otree', port: null } });
    await made.upstream('panel');
    await made.upstream('one');
    await made.door.apply([made.route('one', { address: { mode: 'path', prefix: '/otree/one' } })], never);
    for (const name of ['lab.test', 'otree.test']) {
      expect(await shown(port, name)).toBe(refusedHandshake);
      expect((await made.ask(name)).body).toContain(pending);
    }
    await made.door.setCertificates({ panel: panelCertificate, paths: makeCertificate('otree.test') }, never);
    expect(seenBy(await ask({ port, host: 'lab.test', isTls: true })).name).toBe('panel');
    expect(seenBy(await ask({ port, host: 'otree.test', path: '/otree/one/', isTls: true }))).toMatchObject({
      name: 'one',
      headers: { 'x-forwarded-proto': 'https' },
    });
    expect(led(await made.ask('otree.test', { path: '/otree/one/' }))).toEqual([308, 'https://otree.test/otree/one/']);
    await made.clear();
  });
});

describe('a panel without a host name', () => {
  test('is the one for all who come without a name', async () => {
    const port = await freePort();
    const { made } = await makeSecureStand({ https: { port, origin: `https://127.0.0.1:${port}` }, panelHostNames: [] });
    await made.upstream('panel');
    await made.door.setCertificates({ panel: panelCertificate, paths: null }, never);
    expect(seenBy(await ask({ port, host: '127.0.0.1', isTls: true })).name).toBe('panel');
    expect(led(await made.ask('127.0.0.1'))).toEqual([308, `https://127.0.0.1:${port}/`]);
    await made.clear();
  });
});

describe('after a reboot', () => {
  test('https is there before the worker: panel, paths and instances as they were', async () => {
    await stand.door.stop(never);
    await stand.newDoor().start();
    expect(seenBy(await secure('lab.test')).name).toBe('panel');
    expect(seenBy(await secure('one.lab.test')).name).toBe('one');
    expect(seenBy(await secure('lab.test', { port: paths, path: '/otree/below/' })).name).toBe('one');
  });

  test('lost files: the door comes up with what is left, check says what is missing, setting it again heals', async () => {
    await stand.door.stop(never);
    await rm(stand.layout.nginxCertificates, { recursive: true });
    const next = stand.newDoor();
    await next.start();
    expect(await next.check()).toEqual({
      state: 'drifted',
      reason: 'The certificate of the panel was lost from the disk: no https there until it is set again.',
    });
    expect((await stand.ask('lab.test')).body).toContain(pending);
    expect((await stand.ask('soon.lab.test')).body).toContain(pending);
    await next.setCertificates({ panel: panelCertificate, paths: panelCertificate }, never);
    expect(seenBy(await secure('lab.test')).name).toBe('panel');
    expect(await next.check()).toMatchObject({ state: 'drifted', reason: expect.stringMatching(/^Instance \w+ is not reachable: /) });
    await next.apply(routes(), never);
    expect(await next.check()).toEqual({ state: 'ok' });
    expect(seenBy(await secure('one.lab.test')).name).toBe('one');
    await stand.door.repair(never);
  });

  test('while it runs a lost or changed certificate file is seen and written anew', async () => {
    const [file = ''] = await readdir(stand.layout.nginxCertificates);
    const full = path.join(stand.layout.nginxCertificates, file);
    for (const harm of [() => rm(full), () => writeFile(full, 'x')]) {
      await harm();
      expect(await stand.door.check()).toEqual({ state: 'drifted', reason: `${full} is not as it was written.` });
      await stand.door.repair(never);
      expect(await stand.door.check()).toEqual({ state: 'ok' });
    }
  });
});
