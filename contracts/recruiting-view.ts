// What the Recruit tab shows: rooms with their recruitment, what the deployed source says, a test click.

import { z } from 'zod';
import { findingSchema } from './preflight.ts';
import { recruitmentSchema } from './recruiting.ts';

/** One place where the deployed source says something about recruiting. */
const sourceLineSchema = z.object({ file: z.string(), line: z.number().int(), text: z.string() });
export type SourceLine = z.infer<typeof sourceLineSchema>;

/** What a text search in the deployed commit found; nothing of it was executed. */
export const sourceLooksSchema = z.object({
  commit: z.string(),
  /** `completionlink` in the project's own settings.py: what is entered in the panel takes its place. */
  ownLinks: z.array(sourceLineSchema),
  /** Where the experiment itself uses `completionlink`. */
  readsLink: z.array(sourceLineSchema),
  /** Prolific links that stand in the code itself: entering a code in the panel does not change them. */
  hardCoded: z.array(sourceLineSchema),
  /** Where a participant's label is read. */
  keepsLabel: z.array(sourceLineSchema),
  /** Where `participant.consent` is used. */
  usesConsent: z.array(sourceLineSchema),
  /** Whether PARTICIPANT_FIELDS in settings.py names `consent`. */
  hasConsentField: z.boolean(),
});
export type SourceLooks = z.infer<typeof sourceLooksSchema>;

/** One room (or, for MTurk, none) and how people are recruited for it. */
export const roomRecruitmentSchema = z.object({
  room: z.string(),
  displayName: z.string(),
  /** Null: nothing was chosen yet. */
  recruitment: recruitmentSchema.nullable(),
  updatedByName: z.string().nullable(),
  updatedAt: z.string().nullable(),
  /** How many labels the room takes; null: any. */
  labelCount: z.number().int().nullable(),
  usesSecureUrls: z.boolean(),
  hasWelcomePage: z.boolean(),
  /** When the room was edited in the panel, as `PUT rooms/{room}` asks for it. */
  editedAt: z.string().nullable(),
  sessionCode: z.string().nullable(),
  entryLink: z.string().nullable(),
  /** Session config field → link. */
  sessionFields: z.record(z.string(), z.string()),
});
export type RoomRecruitment = z.infer<typeof roomRecruitmentSchema>;

/** Answer of `GET /instances/{name}/recruiting`. */
export const recruitingSchema = z.object({
  rooms: z.array(roomRecruitmentSchema),
  /** The row without a room, for MTurk. */
  outside: roomRecruitmentSchema,
  otreeVersion: z.string().nullable(),
  /** What sessions made in oTree's own admin get, and from which room it comes (the one saved last). */
  adminFields: z.array(z.object({ field: z.string(), link: z.string(), room: z.string() })),
  /** When links were changed that the running experiment does not have yet; null when it has them, or does not run. */
  pendingSince: z.string().nullable(),
  /** Null: nothing is deployed, or the reader may not see the code. */
  source: sourceLooksSchema.nullable(),
  /** What would be published on MTurk, judged, with lines to paste; null: MTurk was not chosen, or nothing is deployed. */
  mturk: z.object({ config: z.string().nullable(), findings: z.array(findingSchema) }).nullable(),
});
export type RecruitingView = z.infer<typeof recruitingSchema>;

/** A walk of a made-up person through a room. */
export const testClickSchema = z.object({
  /** Begins with `test_`, so that it can be told apart in the data. */
  label: z.string(),
  /** The session that the made-up person came into. */
  sessionCode: z.string().nullable(),
  steps: z.array(z.object({ isWell: z.boolean(), sentence: z.string(), hint: z.string().nullable() })),
});
export type TestClick = z.infer<typeof testClickSchema>;

/** What marks the labels of test clicks. */
export const testPrefix = 'test_';
export const isTestLabel = (label: string): boolean => label.startsWith(testPrefix);

/** Ids of the room's session that took part somewhere before. */
export const returnedSchema = z.object({
  sessionCode: z.string().nullable(),
  people: z.array(z.object({ label: z.string(), where: z.array(z.object({ instance: z.string(), sessionCode: z.string(), isFinished: z.boolean() })) })),
});
export type Returned = z.infer<typeof returnedSchema>;
