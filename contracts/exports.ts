// Data on the wire: what an instance's oTree can export, and how long people were on each page.

import { z } from 'zod';

/** What can be taken home: `seconds` is reckoned by the panel from the page times. */
export const exportKinds = {
  wide: 'All apps, one row per person',
  app: 'One app, one row per person and round',
  custom: 'What the project itself puts together',
  'page-times': 'When each page was left',
  seconds: 'Seconds on each page, per person',
  chat: 'Chat',
} as const;
export type ExportKind = keyof typeof exportKinds;
export const exportKindNames = Object.keys(exportKinds) as [ExportKind, ...ExportKind[]];

export const exportWishShape = {
  /** Name of the app, for `app` and `custom` alone. */
  app: z
    .string()
    .regex(/^\w{1,100}$/)
    .optional(),
  /** Name of the project's own function, for `custom` alone. */
  function: z
    .string()
    .regex(/^custom_export\w{0,80}$/)
    .optional(),
  /** Code of one session; left out: all. */
  session: z
    .string()
    .regex(/^[a-z0-9]{1,20}$/)
    .optional(),
};
export const exportQuery = z.object({
  ...exportWishShape,
  /** `1`: begins with the mark by which Excel reads letters beyond ASCII rightly. */
  excel: z.enum(['0', '1']).default('0'),
});

export const exportSessionSchema = z.object({
  code: z.string(),
  label: z.string(),
  config: z.string(),
  participants: z.number().int(),
  isDemo: z.boolean(),
  /** Made by “For MTurk”; null: an older panel started this oTree, and it does not say. */
  isMturk: z.boolean().nullable().default(null),
  /** False: its making broke off, and it can be in no export. */
  isWhole: z.boolean(),
});
export type ExportSession = z.infer<typeof exportSessionSchema>;

/** What there is to export just now. */
export const exportListSchema = z.object({
  apps: z.array(z.string()),
  /** Functions `custom_export…` of the project's apps; none are named by an oTree that was started by an older panel. */
  customs: z.array(z.object({ app: z.string(), function: z.string() })).default([]),
  hasChat: z.boolean(),
  sessions: z.array(exportSessionSchema),
});
export type ExportList = z.infer<typeof exportListSchema>;

export const pageSecondsSchema = z.object({
  app: z.string(),
  page: z.string(),
  isWaitPage: z.boolean(),
  /** Visits that were counted, and how many of them ended because the page's time was over. */
  visits: z.number().int(),
  timeouts: z.number().int(),
  /** Seconds: lower quartile, median, upper quartile, longest. */
  lower: z.number(),
  median: z.number(),
  upper: z.number(),
  longest: z.number(),
});
export type PageSeconds = z.infer<typeof pageSecondsSchema>;

/** Somebody who stands out: on a page now and for long, long on one page, fast or slow in all that was left so far. */
export const personProblemSchema = z.object({
  session: z.string(),
  idInSession: z.number().int(),
  participant: z.string(),
  kind: z.enum(['stuck', 'long', 'slow', 'fast']),
  /** The page, for `stuck` and `long`. */
  app: z.string().nullable(),
  page: z.string().nullable(),
  /** Seconds of this person, and the median of the others for the same pages. */
  seconds: z.number(),
  usual: z.number(),
});
export type PersonProblem = z.infer<typeof personProblemSchema>;

/** Pages in the order in which the first person met them. */
export const pageTimesSchema = z.object({
  pages: z.array(pageSecondsSchema),
  /** Who left at least one page. */
  people: z.number().int(),
  /** Seconds from a person's first page to the last one seen: median; null without people. */
  medianTotal: z.number().nullable(),
  /** People to look at before paying; none where fewer than four took part. */
  problems: z.array(personProblemSchema),
});
export type PageTimes = z.infer<typeof pageTimesSchema>;
