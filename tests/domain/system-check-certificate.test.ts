// The certificate: real TLS servers with certificates made for each test.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Checked } from '../../contracts/system-check.ts';
import { runCheck } from '../../domain/system-check.ts';
import { certificateChecks, lookAtCertificate } from '../../domain/system-check-certificate.ts';
import { surroundings } from '../surroundings.ts';

const home = mkdtempSync(path.join(os.tmpdir(), 'arb-tls-'));
const at = (name: string): string => path.join(home, name);
const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });

beforeAll(() =>
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '400', '-subj', '/CN=Authority of a test'),
);
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** A key and a certificate of the test's authority, or one that signed itself. */
function issue({ days, names = 'DNS:localhost', signsItself = false }: { days: number; names?: string; signsItself?: boolean }): { key: Buffer; cert: Buffer } {
  writeFileSync(at('names.cnf'), `subjectAltName=${names}\n`);
  openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('leaf.key'), '-out', at('leaf.csr'), '-subj', '/CN=test');
  const signer = signsItself ? ['-signkey', at('leaf.key')] : ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'];
  openssl('x509', '-req', '-in', at('leaf.csr'), ...signer, '-days', String(days), '-extfile', at('names.cnf'), '-out', at('leaf.pem'));
  return { key: readFileSync(at('leaf.key')), cert: readFileSync(at('leaf.pem')) };
}

async function check(certificate: Parameters<typeof issue>[0] | null, protocol = 'https'): Promise<Checked> {
  const server = certificate === null ? null : tls.createServer(issue(certificate), (socket) => socket.on('error', () => undefined).end());
  if (server) await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const port = server === null ? 9 : (server.address() as AddressInfo).port;
  const around = surroundings({ PUBLIC_URL: `${protocol}://localhost:${port}` }, { trusted: readFileSync(at('ca.pem'), 'utf8') });
  const [one] = certificateChecks;
  if (!one) throw new Error('there is no check');
  const result = await runCheck(one, { ...around, certificate: lookAtCertificate(around) });
  server?.close();
  return result;
}

describe('a certificate', () => {
  it('of a trusted authority with many days left is good, with its days and names', async () => {
    expect(await check({ days: 80, names: 'DNS:localhost,DNS:*.localhost' })).toMatchObject({
      result: 'good',
      seen: expect.stringMatching(/^Valid for (79|80) days more, for localhost, \*\.localhost,/),
    });
  });

  it('that ends in two weeks needs attention, in five days it is bad', async () => {
    expect(await check({ days: 14 })).toMatchObject({ result: 'attention', request: expect.stringContaining('Please renew it') });
    expect(await check({ days: 5 })).toMatchObject({ result: 'bad', seen: expect.stringMatching(/^Valid for [45] days more/) });
  });

  it('that signed itself is bad', async () => {
    expect(await check({ days: 5, signsItself: true })).toMatchObject({ result: 'bad', seen: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT') });
  });

  it('for another name is bad, and both names are said', async () => {
    expect(await check({ days: 80, names: 'DNS:other.example' })).toMatchObject({
      result: 'bad',
      seen: 'The certificate is for other.example, not for localhost.',
    });
  });

  it('that has ended is bad', async () => {
    expect(await check({ days: -1 })).toMatchObject({ result: 'bad', seen: expect.stringMatching(/^The certificate ended (1 day|less than a day) ago\./) });
  });

  it('that nobody shows at an https address is bad', async () => {
    expect(await check(null)).toMatchObject({ result: 'bad', seen: expect.stringContaining('ECONNREFUSED') });
  });

  it('is missing at an http address that others use', async () => {
    const [one] = certificateChecks;
    const around = surroundings({ PUBLIC_URL: 'http://otree.example.org' });
    expect(one && (await runCheck(one, { ...around, certificate: lookAtCertificate(around) }))).toMatchObject({ result: 'attention' });
    expect(await check(null, 'http')).toMatchObject({ result: 'not-here' });
  });
});
