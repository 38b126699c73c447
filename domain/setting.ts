// One row of the table of settings.

import type { z } from 'zod';

/** How a value is read, and what people are told of it. */
type Setting = { readonly schema: z.ZodType; readonly unit: string; readonly fallback: string; readonly meaning: string };
/** A row of the table. */
// It reads best with its four columns in a line.
// oxlint-disable-next-line max-params
export const setting = <S extends z.ZodType>(schema: S, unit: string, fallback: string, meaning: string) =>
  ({ schema, unit, fallback, meaning }) satisfies Setting;
