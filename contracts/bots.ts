// Bots on the wire: how the project's own tests went, by version and session config.

import { z } from 'zod';
import { jobStates } from './states.ts';

export const botRunSchema = z.object({
  jobId: z.string(),
  state: z.enum(jobStates),
  at: z.string(),
  byName: z.string(),
  /** Of the version that was played, and whether that is the one in use. */
  commit: z.string().nullable(),
  isCurrent: z.boolean(),
  configs: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['running', 'succeeded', 'failed']),
      /** What the bots' CSV files can be fetched by. */
      hasData: z.boolean(),
    }),
  ),
});
export type BotRun = z.infer<typeof botRunSchema>;

/** `canPlay`: the platform can, and a version is there. Newest runs first. */
export const botListSchema = z.object({ canPlay: z.boolean(), runs: z.array(botRunSchema) });
export type BotList = z.infer<typeof botListSchema>;

/** A step of the job for each config: `bots:NAME`. */
export const botStep = 'bots:';
