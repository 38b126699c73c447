// What managers see of the panel itself.

import { z } from 'zod';
import { addressModes } from './addresses.ts';

export const systemSchema = z.object({
  version: z.string(),
  nodeVersion: z.string(),
  startedAt: z.string(),
  platform: z.string(),
  /** What new instances get. */
  addressMode: z.enum(addressModes),
  publicUrl: z.string(),
  parts: z.array(z.object({ name: z.string(), isWell: z.boolean(), detail: z.string() })),
});
export type SystemView = z.infer<typeof systemSchema>;

/** The machine on which instances run, where that is another one. */
export const hostSchema = z.object({
  address: z.string(),
  isUp: z.boolean(),
  downSince: z.string().nullable(),
  publicKey: z.string(),
  /** What to type there, as root, so that it lets the panel in. */
  addKeyCommand: z.string(),
  hostKey: z.string().nullable(),
  version: z.string().nullable(),
  plugins: z.array(z.object({ name: z.string(), version: z.string() })),
  /** Free on the disk that holds containers; null: no running experiment told it lately. */
  freeDiskMib: z.number().nullable(),
  problems: z.array(z.string()),
  warnings: z.array(z.string()),
  /** Instances are NAME.DOMAIN. */
  domain: z.string(),
});
export type HostView = z.infer<typeof hostSchema>;

/** As the worker tells it. */
export const hostReportSchema = hostSchema.omit({ addKeyCommand: true, domain: true });
export type HostReport = z.infer<typeof hostReportSchema>;

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
