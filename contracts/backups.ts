// Backups on the wire, of instances that are there and of those that were deleted.

import { z } from 'zod';

export const backupSchema = z.object({
  id: z.string(),
  reason: z.string(),
  /** What a person wrote about it. */
  note: z.string(),
  /** Commit of the project whose tables these are, null when not known. */
  commit: z.string().nullable(),
  createdByName: z.string(),
  sizeBytes: z.number(),
  sha256: z.string(),
  rowCounts: z.record(z.string(), z.number()),
  rows: z.number().int(),
  /** oTree sessions and participants in it, null when it has no such tables. */
  sessions: z.number().int().nullable(),
  participants: z.number().int().nullable(),
  verifiedAt: z.string().nullable(),
  createdAt: z.string(),
});
export type BackupView = z.infer<typeof backupSchema>;
export const backupListSchema = z.object({ backups: z.array(backupSchema) });

export const deletedInstanceSchema = z.object({
  id: z.string(),
  name: z.string(),
  ownerName: z.string(),
  deletedAt: z.string(),
  /** Its last backup, null when it never had data. */
  backup: backupSchema.nullable(),
  /** When the backup goes, too. */
  keptUntil: z.string(),
});
export type DeletedInstanceView = z.infer<typeof deletedInstanceSchema>;
export const deletedInstanceListSchema = z.object({ instances: z.array(deletedInstanceSchema) });
