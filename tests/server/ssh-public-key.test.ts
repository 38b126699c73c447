// Pasted public keys: which pass, how they are named, and with which reason the others are refused.

import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import { isSignedBy, isUsableKey, parseSshPublicKey } from '../../server/ssh-public-key.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'arboretum-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
const file = (name: string): string => path.join(folder, name);
function makeKey(...type: string[]): { pub: string; secret: string; fingerprint: string } {
  made += 1;
  const name = file(`key-${made}`);
  execFileSync('ssh-keygen', ['-q', '-t', ...type, '-N', '', '-C', 'ada@laptop, 2nd floor', '-f', name]);
  const fingerprint = execFileSync('ssh-keygen', ['-lf', `${name}.pub`], { encoding: 'utf8' }).split(' ')[1] ?? '';
  return { pub: readFileSync(`${name}.pub`, 'utf8'), secret: readFileSync(name, 'utf8'), fingerprint };
}
const field = (bytes: Buffer | string): Buffer => {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(Buffer.byteLength(bytes));
  return Buffer.concat([size, Buffer.from(bytes as string)]);
};
/** A number as SSH writes it (RFC 4251 §5). */
const mpint = (digits: Buffer): Buffer => {
  const start = digits.findIndex((byte) => byte !== 0);
  return (digits[start] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), digits.subarray(start)]) : digits.subarray(start);
};
const line = (type: string, ...fields: (Buffer | string)[]): string => `${type} ${Buffer.concat([type, ...fields].map(field)).toString('base64')}`;
const reasonOf = (pasted: string): string => {
  try {
    parseSshPublicKey(pasted);
  } catch (error) {
    if (error instanceof AppError && error.code === 'key_invalid') {
      expect(error.fields, 'the form shows it at the field').toEqual({ publicKey: error.hint });
      return error.hint;
    }
    throw error;
  }
  return 'accepted';
};

const ed25519 = makeKey('ed25519');
const point = Buffer.from(ed25519.pub.split(' ')[1] ?? '', 'base64').subarray(-32);

