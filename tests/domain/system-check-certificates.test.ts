// The system check of https that the panel takes itself: names, files, the authority, port 80.

import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Checked } from '../../contracts/system-check.ts';
import { readCertificateFiles } from '../../domain/certificate-files.ts';
import { rememberSeen } from '../../domain/certificate-seen.ts';
import { runCheck } from '../../domain/system-check.ts';
import { ownCertificateChecks } from '../../domain/system-check-certificates.ts';
import { makeAuthority, type Maker } from '../certificate-maker.ts';
import { testContext, type TestContext } from '../factories.ts';
import { hasPebble, startPebble } from '../pebble.ts';
import { surroundings } from '../surroundings.ts';

let maker: Maker;
let ctx: TestContext;
beforeAll(() => void (maker = makeAuthority()));
afterAll(() => maker.clear());
beforeEach(async () => {
  ctx = await testContext({ PUBLIC_URL: 'https://lab.test', HTTPS_PORT: '8443' });
  mkdirSync(ctx.config.certificatesDir, { recursive: true });
  return () => ctx.close();
});

const put = (name: string, wanted: Parameters<Maker['issue']>[0]): void => {
  const { chain, key } = maker.issue(wanted);
  writeFileSync(path.join(ctx.config.certificatesDir, `${name}.pem`), chain);
  writeFileSync(path.join(ctx.config.certificatesDir, `${name}.key`), key);
};
const see = async (...hostNames: string[]): Promise<void> => rememberSeen(ctx, hostNames, await readCertificateFiles(ctx.config.certificatesDir));

function check(id: string, env: Readonly<Record<string, string>> = {}): Promise<Checked> {
  const one = ownCertificateChecks.find((check) => check.id === id);
  if (!one) throw new Error(`there is no check ${id}`);
  const settings = { PUBLIC_URL: 'https://lab.test', HTTPS_PORT: '8443', CERTIFICATES_DIR: ctx.config.certificatesDir, ...env };
  return runCheck(one, surroundings(settings, { query: (sql) => ctx.db.$queryRawUnsafe(sql) }));
}

describe('certificates of all names', () => {
  it('are good with the fewest days, and bad with the names that have none and a request for all of them', async () => {
    put('lab', { names: ['lab.test'], days: 60 });
    await see('lab.test');
    expect(await check('certificates')).toMatchObject({
      result: 'good',
      seen: expect.stringMatching(/^The panel’s name has a certificate; at least (59|60) days are left\.$/),
    });
    await see('lab.test', 'one.lab.test', 'two.lab.test', 'study.other.test');
    expect(await check('certificates')).toMatchObject({
      result: 'bad',
      seen: 'There is no certificate for one.lab.test, two.lab.test and study.other.test.',
      request: expect.stringContaining('a certificate that holds study.other.test and *.lab.test, as PEM files'),
    });
  });

  it('that were not renewed need attention, and are bad in the last week', async () => {
    put('lab', { names: ['lab.test'], days: 12, since: -78 });
    await see('lab.test');
    expect(await check('certificates')).toMatchObject({ result: 'attention', request: expect.stringContaining('lab.test') });
    put('lab', { names: ['lab.test'], days: 3, since: -87 });
    await see('lab.test');
    expect((await check('certificates')).result).toBe('bad');
  });

  it('are unknown before the worker has looked, and somebody else’s without HTTPS_PORT', async () => {
    expect((await check('certificates')).result).toBe('unknown');
    expect((await check('certificates', { HTTPS_PORT: '' })).result).toBe('not-here');
    expect((await check('certificate-files', { HTTPS_PORT: '' })).result).toBe('not-here');
  });
});

it('files with a problem are named with it', async () => {
  put('lab', { names: ['lab.test'] });
  await see('lab.test');
  expect((await check('certificate-files')).result).toBe('good');
  put('old', { since: -90, days: -1 });
  await see('lab.test');
  expect(await check('certificate-files')).toMatchObject({ result: 'attention', seen: expect.stringMatching(/^old\.pem: It has ended/) });
});

describe('the authority', () => {
  it('is nobody’s business without ACME_EMAIL', async () => {
    expect([(await check('acme')).result, (await check('port-80')).result]).toEqual(['not-here', 'not-here']);
  });

  it.skipIf(!hasPebble)('is asked with the trust that is set', async () => {
    const pebble = await startPebble();
    try {
      const env = { ACME_EMAIL: 'lab@lab.test', ACME_DIRECTORY_URL: pebble.directoryUrl };
      expect(await check('acme', { ...env, ACME_CA_FILE: pebble.caFile })).toMatchObject({ result: 'good', seen: expect.stringContaining('answers') });
      expect(await check('acme', env)).toMatchObject({ result: 'bad', seen: expect.stringContaining('SELF_SIGNED') });
      expect(await check('acme', { ...env, ACME_CA_FILE: '/nowhere' })).toMatchObject({ seen: expect.stringContaining('ACME_CA_FILE cannot be read') });
    } finally {
      await pebble.close();
    }
  });

  it('that is away is bad, with a request to let this machine out', async () => {
    const server = http.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const env = { ACME_EMAIL: 'lab@lab.test', ACME_DIRECTORY_URL: `https://127.0.0.1:${port}/dir` };
    expect(await check('acme', env)).toMatchObject({
      result: 'bad',
      seen: expect.stringContaining('ECONNREFUSED'),
      request: expect.stringContaining(`127.0.0.1:${port} by https`),
    });
  });

  it('needs port 80 of a name that others can look up', async () => {
    const env = { ACME_EMAIL: 'lab@lab.test' };
    expect(await check('port-80', { ...env, PUBLIC_URL: 'https://nowhere.invalid' })).toMatchObject({
      result: 'bad',
      request: expect.stringContaining('port 80 of nowhere.invalid'),
    });
    expect((await check('port-80', { ...env, PUBLIC_URL: 'https://localhost' })).result).toBe('not-here');
  });
});
