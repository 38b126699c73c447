// The folder of certificates: what is read, every problem as a sentence, and which certificate a name shows.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readCertificateFiles } from '../../domain/certificate-files.ts';
import { chooseCertificate, fitOf, stageOf, type CertificateFacts } from '../../domain/certificate-reading.ts';
import { makeAuthority, type Maker, type Made } from '../certificate-maker.ts';

let maker: Maker;
let good: Made;
let folder = '';
beforeAll(() => {
  maker = makeAuthority();
  good = maker.issue({ names: ['lab.test', '*.lab.test'] });
});
afterAll(() => maker.clear());
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'arb-certificates-'));
  return () => rmSync(folder, { recursive: true, force: true });
});

const put = (name: string, content: string | Buffer): void => {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), content);
};
const problemsOf = async (): Promise<Record<string, string | null>> =>
  Object.fromEntries((await readCertificateFiles(folder)).map(({ file, problem }) => [file, problem]));

describe('the folder of certificates', () => {
  it('is empty when it is not there', async () => {
    expect(await readCertificateFiles(path.join(folder, 'nowhere'))).toEqual([]);
  });

  it('takes pairs of .pem or .crt with .key, folders of certbot, and both in one file', async () => {
    put('one.pem', good.chain);
    put('one.key', good.key);
    put('two.crt', good.chain);
    put('two.key', good.key);
    put('live/fullchain.pem', good.chain);
    put('live/privkey.pem', good.key);
    put('both.pem', good.key + good.chain);
    put('README', 'nothing of ours');
    mkdirSync(path.join(folder, 'other'));
    const files = await readCertificateFiles(folder);
    expect(files.map(({ file, problem }) => [file, problem])).toEqual([
      ['both.pem', null],
      ['live/fullchain.pem', null],
      ['one.pem', null],
      ['two.crt', null],
    ]);
    expect(files[0]?.pair).toMatchObject({ names: ['lab.test', '*.lab.test'], issuer: 'Test University Between', warning: null });
    expect(files[0]?.pair?.certificate.chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(files[0]?.pair?.certificate.chain).not.toContain('PRIVATE KEY');
    expect(JSON.stringify(files)).not.toContain('PRIVATE KEY');
  });

  it('tells each problem in a sentence, and none of them is in the way of a good pair', async () => {
    const other = maker.issue();
    const pairs: Record<string, [string, string | null]> = {
      good: [good.chain, good.key],
      stranger: [good.chain, other.key],
      reversed: [maker.between + good.own, good.key],
      disorder: [good.own + maker.root + maker.between, good.key],
      locked: [good.chain, maker.lock(good.key)],
      'not-text': ['no text at all', good.key],
      damaged: [good.chain.replace(/[A-Za-z0-9+]{20}/, 'AAAAAAAAAAAAAAAAAAAA'), good.key],
      'key-damaged': [good.chain, good.key.replace(/[A-Za-z0-9+/]{30}/, 'A'.repeat(30))],
      'key-none': [good.chain, 'nothing'],
      huge: ['x'.repeat(2 * 1024 * 1024), good.key],
      alone: [good.chain, null],
    };
    for (const [name, [chain, key]] of Object.entries(pairs)) {
      put(`${name}.pem`, chain);
      if (key !== null) put(`${name}.key`, key);
    }
    const [early, ended, nameless, weak] = [
      maker.issue({ since: 2 }),
      maker.issue({ since: -100, days: -1 }),
      maker.issue({ names: [] }),
      maker.issue({ rsaBits: 1024 }),
    ];
    for (const [name, made] of Object.entries({ early, ended, nameless, weak })) {
      put(`${name}.pem`, made.chain);
      put(`${name}.key`, made.key);
    }
    put('lonely.key', good.key);
    put('from-windows.pfx', Buffer.from([1, 2]));
    put('half/privkey.pem', good.key);
    symlinkSync(path.join(folder, 'gone'), path.join(folder, 'nowhere.pem'));
    put('nowhere.key', good.key);
    expect(await problemsOf()).toMatchObject({
      'good.pem': null,
      'stranger.pem': 'The key does not belong to this certificate.',
      'reversed.pem': expect.stringContaining('must come first'),
      'disorder.pem': 'The certificates are not in order: the one at place 2 did not issue the one before it.',
      'ended.pem': expect.stringMatching(/^It has ended, on \d{4}-/),
      'early.pem': expect.stringContaining('by this machine’s clock'),
      'locked.pem': expect.stringContaining('locked by a password'),
      'not-text.pem': expect.stringContaining('PEM form'),
      'damaged.pem': expect.stringContaining('damaged'),
      'key-damaged.pem': expect.stringMatching(/key (is damaged|does not belong)/),
      'key-none.pem': expect.stringContaining('holds no private key'),
      'nameless.pem': expect.stringContaining('no host name'),
      'weak.pem': 'Its key has only 1024 bits: browsers ask for 2048.',
      'huge.pem': expect.stringContaining('larger than 1 MiB'),
      'alone.pem': expect.stringContaining('put alone.key beside it'),
      'lonely.key': 'This key has no certificate beside it: put lonely.pem there.',
      'from-windows.pfx': expect.stringContaining('openssl pkcs12'),
      'half/': 'fullchain.pem is missing beside privkey.pem.',
      'nowhere.pem': expect.stringContaining('leads nowhere'),
    });
  });

  it('warns when the authorities between are missing', async () => {
    put('short.pem', good.own);
    put('short.key', good.key);
    expect((await readCertificateFiles(folder))[0]?.pair?.warning).toContain('fullchain.pem');
  });
});

const facts = (names: readonly string[], days: number, life = 90): CertificateFacts => ({
  names,
  issuer: 'x',
  startsAt: new Date(now.getTime() - (life - days) * 86_400_000),
  expiresAt: new Date(now.getTime() + days * 86_400_000),
});
const now = new Date('2026-06-01T12:00:00Z');
const choose = (hostName: string, ...all: CertificateFacts[]): number =>
  all.indexOf(
    chooseCertificate(
      all.map((one) => ({ facts: one })),
      hostName,
      now,
    )?.facts as CertificateFacts,
  );

describe('which certificate a name shows', () => {
  it('fits by its name or by a wildcard for one label', () => {
    const one = { names: ['lab.test', '*.lab.test', '192.0.2.1'] };
    expect(['lab.test', 'LAB.test', 'a.lab.test', 'a.b.lab.test', 'test', '192.0.2.1', 'xlab.test'].map((name) => fitOf(one, name))).toEqual([
      'exact',
      'exact',
      'wildcard',
      null,
      null,
      'exact',
      null,
    ]);
  });

  it('is an exact one before a wildcard, then the longest, and only one that is valid now', () => {
    expect(choose('a.lab.test', facts(['*.lab.test'], 80), facts(['a.lab.test'], 10), facts(['a.lab.test'], 20))).toBe(2);
    expect(choose('a.lab.test', facts(['*.lab.test'], 80), facts(['a.lab.test'], -1))).toBe(0);
    expect(choose('a.lab.test', { ...facts(['a.lab.test'], 80), startsAt: new Date(now.getTime() + 1000) })).toBe(-1);
    expect(choose('b.test', facts(['*.lab.test'], 80))).toBe(-1);
  });

  it('nears its end in stages: 30, 21 and 7 days, in proportion for short lives', () => {
    expect([31, 29, 20, 6, -1].map((days) => stageOf(facts(['a'], days), now))).toEqual(['good', 'due', 'soon', 'late', 'ended']);
    expect([2.1, 1.9, 1.3, 0.4].map((days) => stageOf(facts(['a'], days, 6), now))).toEqual(['good', 'due', 'soon', 'late']);
    expect(stageOf(facts(['a'], 40, 365), now)).toBe('good');
  });
});
