// What managers see of the panel itself.

import { z } from 'zod';

export const systemSchema = z.object({
  version: z.string(),
  nodeVersion: z.string(),
  startedAt: z.string(),
  platform: z.string(),
  addressMode: z.string(),
  publicUrl: z.string(),
  parts: z.array(z.object({ name: z.string(), isWell: z.boolean(), detail: z.string() })),
});
export type SystemView = z.infer<typeof systemSchema>;

/** How mails go: what is set, and what became of the last one. */
export const mailStateSchema = z.object({
  isConfigured: z.boolean(),
  from: z.string().nullable(),
  /** Host and port of the mail server, never its password. */
  server: z.string().nullable(),
  last: z.object({ at: z.string(), isSent: z.boolean(), subject: z.string(), problem: z.string().nullable() }).nullable(),
});
export type MailState = z.infer<typeof mailStateSchema>;

/** Versions of everything that the panel stands on. */
export const aboutSchema = z.object({
  panel: z.string(),
  parts: z.array(z.object({ name: z.string(), version: z.string() })),
  /** oTree versions of running and stopped experiments, newest first. */
  otree: z.array(z.object({ version: z.string(), instances: z.number().int() })),
  licence: z.string(),
});
export type About = z.infer<typeof aboutSchema>;
