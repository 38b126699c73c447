// Public SSH keys: reading a pasted line, naming it by its fingerprint, and checking a signature made with it.

import { createHash, createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto';

import { AppError } from '../contracts/errors.ts';

/** A pasted key that may be stored: `publicKey` is canonical (`type base64`), so equal keys are equal strings. */
export type SshPublicKey = { type: string; publicKey: string; fingerprint: string; comment: string };
/** What a client sent to prove that it holds a key, as ssh2 hands it over (ECDSA already in ASN.1). */
export type KeyProof = { blob: Buffer; signature: Buffer; hashAlgo: string | undefined };

/** A key as it stands on the wire, checked and ready to verify with. */
type WireKey = { type: string; key: KeyObject; hash: string | null; application?: Buffer };

const shortestRsaBits = 2048;
const longestRsaBits = 16_384; // OpenSSH's own limit; longer ones only cost time
const longestPaste = 16_384;
const curves: Readonly<Record<string, { name: string; jwk: string; hash: string; bytes: number }>> = {
  'ecdsa-sha2-nistp256': { name: 'nistp256', jwk: 'P-256', hash: 'sha256', bytes: 32 },
  'ecdsa-sha2-nistp384': { name: 'nistp384', jwk: 'P-384', hash: 'sha384', bytes: 48 },
  'ecdsa-sha2-nistp521': { name: 'nistp521', jwk: 'P-521', hash: 'sha512', bytes: 66 },
  'sk-ecdsa-sha2-nistp256@openssh.com': { name: 'nistp256', jwk: 'P-256', hash: 'sha256', bytes: 32 },
};

/**
 * Reads one line of a `.pub` file.
 *
 * Accepts Ed25519, ECDSA (nistp256/384/521), RSA of at least 2048 bits, and security keys (`sk-…`).
 * @throws `key_invalid` with a plain reason
 */
export function parseSshPublicKey(pasted: string): SshPublicKey {
  const text = pasted.trim();
  refuseWhatIsNotAKeyLine(text);
  const [type = '', base64 = '', ...rest] = text.split(/[ \t]+/);
  refuseType(type);
  const blob = Buffer.from(base64, 'base64');
  if (base64 === '' || blob.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '')) {
    throw refusal('The key is cut off or was changed by copying. Copy the whole line of the .pub file again.');
  }
  const wire = readWireKey(blob);
  if (wire.type !== type) throw refusal(`The line says ${type}, but the key in it is of another kind. Copy the whole line again.`);
  // Only what is readable is kept of the comment: it is shown in lists and may come from anywhere.
  const comment = rest.join(' ').replace(/\p{C}/gu, '').slice(0, 200);
  return { type, publicKey: `${type} ${blob.toString('base64')}`, fingerprint: fingerprintOf(blob), comment };
}

