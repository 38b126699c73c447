// What happened on an instance, on the wire: who did what, when, with which result; and the notes of its people.

import { z } from 'zod';
import { jobStates } from './states.ts';

export const activitySchema = z.object({
  id: z.string(),
  at: z.string(),
  actorName: z.string(),
  /** "restarted it", "shared it with Bob Field (operate)". */
  text: z.string(),
  /** Why it could not wait, when somebody had to say so. */
  reason: z.string().nullable(),
  job: z.object({ id: z.string(), state: z.enum(jobStates), sentence: z.string().nullable() }).nullable(),
});
export type ActivityView = z.infer<typeof activitySchema>;
export const activityListSchema = z.object({ activity: z.array(activitySchema), page: z.number().int(), pages: z.number().int() });
export type ActivityPage = z.infer<typeof activityListSchema>;
export const activityQuery = z.object({ page: z.coerce.number().int().min(1).max(10_000).default(1) });

const notesText = z.string().max(20_000, 'At most 20,000 characters.');
/** `before` is the text that the writer started from: somebody else's change in between is refused, not overwritten. */
export const writeNotesSchema = z.strictObject({ notes: notesText, before: notesText });
