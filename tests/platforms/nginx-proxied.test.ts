// https taken by a proxy in front and by this nginx as well: nobody is led round in circles, and nobody gets in without encryption.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { lookAtNames } from '../../domain/system-check-names.ts';
import { lookAtPaths, pathChecks } from '../../domain/system-check-paths.ts';
import { reachChecks } from '../../domain/system-check-reach.ts';
import { runCheck } from '../../domain/system-check.ts';
import type { FrontDoorRoute } from '../../platforms/front-door.ts';
import { startProxyInFront, type ProxyInFront } from '../proxy-in-front.ts';
import { surroundings } from '../surroundings.ts';
import { makeCertificate } from './nginx-certificates.ts';
import { ask, handshake, makeStand, never, seenBy, sendBytes, until, type Answer, type Stand } from './nginx-stand.ts';
import { freePort } from '../free-ports.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const certificate = makeCertificate('localhost', '*.localhost');
const led = ({ status, headers }: Answer) => [status, headers.location];
const pending = 'The certificate of this address is on its way';

type Doubled = { readonly stand: Stand; readonly front: ProxyInFront; readonly secure: number; readonly routes: () => FrontDoorRoute[] };

/** A door with https of its own, and Debian's nginx in front that passes on to its plain port. */
async function makeDoubled(trustedProxies: readonly string[], isCertified = true): Promise<Doubled> {
  const [secure, front, http] = [await freePort(), await freePort(), await freePort()];
  const stand = await makeStand({
    panelHostNames: ['localhost'],
    https: { port: secure, origin: `https://localhost:${front}` },
    paths: { url: `https://paths.localhost:${front}/otree`, port: null },
    trustedProxies,
    hstsDays: 1,
  });
  await stand.upstream('panel');
  await stand.upstream('one');
  const shown = isCertified ? certificate : null;
  const routes = () => [
    stand.route('one', { address: { mode: 'name', hostName: 'one.localhost', certificate: shown }, url: `https://one.localhost:${front}` }),
    stand.route('below', {
      address: { mode: 'path', prefix: '/otree/below' },
      url: `https://paths.localhost:${front}/otree/below`,
      upstreamSocket: stand.layout.instanceSocket('one'),
    }),
  ];
  if (isCertified) await stand.door.setCertificates({ panel: certificate, paths: certificate }, never);
  const { refused } = await stand.door.apply(routes(), never);
  expect(refused).toEqual([]);
  const doubled = { stand, front: startProxyInFront({ host: 'localhost', http, https: front, panel: stand.port }), secure, routes };
  await until(
    'the proxy answers',
    () =>
      through(doubled, 'localhost').then(
        () => true,
        () => false,
      ),
    20_000,
  );
  return doubled;
}
const through = ({ front }: Pick<Doubled, 'front'>, host: string, target = '/'): Promise<Answer> =>
  ask({ port: front.port, host: `${host}:${front.port}`, path: target, isTls: true });
async function clear({ stand, front }: Doubled): Promise<void> {
  await front.stop();
  await stand.clear();
}

const addresses = [
  ['localhost', '/instances?x=1', 'panel'],
  ['localhost', '/api/v1/me', 'panel'],
  ['one.localhost', '/p/x', 'one'],
  ['paths.localhost', '/otree/below/p/x', 'one'],
] as const;

