// Prolific's export held against an oTree session: who is in both, what does not fit, and what to pay.

import { z } from 'zod';
import { outcomes } from './recruiting.ts';

/** Prolific's own export is below 1 MB for a thousand people. */
export const maxExportBytes = 5 * 1024 * 1024;

/** Amount of money as a decimal text: numbers would lose cents. */
const moneySchema = z.string().regex(/^-?\d+(\.\d+)?$/);

/** What the worker says about a session. */
export const sessionMoneySchema = z.object({
  sessionCode: z.string(),
  currency: z.string(),
  participationFee: moneySchema,
  people: z.array(
    z.object({
      label: z.string(),
      hasStarted: z.boolean(),
      isFinished: z.boolean(),
      pageIndex: z.number().int(),
      maxPageIndex: z.number().int(),
      /** In the session's currency, without the participation fee. */
      payoff: moneySchema,
    }),
  ),
});
export type SessionMoney = z.infer<typeof sessionMoneySchema>;

/** What does not fit about one person. */
export const remarks = ['missing-in-session', 'missing-in-file', 'doubled', 'finished-not-submitted', 'submitted-not-finished', 'other-code'] as const;
export type Remark = (typeof remarks)[number];

export const matchedPersonSchema = z.object({
  id: z.string(),
  isInFile: z.boolean(),
  isInSession: z.boolean(),
  /** As Prolific says it, of the submission that counts; null when not in the file. */
  status: z.string().nullable(),
  isSubmitted: z.boolean(),
  isFinished: z.boolean(),
  /** Page and last page in oTree; null when not in the session. */
  page: z.object({ at: z.number().int(), of: z.number().int() }).nullable(),
  /** By Prolific's clock; null when it does not say. */
  seconds: z.number().nullable(),
  /** Which of the entered codes was given in; null: none of them, or none at all. */
  outcome: z.enum(outcomes).nullable(),
  /** What the bonus file says for this person, `1.37`; null: not in it. */
  bonus: z.string().nullable(),
  remarks: z.array(z.enum(remarks)),
});
export type MatchedPerson = z.infer<typeof matchedPersonSchema>;

export const reconciliationSchema = z.object({
  sessionCode: z.string(),
  currency: z.string(),
  participationFee: z.string(),
  people: z.array(matchedPersonSchema),
  counts: z.object({ both: z.number().int(), inFile: z.number().int(), inSession: z.number().int(), tests: z.number().int() }),
  /** Median of the time taken of those who submitted, seconds; null: nobody. */
  medianSeconds: z.number().nullable(),
  /** Text of the file for Prolific's bulk bonus payment, `id,amount` a line. */
  bonus: z.object({ text: z.string(), people: z.number().int(), total: z.string() }),
});
export type ReconciliationView = z.infer<typeof reconciliationSchema>;

/** Query of `POST /instances/{name}/rooms/{room}/reconciliation`. */
export const reconciliationQuery = z.object({
  filename: z.string().max(255).default('export.csv'),
  /** Code of an oTree session; left out, the one that is open in the room. */
  session: z.string().max(50).optional(),
  /** Whether the participation fee is part of the bonus, for those whose reward on Prolific does not hold it. */
  withFee: z.enum(['true', 'false']).default('false'),
});
