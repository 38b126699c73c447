// The runtime log of an experiment on the wire: followed, searched.

import { z } from 'zod';

/** `after`: the position that the last answer gave; left out, the end of the log is answered. */
export const runtimeLogQuery = z.object({ after: z.string().max(60).optional() });
export const runtimeLogSchema = z.object({
  text: z.string(),
  position: z.string(),
  /** Lines before this piece are no longer kept. */
  hasGap: z.boolean(),
});
export type RuntimeLogPiece = z.infer<typeof runtimeLogSchema>;

export const logSearchQuery = z.object({ text: z.string().min(1, 'Type what to look for.').max(200, 'At most 200 characters.') });
export const logSearchSchema = z.object({
  /** The newest lines that hold the text, oldest first; `number` counts the lines that are kept, from 1. */
  lines: z.array(z.object({ number: z.number().int(), text: z.string() })),
  /** Lines that hold the text, of which only the newest are listed. */
  found: z.number().int(),
  /** It took too long and was broken off. */
  isCut: z.boolean(),
});
export type LogSearch = z.infer<typeof logSearchSchema>;