describe('accepted', () => {
  test.each([['ed25519'], ['ecdsa', '-b', '256'], ['ecdsa', '-b', '384'], ['ecdsa', '-b', '521'], ['rsa', '-b', '2048'], ['rsa', '-b', '3072']])(
    '%s %s %s, named as ssh-keygen names it',
    (...type) => {
      const { pub, fingerprint } = type[0] === 'ed25519' ? ed25519 : makeKey(...type);
      const [kind, base64] = pub.split(' ');
      expect(parseSshPublicKey(pub)).toEqual({ type: kind, publicKey: `${kind} ${base64}`, fingerprint, comment: 'ada@laptop, 2nd floor' });
    },
  );

  test('security keys', () => {
    expect(parseSshPublicKey(line('sk-ssh-ed25519@openssh.com', point, 'ssh:')).type).toBe('sk-ssh-ed25519@openssh.com');
    const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    const curvePoint = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
    expect(reasonOf(line('sk-ecdsa-sha2-nistp256@openssh.com', 'nistp256', curvePoint, 'ssh:'))).toBe('accepted');
  });

  test('with blanks, line ends and strange comments around it, as the same key', () => {
    const plain = parseSshPublicKey(ed25519.pub);
    for (const pasted of [`  ${ed25519.pub}\r\n\n`, ed25519.pub.replace(' ', '\t'), ed25519.pub.split(' ').slice(0, 2).join(' ')]) {
      expect(parseSshPublicKey(pasted).publicKey).toBe(plain.publicKey);
    }
    expect(parseSshPublicKey(`${plain.publicKey} a\u001b[31m\u202eb ${'x'.repeat(500)}`).comment).toMatch(/^a\[31mb x{193}$/);
  });
});

describe('refused with a reason', () => {
  const rsa = makeKey('rsa', '-b', '1024');
  const nist = makeKey('ecdsa', '-b', '256');
  const nistPoint = Buffer.from(nist.pub.split(' ')[1] ?? '', 'base64').subarray(-65);
  const offCurve = Buffer.from(nistPoint);
  offCurve[64] = (offCurve[64] ?? 0) ^ 1;
  const modulus = Buffer.concat([Buffer.from([0]), Buffer.alloc(256, 0xc1)]);

  test.each([
    ['nothing', '  \n', /Nothing was pasted/],
    ['a private key', ed25519.secret, /private key.*must never leave/],
    ['PuTTY’s private key', 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none', /private key/],
    ['a private key in PEM', '-----BEGIN RSA PRIVATE KEY-----\nMII', /private key/],
    ['PuTTY’s public format', '---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----', /PuTTYgen/],
    ['another format', '-----BEGIN PUBLIC KEY-----\nMII\n-----END PUBLIC KEY-----', /not an SSH key/],
    ['several keys', `${ed25519.pub}${ed25519.pub}`, /several lines/],
    ['a whole file', 'x'.repeat(20_000), /far too long/],
    ['DSA', line('ssh-dss', modulus, modulus, modulus, modulus), /DSA.*ssh-keygen -t ed25519/],
    ['short RSA', rsa.pub, /only 1024 bits/],
    ['RSA with an even exponent', line('ssh-rsa', Buffer.from([2]), modulus), /damaged/],
    ['RSA written in another way', line('ssh-rsa', Buffer.from([1, 0, 1]), Buffer.concat([Buffer.from([0]), modulus])), /damaged/],
    ['a negative modulus', line('ssh-rsa', Buffer.from([1, 0, 1]), modulus.subarray(1)), /damaged/],
    ['a certificate', line('ssh-ed25519-cert-v01@openssh.com', point), /certificate/],
    ['options in front', `command="id" ${ed25519.pub}`, /does not begin like a public key/],
    ['a bare fingerprint', 'SHA256:abc', /does not begin like/],
    ['half a key', ed25519.pub.slice(0, 50), /cut off|damaged/],
    ['a changed letter', ed25519.pub.replace('AAAA', 'AAA_'), /cut off/],
    ['a name of another kind', ed25519.pub.replace('ssh-ed25519', 'ssh-rsa'), /another kind/],
    ['bytes behind the key', line('ssh-ed25519', point, 'more'), /damaged/],
    ['a short point', line('ssh-ed25519', point.subarray(1)), /damaged/],
    ['a point off its curve', line('ecdsa-sha2-nistp256', 'nistp256', offCurve), /damaged/],
    ['a curve of another name', line('ecdsa-sha2-nistp256', 'nistp384', nistPoint), /damaged/],
    ['a kind that every object has', line('constructor', point), /does not begin like/],
  ])('%s', (_name, pasted, reason) => {
    expect(reasonOf(pasted)).toMatch(reason);
  });

  test('anything else, without another kind of error', () => {
    const start = fc.constantFrom('', 'ssh-ed25519 ', 'ssh-rsa ', 'ecdsa-sha2-nistp256 ', 'sk-ssh-ed25519@openssh.com ');
    const base64 = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('base64'));
    const refused = fc.property(start, fc.oneof(fc.string(), base64), (head, tail) => reasonOf(head + tail) !== 'accepted');
    const unusable = fc.property(fc.uint8Array(), (bytes) => !isUsableKey('ssh-ed25519', Buffer.from(bytes)));
    expect([fc.check(refused, { numRuns: 2_000 }).counterexample, fc.check(unusable, { numRuns: 500 }).counterexample]).toEqual([null, null]);
  });
});

describe('a signature', () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { n = '' } = pair.publicKey.export({ format: 'jwk' });
  const blob = Buffer.from(
    line('ssh-rsa', Buffer.from([1, 0, 1]), Buffer.concat([Buffer.from([0]), Buffer.from(n, 'base64url')])).split(' ')[1] ?? '',
    'base64',
  );
  const text = Buffer.from('what is signed');

  test('counts with SHA-2, not with SHA-1', () => {
    for (const [hash, isValid] of [
      ['sha256', true],
      ['sha512', true],
      ['sha1', false],
    ] as const) {
      expect(isSignedBy(blob, { blob: text, signature: sign(hash, text, pair.privateKey), hashAlgo: hash })).toBe(isValid);
    }
    expect(isSignedBy(blob, { blob: text, signature: sign('sha1', text, pair.privateKey), hashAlgo: undefined })).toBe(false);
  });

  test('does not count for another text, another key, or when it is no signature', () => {
    const signature = sign('sha256', text, pair.privateKey);
    const edKey = Buffer.from(ed25519.pub.split(' ')[1] ?? '', 'base64');
    expect(isSignedBy(blob, { blob: Buffer.from('other'), signature, hashAlgo: 'sha256' })).toBe(false);
    expect(isSignedBy(edKey, { blob: text, signature, hashAlgo: 'sha256' })).toBe(false);
    expect(isSignedBy(Buffer.from('x'), { blob: text, signature, hashAlgo: 'sha256' })).toBe(false);
    expect(isSignedBy(edKey, { blob: text, signature: Buffer.alloc(0), hashAlgo: undefined })).toBe(false);
  });

  test('of a security key with ECDSA counts when it was touched', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = ec.publicKey.export({ format: 'jwk' });
    const curvePoint = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
    const keyBlob = Buffer.from(line('sk-ecdsa-sha2-nistp256@openssh.com', 'nistp256', curvePoint, 'ssh:').split(' ')[1] ?? '', 'base64');
    const sha256 = (bytes: Buffer | string): Buffer => createHash('sha256').update(bytes).digest();
    for (const touched of [1, 0]) {
      const tail = Buffer.from([touched, 0, 0, 0, 9]);
      const raw = sign('sha256', Buffer.concat([sha256('ssh:'), tail, sha256(text)]), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' });
      const signature = Buffer.concat([field(mpint(raw.subarray(0, 32))), field(mpint(raw.subarray(32))), tail]);
      expect(isSignedBy(keyBlob, { blob: text, signature, hashAlgo: undefined })).toBe(touched === 1);
    }
  });
});