/** `SHA256:…` as `ssh-keygen -l` prints it. */
export const fingerprintOf = (blob: Buffer): string => `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;

/** Whether a client may offer this key: well-formed, of an accepted kind, and said to be what it is. */
export function isUsableKey(algorithm: string, keyBlob: Buffer): boolean {
  try {
    return readWireKey(keyBlob).type === algorithm;
  } catch {
    return false;
  }
}

/**
 * Whether this key made this signature. False for anything malformed and for RSA with SHA-1.
 *
 * Our own check rather than ssh2's `parseKey().verify()`: that one reads PEM text, private keys and DSA
 * from the same bytes (ssh2 1.17 `lib/protocol/keyParser.js`) and knows no security keys.
 */
export function isSignedBy(keyBlob: Buffer, proof: KeyProof): boolean {
  try {
    const wire = readWireKey(keyBlob);
    if (wire.application !== undefined) return isSignedBySecurityKey(wire, proof);
    const hash = wire.type === 'ssh-rsa' ? proof.hashAlgo : wire.hash;
    if (wire.type === 'ssh-rsa' && hash !== 'sha256' && hash !== 'sha512') return false;
    return verify(hash, proof.blob, wire.key, proof.signature);
  } catch {
    return false;
  }
}

/** What a security key signs, and where its flags stand: OpenSSH `PROTOCOL.u2f`. */
function isSignedBySecurityKey(wire: WireKey, proof: KeyProof): boolean {
  const raw = proof.signature.subarray(0, -5);
  const tail = proof.signature.subarray(-5);
  const isTouched = ((tail[0] ?? 0) & 1) === 1;
  if (!isTouched) return false;
  const sha256 = (data: Buffer): Buffer => createHash('sha256').update(data).digest();
  const signed = Buffer.concat([sha256(wire.application ?? Buffer.alloc(0)), tail, sha256(proof.blob)]);
  if (wire.hash === null) return verify(null, signed, wire.key, raw);
  const fields = new WireReader(raw);
  const point = Buffer.concat([fields.unsigned(32), fields.unsigned(32)]);
  fields.end();
  return verify(wire.hash, signed, { key: wire.key, dsaEncoding: 'ieee-p1363' }, point);
}

const refusal = (reason: string): AppError => new AppError('key_invalid', { reason }, { fields: { publicKey: reason } });
const malformed = (): AppError => refusal('The key is damaged. Copy the whole line of the .pub file again.');

function refuseWhatIsNotAKeyLine(text: string): void {
  if (text === '') throw refusal('Nothing was pasted. Paste the line of the .pub file, for example ~/.ssh/id_ed25519.pub.');
  if (text.length > longestPaste) throw refusal('This is far too long for a key. Paste the one line of the .pub file.');
  if (/PRIVATE KEY|PuTTY-User-Key-File/.test(text)) {
    throw refusal('This is a private key. It must never leave your computer: paste the file that ends in .pub.');
  }
  if (text.startsWith('---- BEGIN SSH2')) {
    throw refusal('This is PuTTY’s file format. Copy the line under “Public key for pasting” in PuTTYgen instead.');
  }
  if (text.startsWith('-----BEGIN')) throw refusal('This is not an SSH key but another format. Paste the one line of the .pub file.');
  if (/[\r\n]/.test(text)) throw refusal('These are several lines. Add one key at a time, as one line.');
}

function refuseType(type: string): void {
  if (type === 'ssh-dss') throw refusal('DSA keys are no longer safe. Make a new one with: ssh-keygen -t ed25519');
  if (/-cert-v0\d@/.test(type)) throw refusal('This is a certificate. Paste the plain public key that belongs to it.');
  const isKnown = type === 'ssh-ed25519' || type === 'ssh-rsa' || type === 'sk-ssh-ed25519@openssh.com' || Object.hasOwn(curves, type);
  if (!isKnown) throw refusal('This does not begin like a public key (for example “ssh-ed25519 AAAA…”). Paste the line of the .pub file as it is.');
}

/** @throws `key_invalid` */
function readWireKey(blob: Buffer): WireKey {
  const reader = new WireReader(blob);
  const type = reader.field().toString('latin1');
  refuseType(type);
  const isSecurityKey = type.startsWith('sk-');
  const key = type === 'ssh-rsa' ? readRsa(reader) : type.includes('ed25519') ? readEd25519(reader) : readEcdsa(reader, type);
  const application = isSecurityKey ? reader.field() : undefined;
  reader.end();
  return { type, key, hash: curves[type]?.hash ?? null, ...(application && { application }) };
}

function readEd25519(reader: WireReader): KeyObject {
  const point = reader.field();
  if (point.length !== 32) throw malformed();
  return importKey({ kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') });
}

function readEcdsa(reader: WireReader, type: string): KeyObject {
  const curve = curves[type];
  const name = reader.field().toString('latin1');
  const point = reader.field();
  // 4: an uncompressed point. SSH knows no other (RFC 5656 §3.1).
  if (curve === undefined || name !== curve.name || point.length !== 1 + 2 * curve.bytes || point[0] !== 4) throw malformed();
  const x = point.subarray(1, 1 + curve.bytes).toString('base64url');
  return importKey({ kty: 'EC', crv: curve.jwk, x, y: point.subarray(1 + curve.bytes).toString('base64url') });
}

function readRsa(reader: WireReader): KeyObject {
  const exponent = reader.unsigned();
  const modulus = reader.unsigned();
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < shortestRsaBits) throw refusal(`This RSA key has only ${bits} bits. Make a new one with: ssh-keygen -t ed25519`);
  if (bits > longestRsaBits || exponent.length > 8 || ((exponent.at(-1) ?? 0) & 1) === 0) throw malformed();
  return importKey({ kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') });
}

function importKey(key: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch {
    throw malformed(); // for example a point that is not on its curve
  }
}

/** Reads length-prefixed fields (RFC 4251 §5); only the one canonical writing of a number passes. */
class WireReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  field(): Buffer {
    const start = this.#position + 4;
    if (start > this.#bytes.length) throw malformed();
    const end = start + this.#bytes.readUInt32BE(this.#position);
    if (end > this.#bytes.length) throw malformed();
    this.#position = end;
    return this.#bytes.subarray(start, end);
  }

  /** A number above zero without its sign byte, padded to `bytes`. Two writings of one key would be two fingerprints. */
  unsigned(bytes = 0): Buffer {
    const field = this.field();
    const first = field[0] ?? 0;
    const isPadded = first === 0;
    if (field.length === 0 || first >= 0x80 || (isPadded && (field[1] ?? 0) < 0x80)) throw malformed();
    const digits = field.subarray(isPadded ? 1 : 0);
    if (bytes > 0 && digits.length > bytes) throw malformed();
    return Buffer.concat([Buffer.alloc(Math.max(0, bytes - digits.length)), digits]);
  }

  end(): void {
    if (this.#position !== this.#bytes.length) throw malformed();
  }
}
