// Who did what, when: one row for each effect, written in the transaction of the effect.

import type { Actor } from './context.ts';
import { asJson, type Transaction } from './database.ts';

export type AuditEntry = {
  readonly action: string;
  readonly subject: string;
  readonly instanceId?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
};

/** Writes one audit row; never with a secret in `detail`. */
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
}
