// The legal pages: imprint and privacy, as managers write them.

import { z } from 'zod';

export const legalPageNames = ['imprint', 'privacy'] as const;
export type LegalPageName = (typeof legalPageNames)[number];

export const legalTextSchema = z.object({
  name: z.enum(legalPageNames),
  /** Markdown; empty: there is no such page. */
  text: z.string(),
  updatedAt: z.string().nullable(),
  updatedByName: z.string().nullable(),
});
export type LegalText = z.infer<typeof legalTextSchema>;
export const legalTextListSchema = z.object({ pages: z.array(legalTextSchema) });

/** `seenAt` is the `updatedAt` that the writer saw: a text that somebody else has saved since is not overwritten. */
export const changeLegalTextSchema = z.strictObject({
  text: z.string().max(100_000, 'At most 100,000 characters.'),
  seenAt: z.string().max(40).nullable(),
});
