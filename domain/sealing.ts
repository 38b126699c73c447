// Secrets at rest: AES-256-GCM, bound to the row and column they stand in.

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { Secret } from '../platforms/secret.ts';

/** Seals and opens secrets; `place` is `table/row/column`, so that a sealed value cannot be moved to another row. */
export type Sealer = {
  seal(plain: string, place: string): string;
  /** @throws Error when the key or the place is another one */
  open(sealed: string, place: string): Secret;
};

/** @param key 32 bytes; kept outside the database */
export function makeSealer(key: Buffer): Sealer {
  const keyId = createHash('sha256').update(key).digest('hex').slice(0, 8);
  return {
    seal(plain, place) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return `v1.${keyId}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`;
    },
    open(sealed, place) {
      const [version, id, data] = sealed.split('.');
      if (version !== 'v1' || data === undefined) throw new Error(`a sealed value at ${place} cannot be read`);
      if (id !== keyId) throw new Error(`the value at ${place} was sealed with another key: put the old secret.key back`);
      const bytes = Buffer.from(data, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(12, 28));
      return new Secret(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8'));
    },
  };
}

/** Decodes a key of 32 bytes in base64. @throws Error with a plain sentence */
export function readKey(text: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== 32) throw new Error('The secret key must be 32 bytes in base64 (secret.key or ARBORETUM_SECRET_KEY).');
  return key;
}
