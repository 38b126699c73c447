// Who did what, when: one row for each effect, written in the transaction of the effect.

import type { Actor } from './context.ts';
import { asJson, type Transaction } from './database.ts';

export type AuditEntry = {
  readonly action: string;
  readonly subject: string;
  readonly instanceId?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
};

/** Writes one audit row, never with a secret in `detail`; what a person does on an instance is its last activity. */
export async function record(tx: Transaction, actor: Actor, entry: AuditEntry): Promise<void> {
  await tx.audit.create({
    data: {
      actorId: actor.id,
      actorName: actor.name,
      action: entry.action,
      subject: entry.subject,
      instanceId: entry.instanceId ?? null,
      detail: asJson(entry.detail ?? {}),
    },
  });
  if (entry.instanceId !== undefined && actor.id !== null) {
    await tx.instance.updateMany({ where: { id: entry.instanceId }, data: { lastActivityAt: new Date() } });
  }
}
