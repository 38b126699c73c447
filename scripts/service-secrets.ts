// Passwords of our own services: derived from the panel's key, so that none needs a file of its own and none changes.

import { hkdfSync } from 'node:crypto';

/**
 * The password for one purpose: 43 characters that need no quoting anywhere. The same key and purpose give the same password.
 * @param key the panel's 32 bytes
 * @param purpose for example `postgres role arboretum`, `redis`
 */
export const deriveSecret = (key: Buffer, purpose: string): string =>
  Buffer.from(hkdfSync('sha256', key, 'arboretum service secret', purpose, 32)).toString('base64url');
