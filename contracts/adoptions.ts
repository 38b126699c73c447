// Taking over experiments that run on the platform already, on the wire.

import { z } from 'zod';
import { instanceNameSchema } from './instances.ts';

/** An app of the Dokku host that is no instance. */
export const foreignAppSchema = z.object({
  name: z.string(),
  hostNames: z.array(z.string()),
  isRunning: z.boolean(),
  isOtree: z.boolean(),
  /** Why it cannot be taken over, null: it can, as far as it shows from outside. */
  refusal: z.string().nullable(),
});
export type ForeignAppView = z.infer<typeof foreignAppSchema>;

export const foreignAppListSchema = z.object({
  /** Whether the platform can have such apps at all. */
  isPossible: z.boolean(),
  apps: z.array(foreignAppSchema),
});

/** What a closer look found. */
export const adoptionOutlookSchema = z.object({
  refusal: z.string().nullable(),
  people: z.number().int(),
  hostNames: z.array(z.string()),
  otreeVersion: z.string().nullable(),
});

export const startAdoptionSchema = z.strictObject({
  app: z.string().min(1, 'Choose an app.').max(100),
  name: instanceNameSchema,
  ownerId: z.string().optional(),
  /** Needed while people are in a session of the app. */
  reason: z.string().trim().max(300).optional(),
});
