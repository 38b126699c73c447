// A person's public SSH keys; parsing is the endpoint's (`server/ssh-public-key.ts`), the rules are here.

import { AppError } from '../contracts/errors.ts';
import type { SshKeyView } from '../contracts/people.ts';
import type { SshKey } from '../prisma/client/client.ts';
import type { Person } from './access.ts';
import { record } from './audit.ts';
import type { Context } from './context.ts';
import { isUniqueViolation } from './database.ts';
import { newId } from './ids.ts';

export type ParsedKey = { readonly type: string; readonly publicKey: string; readonly fingerprint: string; readonly comment: string };

const present = (key: SshKey): SshKeyView => ({
  id: key.id,
  name: key.name,
  type: key.type,
  fingerprint: key.fingerprint,
  createdAt: key.createdAt.toISOString(),
  lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
});

export async function listSshKeys(ctx: Context, person: Person): Promise<SshKeyView[]> {
  return (await ctx.db.sshKey.findMany({ where: { userId: person.id }, orderBy: { createdAt: 'asc' } })).map(present);
}

/** @throws key_taken, also when it is the person's own already */
export async function addSshKey(ctx: Context, person: Person, key: ParsedKey & { name: string | undefined }): Promise<SshKeyView> {
  const { type, publicKey, fingerprint } = key;
  const name = key.name?.trim() || key.comment.trim().slice(0, 100) || 'my key';
  try {
    return await ctx.db.$transaction(async (tx) => {
      await record(tx, person, { action: 'ssh-key.add', subject: fingerprint });
      return present(await tx.sshKey.create({ data: { id: newId(), userId: person.id, name, type, publicKey, fingerprint } }));
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError('key_taken', {}, { fields: { publicKey: 'This key is in use already.' } });
    throw error;
  }
}

/** A removed key fails at the next git command, on open connections too. @throws not_found */
export async function removeSshKey(ctx: Context, person: Person, keyId: string): Promise<void> {
  await ctx.db.$transaction(async (tx) => {
    const key = await tx.sshKey.findFirst({ where: { id: keyId, userId: person.id } });
    if (!key) throw new AppError('not_found');
    await tx.sshKey.delete({ where: { id: key.id } });
    await record(tx, person, { action: 'ssh-key.remove', subject: key.fingerprint });
  });
}