describe('a proxy that was named', () => {
  let doubled: Doubled;
  beforeAll(async () => {
    doubled = await makeDoubled(['127.0.0.1']);
  });
  afterAll(() => clear(doubled));

  test.each(addresses)('that says its visitor came by https: %s%s is answered on the plain port', async (host, target, name) => {
    const answer = await through(doubled, host, target);
    expect(seenBy(answer)).toMatchObject({ name, url: target, headers: { 'x-forwarded-proto': 'https', 'x-forwarded-for': '127.0.0.1' } });
    expect(answer.headers['strict-transport-security']).toBe('max-age=86400');
  });

  test('opens websockets there', async () => {
    const { stand } = doubled;
    const { state, socket } = await sendBytes(stand.port, handshake('one.localhost', '/live').replace('\r\n\r\n', '\r\nX-Forwarded-Proto: https\r\n\r\n'));
    await until('the websocket opens', () => state.text.includes('101 Switching') && state.text.includes('tick 1\n'));
    socket.destroy();
  });

  test.each(addresses)('that says http, or nothing: %s%s leads to https', async (host, target) => {
    const { stand, front } = doubled;
    for (const headers of [{}, { 'X-Forwarded-Proto': 'http' }] as const) {
      const answer = await stand.ask(host, { path: target, headers });
      expect(led(answer)).toEqual([308, `https://${host}:${front.port}${target}`]);
      expect(answer.headers['cache-control']).toBe('no-store');
    }
  });

  test('takes nothing from others: who only says so is led to https, and https is taken as before', async () => {
    const { stand, front, secure } = doubled;
    const { state } = await sendBytes(
      stand.port,
      'GET /x HTTP/1.1\r\nHost: one.localhost\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n',
      '127.0.0.3',
    );
    await until('an answer comes', () => state.isClosed);
    expect(state.text).toContain('HTTP/1.1 308');
    expect(state.text).toContain(`Location: https://one.localhost:${front.port}/x`);
    for (const [host, target, name] of addresses) expect(seenBy(await ask({ port: secure, host, path: target, isTls: true })).name).toBe(name);
  });

  test('an authority finds its answers, nobody’s names and paths are nobody’s, and the panel knows itself below the paths', async () => {
    const { stand } = doubled;
    await writeFile(path.join(stand.layout.acmeChallenges, 'token'), 'thumbprint', { mode: 0o644 });
    for (const host of ['localhost', 'one.localhost', 'paths.localhost']) {
      expect((await stand.ask(host, { path: '/.well-known/acme-challenge/token' })).body).toBe('thumbprint');
    }
    for (const target of ['/otree', '/otree/nobody/', '/elsewhere']) expect((await through(doubled, 'paths.localhost', target)).status).toBe(404);
    expect((await through(doubled, 'nobody.localhost')).status).toBe(404);
    expect(seenBy(await through(doubled, 'paths.localhost', '/otree/healthz'))).toMatchObject({ name: 'panel', url: '/healthz' });
  });

  test('is answered also while this nginx has no certificate; others see that it is on its way', async () => {
    const waiting = await makeDoubled(['127.0.0.1'], false);
    for (const [host, target, name] of addresses) {
      expect(seenBy(await through(waiting, host, target)).name).toBe(name);
      const other = await waiting.stand.ask(host, { path: target });
      expect([other.status, other.headers['retry-after']]).toEqual([503, '5']);
      expect(other.body).toContain(pending);
    }
    await clear(waiting);
  });
});

describe('a proxy that was not named', () => {
  test('leads its visitors round in circles; the system check sees it at the panel’s address and at that of the paths, and says what to do', async () => {
    const doubled = await makeDoubled([]);
    const { port } = doubled.front;
    for (const [host, target] of addresses) expect(led(await through(doubled, host, target))).toEqual([308, `https://${host}:${port}${target}`]);
    const around = surroundings({
      PUBLIC_URL: `https://localhost:${port}`,
      HTTPS_PORT: String(doubled.secure),
      PORT: String(doubled.stand.port),
      ADDRESS_MODE: 'path',
      PATH_URL: `https://paths.localhost:${port}/otree`,
    });
    const facts = { ...around, nameFacts: lookAtNames(around), pathFacts: lookAtPaths(around) };
    const [reached, below] = [reachChecks.find(({ id }) => id === 'reached'), pathChecks.find(({ id }) => id === 'path-reached')];
    for (const [check, host] of [
      [reached, 'localhost'],
      [below, 'paths.localhost'],
    ] as const) {
      expect(await runCheck(check!, facts)).toMatchObject({
        result: 'bad',
        seen: `Requests to https://${host}:${port} go round in circles: the answer leads to the same address again.`,
        means: expect.stringContaining(`passes requests on to PORT (${doubled.stand.port}) without it`),
        fix: expect.stringContaining('TRUSTED_PROXIES'),
        request: expect.stringContaining(`Your proxy in front of ${host}: please let it send X-Forwarded-Proto`),
      });
    }
    await clear(doubled);
  });
});
