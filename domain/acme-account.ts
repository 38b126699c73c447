// The account at the certificate authority: its key is made once and kept sealed, so that a new start is not a new account.

import { generateKeyPairSync } from 'node:crypto';
import { z } from 'zod';
import type { Secret } from '../platforms/secret.ts';
import type { Context } from './context.ts';

const name = 'acme.account-key';
const place = `setting/${name}/value`;

/** The account's private key, PEM; made when there is none. */
export async function readAccountKey({ db, sealer }: Pick<Context, 'db' | 'sealer'>): Promise<Secret> {
  const known = await db.setting.findUnique({ where: { name } });
  if (known) return sealer.open(z.string().parse(known.value), place);
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  // Whoever comes second takes the key of the first.
  await db.setting.createMany({ data: { name, value: sealer.seal(pem, place) }, skipDuplicates: true });
  return readAccountKey({ db, sealer });
}
