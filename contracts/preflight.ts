// “Ready for participants?”: each check with what was seen, what it means, what to do, and the button that does it.

import { z } from 'zod';
import { recruitmentKinds } from './recruiting.ts';
import { checkItemSchema } from './system-check.ts';

/** Groups in the order in which they are shown, each with its heading. */
export const preflightGroups = {
  version: 'The experiment',
  safety: 'Safety',
  room: 'Room and session',
  way: 'The way in and out',
  load: 'Enough for all',
  data: 'Data',
  mturk: 'MTurk',
} as const;
export type PreflightGroup = keyof typeof preflightGroups;
const groupNames = Object.keys(preflightGroups) as [PreflightGroup, ...PreflightGroup[]];

/** What a button can do about it; those that restart or delete ask first. */
export const preflightActs = ['start', 'restart', 'back-up', 'reset-database', 'set-admin-password', 'set-study', 'set-production', 'run-bots'] as const;
export type PreflightAct = (typeof preflightActs)[number];

/** Tabs of the instance on which it can be put right. */
export const preflightPlaces = ['deploy', 'rooms', 'recruit', 'data', 'settings'] as const;
export type PreflightPlace = (typeof preflightPlaces)[number];

export const findingSchema = checkItemSchema.extend({
  group: z.enum(groupNames),
  act: z.enum(preflightActs).nullable(),
  place: z.enum(preflightPlaces).nullable(),
  /** A line to paste into the project; null: none. */
  paste: z.string().nullable(),
});
export type Finding = z.infer<typeof findingSchema>;

/** One look, as it was shown. */
export const preflightSchema = z.object({
  /** Null until it is kept. */
  id: z.string().nullable(),
  room: z.string(),
  kind: z.enum(recruitmentKinds),
  commit: z.string().nullable(),
  /** How many people are expected; null: nobody has said. */
  people: z.number().int().nullable(),
  lookedAt: z.string(),
  byName: z.string(),
  findings: z.array(findingSchema),
});
export type Preflight = z.infer<typeof preflightSchema>;

export const preflightPath = z.strictObject({
  /** Empty: outside rooms, for MTurk. */
  room: z.string().max(200).default(''),
  /** Counts for this look alone; left out: what is chosen under Recruit. */
  kind: z.enum(recruitmentKinds).optional(),
  /** Counts for this look alone; left out: what is said under Recruit. */
  people: z.coerce.number().int().min(1).max(100_000).optional(),
});
export type PreflightWish = z.infer<typeof preflightPath>;

/** Looks that were kept, newest first, without what they found. */
export const preflightListSchema = z.object({
  looks: z.array(preflightSchema.omit({ findings: true }).extend({ id: z.string(), bad: z.number().int(), attention: z.number().int() })),
});
export type PreflightList = z.infer<typeof preflightListSchema>;

/** What the running oTree says about itself, for the checks; null where it cannot be asked. */
export const otreeLookSchema = z.object({
  tables: z.object({ dialect: z.string(), gaps: z.array(z.object({ kind: z.string(), table: z.string(), column: z.string() })) }).nullable(),
  sessions: z
    .array(
      z.object({
        code: z.string(),
        config: z.string(),
        participants: z.number().int(),
        isDemo: z.boolean(),
        isMturk: z.boolean().nullable().default(null),
        isWhole: z.boolean(),
      }),
    )
    .nullable(),
  /** Whether the panel's link for the room's first label opens it, and one with a wrong hash does not. */
  link: z.object({ opens: z.boolean(), wrongOpens: z.boolean() }).nullable(),
});
export type OtreeLook = z.infer<typeof otreeLookSchema>;
