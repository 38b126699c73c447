// Why the last attempt at a certificate failed, and when the next one may be.

import { z } from 'zod';
import { AppError, isErrorCode } from '../contracts/errors.ts';
import type { Context } from './context.ts';
import { asJson } from './database.ts';

const hourMs = 3_600_000;
const longestHours = 24;
const failureSchema = z.object({ code: z.string(), details: z.record(z.string(), z.union([z.string(), z.number()])) });

/** Remembers why there was none, and when to try again: after an hour, doubled each time up to a day, never before the authority allows. */
export async function noteFailure(ctx: Pick<Context, 'db'>, hostName: string, { code, details }: AppError): Promise<void> {
  const row = await ctx.db.certificate.findUnique({ where: { hostName } });
  // Nobody needs the name any more.
  if (!row) return;
  const { failures } = row;
  const waitMs = Math.max(Math.min(2 ** failures, longestHours) * hourMs, Number(details['retryAfterSeconds'] ?? 0) * 1000);
  await ctx.db.certificate.updateMany({
    where: { hostName },
    data: { failure: asJson({ code, details }), failures: failures + 1, nextTryAt: new Date(Date.now() + waitMs), updatedAt: new Date() },
  });
}

/** The stored failure as an error, null: none. */
export function readFailure(value: unknown): AppError | null {
  const { success, data } = failureSchema.safeParse(value);
  return success && isErrorCode(data.code) ? new AppError(data.code, data.details) : null;
}

/** The authority's own words, where the sentence does not hold them. */
export function sayingOf({ message, details }: AppError): string | null {
  const { detail } = details;
  return typeof detail === 'string' && !message.includes(detail) ? detail : null;
}
