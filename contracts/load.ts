// How much an experiment has to do just now, and what its participants feel of it.

import { z } from 'zod';

/** Seen over a few seconds. */
export const measuredLoadSchema = z.object({
  /** Requests of participants and admins; the panel's own questions are left out. */
  requestsPerSecond: z.number(),
  /** How long a page takes now, milliseconds: median of a few. Null: none came. */
  pageMs: z.number().nullable(),
  /** Part of one core that is used; 1 is all that oTree can use. Null: the platform cannot tell. */
  core: z.number().nullable(),
  memoryBytes: z.number().nullable(),
});
export type MeasuredLoad = z.infer<typeof measuredLoadSchema>;

export const loadSchema = measuredLoadSchema.extend({
  measuredAt: z.string(),
  people: z.number().int(),
  tone: z.enum(['good', 'attention', 'bad']),
  /** What participants feel, one sentence. */
  feel: z.string(),
  /** What to do about it, or to know beforehand. */
  advice: z.array(z.string()),
});
export type Load = z.infer<typeof loadSchema>;
