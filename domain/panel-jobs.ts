// Jobs that belong to no instance: seen by managers only, one at a time.

import type { PanelJobKind } from '../contracts/jobs.ts';
import type { Job } from '../prisma/client/client.ts';
import type { Actor } from './context.ts';
import { asJson, type Transaction } from './database.ts';
import { newId } from './ids.ts';

type PanelJobRequest = { readonly kind: PanelJobKind; /** What the job needs to know; never a secret. */ readonly input: object };

/** Writes the row of a job without an instance; call `announceJob` after the commit. */
export const requestPanelJob = (tx: Transaction, actor: Actor, { kind, input }: PanelJobRequest): Promise<Job> =>
  tx.job.create({ data: { id: newId(), kind, input: asJson(input), actorId: actor.id, actorName: actor.name } });
