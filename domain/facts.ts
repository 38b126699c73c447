// What the worker last saw inside an instance's oTree and database, stored as JSON on its row.

import { z } from 'zod';
import type { Instance } from '../prisma/client/client.ts';
import type { Context } from './context.ts';

const participantSchema = z.object({
  room: z.string(),
  label: z.string().nullable(),
  pageIndex: z.number(),
  maxPageIndex: z.number(),
  isFinished: z.boolean(),
});

/** Seen inside oTree and its database (`observe-facts.ts`). */
const insideSchema = z.object({
  databaseBytes: z.number().nullable().catch(null),
  /** Rows in all tables together. */
  rows: z.number().nullable().catch(null),
  sessions: z.number().nullable().catch(null),
  /** Participants who have begun and not finished, in sessions that are not demos. */
  participantsInSession: z.number().nullable().catch(null),
  /** Codes of the sessions that those are in, at most `namedSessions`. */
  sessionsInUse: z.array(z.string()).catch([]),
  /** When the last participant asked for a page, to the minute; stays when the data are wiped. */
  lastParticipantAt: z.string().nullable().catch(null),
  /** Room → code of the session open in it. */
  roomSessions: z.record(z.string(), z.string()).catch({}),
  participants: z.array(participantSchema).catch([]),
  /** Room → labels that wait in oTree's page of the room for a session. */
  present: z.record(z.string(), z.array(z.string())).catch({}),
});
/** With what is observed from outside (`observe.ts`). */
const factsSchema = insideSchema.extend({
  /** What its files take of its disk share. */
  diskBytes: z.number().nullable().catch(null),
  /** Whether its data are on a database server that is nobody else's; as the platform said. */
  hasOwnDatabaseServer: z.boolean().catch(false),
  /** Name of the host that it runs on, where there are several. */
  host: z.string().nullable().catch(null),
});
export type InsideFacts = z.infer<typeof insideSchema>;
export type Facts = z.infer<typeof factsSchema>;
export const noFacts: Facts = factsSchema.parse({});
/** More are not named in a sentence. */
export const namedSessions = 5;

/** Reads the stored facts; what another version wrote and cannot be read counts as not known. */
export const readFacts = (instance: Pick<Instance, 'facts'>): Facts => (instance.facts === null ? noFacts : factsSchema.catch(noFacts).parse(instance.facts));

/** As `readFacts`, without what is observed from outside. */
export const readInsideFacts = (instance: Pick<Instance, 'facts'>): InsideFacts => insideSchema.catch(insideSchema.parse({})).parse(instance.facts ?? {});

/** Stores a part of the facts beside the others: each is written by whoever looked, at its own pace. */
export async function storeFacts(ctx: Pick<Context, 'db'>, instanceId: string, part: Partial<Facts>): Promise<void> {
  await ctx.db.$executeRaw`UPDATE "instance" SET "facts" = coalesce("facts", '{}') || ${JSON.stringify(part)}::jsonb WHERE "id" = ${instanceId}`;
}
