// Certificates by ACME: a real authority (pebble), and a stub for the answers that it never gives.

import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { acmeAuthority, type AcmeOptions } from '../../platforms/acme.ts';
import type { StoryStep } from '../../platforms/certificate-authority.ts';
import { problemError, readProblem } from '../../platforms/acme-problems.ts';
import { Secret } from '../../platforms/secret.ts';
import { hasPebble, serveChallenges, startPebble, type Pebble } from '../pebble.ts';

const home = mkdtempSync(path.join(os.tmpdir(), 'arb-acme-'));
const challengesDir = path.join(home, 'challenges');
const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const keep = <T extends { close(): Promise<void> }>(thing: T): T => (opened.push(() => thing.close()), thing);
const newKey = (): Secret => new Secret(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
const optionsFor = (pebble: Pick<Pebble, 'directoryUrl' | 'caFile'>, more: Partial<AcmeOptions> = {}): AcmeOptions => ({
  directoryUrl: pebble.directoryUrl,
  email: 'lab@lab.example',
  ca: readFileSync(pebble.caFile, 'utf8'),
  accountKey: newKey(),
  challengesDir,
  ...more,
});
const story: string[] = [];
const step: StoryStep = (name, _label, work) => (story.push(name), work());
const get = (options: AcmeOptions, hostName = 'lab.test', signal = new AbortController().signal) => acmeAuthority(options).issue(hostName, { signal, step });
/** Where challenges are served, and an authority that asks there. */
async function stand(answer?: () => string | null, wanted: Parameters<typeof startPebble>[0] = {}) {
  const web = keep(await serveChallenges(() => challengesDir, answer));
  const pebble = keep(await startPebble({ httpPort: web.port, ...wanted }));
  pebble.dns.tell('lab.test', ['127.0.0.1']);
  return { web, pebble };
}

describe.skipIf(!hasPebble)('a real authority', () => {
  it('gives a certificate for a name that leads here, in three steps, and nothing is left in the folder', async () => {
    const { web, pebble } = await stand();
    mkdirSync(challengesDir, { recursive: true });
    writeFileSync(path.join(challengesDir, 'left-by-a-killed-worker'), 'old');
    story.length = 0;
    const { chain, privateKey } = await get(optionsFor(pebble));
    expect(story).toEqual(['order', 'challenge', 'certificate']);
    const certificate = new X509Certificate(chain);
    expect(certificate.subjectAltName).toBe('DNS:lab.test');
    expect(certificate.checkPrivateKey(createPrivateKey(privateKey.open()))).toBe(true);
    expect(chain.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(1);
    // From several places, as Let's Encrypt does.
    expect([...new Set(web.asked)]).toEqual([expect.stringMatching(/^lab\.test\/\.well-known\/acme-challenge\/[\w-]+$/)]);
    expect(readdirSync(challengesDir)).toEqual([]);
    expect(statSync(challengesDir).mode & 0o777).toBe(0o755);
  });

  it('takes the same account for the same key, and a nonce that it refuses is answered', async () => {
    const { pebble } = await stand(undefined, { refusedNonces: 25 });
    const options = optionsFor(pebble);
    await get(options);
    await get(options);
    expect(pebble.log().match(/There are now \d+ accounts in memory/g)).toEqual(['There are now 1 accounts in memory']);
    // One nonce is fetched for each request; what was refused is sent again with the nonce of the refusal.
    const count = (pattern: RegExp): number => pebble.log().match(pattern)?.length ?? 0;
    expect(count(/ POST /g)).toBeGreaterThan(count(/ HEAD \/nonce/g));
  });

  it('says that the name led elsewhere when it got another answer', async () => {
    const { pebble } = await stand(() => 'another web server');
    await expect(get(optionsFor(pebble))).rejects.toMatchObject({
      code: 'acme_wrong_answer',
      message: expect.stringContaining('http://lab.test/.well-known/acme-challenge/…'),
    });
    expect(readdirSync(challengesDir)).toEqual([]);
  });

  it('says that port 80 must be open when nobody answered', async () => {
    const pebble = keep(await startPebble());
    pebble.dns.tell('lab.test', ['127.0.0.1']);
    await expect(get(optionsFor(pebble))).rejects.toMatchObject({ code: 'acme_no_answer', hint: expect.stringContaining('Port 80 must be open') });
  });

  it('says that DNS has no address for the name', async () => {
    const { pebble } = await stand();
    await expect(get(optionsFor(pebble), 'nowhere.test')).rejects.toMatchObject({ code: 'acme_dns', message: expect.stringContaining('nowhere.test') });
  });

  it('says that it gives none for such a name', async () => {
    const { pebble } = await stand(undefined, { blocked: ['blocked.test'] });
    await expect(get(optionsFor(pebble), 'blocked.test')).rejects.toMatchObject({ code: 'acme_rejected_name' });
  });

  it('whose own certificate is not trusted is not asked', async () => {
    const { pebble } = await stand();
    await expect(get(optionsFor(pebble, { ca: null }))).rejects.toMatchObject({ code: 'acme_untrusted', hint: expect.stringContaining('ACME_CA_FILE') });
    expect(pebble.log()).not.toContain('new-acct');
  });

  it('that is away is said to be away', async () => {
    const pebble = await startPebble();
    const options = optionsFor(pebble);
    await pebble.close();
    await expect(get(options)).rejects.toMatchObject({ code: 'acme_unreachable', message: expect.stringContaining('ECONNREFUSED') });
  });

  it('is left at once when the worker stops, and the challenge is taken away', async () => {
    const stopping = new AbortController();
    const { pebble } = await stand(() => (stopping.abort(new Error('the worker stops')), null));
    await expect(get(optionsFor(pebble), 'lab.test', stopping.signal)).rejects.toThrow('the worker stops');
    expect(readdirSync(challengesDir)).toEqual([]);
  });
});

/** An authority that answers every order with one problem. @see RFC 8555 §6.7 */
async function refusing(status: number, type: string, headers: Readonly<Record<string, string>> = {}): Promise<AcmeOptions> {
  const server = http.createServer((request, response) => {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const json = (code: number, body: unknown, more = {}): unknown =>
      response.writeHead(code, { 'Content-Type': 'application/json', 'Replay-Nonce': 'n', ...more }).end(JSON.stringify(body));
    if (request.url === '/dir') return json(200, { newNonce: `${base}/nonce`, newAccount: `${base}/account`, newOrder: `${base}/order` });
    if (request.url === '/account') return json(201, { status: 'valid' }, { Location: `${base}/account/1` });
    if (request.url === '/order') return json(status, { type: `urn:ietf:params:acme:error:${type}`, detail: 'too many certificates.' }, headers);
    return json(200, {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))));
  const directoryUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dir`;
  return { directoryUrl, email: 'lab@lab.example', ca: null, accountKey: newKey(), challengesDir };
}

describe('an answer that pebble never gives (a stub)', () => {
  it('too many certificates: said at once with the time of the next try, not waited for', async () => {
    const options = await refusing(429, 'rateLimited', { 'Retry-After': '3600' });
    await expect(get(options)).rejects.toMatchObject({ code: 'acme_rate_limited', details: { retryAfterSeconds: 3600, detail: 'too many certificates.' } });
  });

  it.each([
    [403, 'userActionRequired', 'acme_user_action'],
    [403, 'caa', 'acme_caa'],
    [500, 'serverInternal', 'acme_busy'],
    [400, 'badNonce', 'acme_busy'],
    [403, 'externalAccountRequired', 'acme_account_needed'],
    [400, 'tls', 'acme_tls'],
    [418, 'teapot', 'acme_refused'],
  ])('%i %s is %s', async (status, type, code) => {
    await expect(get(await refusing(status, type))).rejects.toMatchObject({ code });
  });

  it('never names the account’s key', async () => {
    const options = await refusing(418, 'teapot');
    const error: unknown = await get(options).catch((raw: unknown) => raw);
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(options.accountKey.open().split('\n')[1]);
    expect(existsSync(challengesDir)).toBe(true);
  });
});

describe('a problem document', () => {
  it('with several problems in it is the first of them', () => {
    const inner = { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA forbids' };
    const problem = readProblem({ type: 'urn:ietf:params:acme:error:compound', detail: 'several', subproblems: [inner] });
    expect(problem && problemError({ authority: 'ca.test', hostName: 'lab.test' }, problem).code).toBe('acme_caa');
  });

  it('is none without an ACME type', () => {
    expect([readProblem('<html>'), readProblem(null), readProblem({ type: 'about:blank' })]).toEqual([null, null, null]);
  });
});
