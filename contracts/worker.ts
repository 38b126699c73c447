// The short questions that the server puts to the worker over its Unix socket.

import { z } from 'zod';
import { makeManagerSchema } from './engine.ts';
import { exportKindNames, exportWishShape } from './exports.ts';
import { createSessionSchema } from './instances.ts';
import { choosePlatformSchema } from './platform-choice.ts';

const actorSchema = z.object({ id: z.string().nullable(), name: z.string() });

export const workerQuestionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('read-log'), instanceId: z.string(), position: z.string().nullable() }),
  z.object({ kind: z.literal('search-log'), instanceId: z.string(), text: z.string() }),
  /** Answered with the text itself. */
  z.object({ kind: z.literal('stream-log'), instanceId: z.string() }),
  z.object({ kind: z.literal('cancel-job'), jobId: z.string() }),
  z.object({ kind: z.literal('create-session'), instanceId: z.string(), room: z.string(), actor: actorSchema, ...createSessionSchema.shape }),
  z.object({ kind: z.literal('ping') }),
  /** How the machine is on which instances run. */
  z.object({ kind: z.literal('look-at-host') }),
  /** Apps there that are no instances. */
  z.object({ kind: z.literal('list-foreign-apps') }),
  /** Whether one of them can be taken over. */
  z.object({ kind: z.literal('look-at-foreign-app'), app: z.string() }),
  /** Somebody looks at this instance's seats: keep its facts right within a second for a while. */
  z.object({ kind: z.literal('watch'), instanceId: z.string() }),
  /** Look into the instance now and store what is seen. */
  z.object({ kind: z.literal('look'), instanceId: z.string() }),
  /** Hand the rooms that are edited in the panel to the running oTree. */
  z.object({ kind: z.literal('apply-rooms'), instanceId: z.string() }),
  z.object({ kind: z.literal('list-exports'), instanceId: z.string() }),
  /** Answered with the file itself; `X-Left-Out` names sessions that could not be in it. */
  z.object({ kind: z.literal('open-export'), instanceId: z.string(), what: z.enum(exportKindNames), ...exportWishShape }),
  z.object({ kind: z.literal('read-page-times'), instanceId: z.string(), session: exportWishShape.session }),
  /** Answered with the file that holds what the bots of a job did. */
  z.object({ kind: z.literal('open-bots-data'), instanceId: z.string(), jobId: z.string(), config: z.string() }),
  /** A made-up person walks through a room by its link. */
  z.object({ kind: z.literal('test-click'), instanceId: z.string(), room: z.string(), actor: actorSchema }),
  /** Who is in one oTree session, and what they earned. */
  z.object({ kind: z.literal('session-people'), instanceId: z.string(), sessionCode: z.string() }),
  /** Labels of the room's session that took part in another one before. */
  z.object({ kind: z.literal('find-returned'), instanceId: z.string(), room: z.string() }),
  /** What the running oTree says about tables, sessions and the room's secure links. */
  z.object({ kind: z.literal('look-for-preflight'), instanceId: z.string(), room: z.string() }),
  /** Watch an experiment for three seconds: requests, page times, processor. */
  z.object({ kind: z.literal('measure-load'), instanceId: z.string() }),
  /** For the system check: the front door's health and what the platform can do. */
  z.object({ kind: z.literal('look-at-ground') }),
  /** How the Docker Engine of this machine is, on every platform. */
  z.object({ kind: z.literal('look-at-engine') }),
  /** Make it the manager of a Swarm of its own. */
  z.object({ kind: z.literal('make-manager'), ...makeManagerSchema.shape }),
  /** Take another platform into use for new instances; the server has seen that it may be. */
  z.object({ kind: z.literal('use-platform'), ...choosePlatformSchema.shape }),
  /** The machines on which instances may run. */
  z.object({ kind: z.literal('list-hosts') }),
  /** Answered with a secret: by it a machine joins. */
  z.object({ kind: z.literal('tell-join-command') }),
  /** Whether a host is to take instances. */
  z.object({ kind: z.literal('set-host'), hostId: z.string().max(100), takesInstances: z.boolean() }),
  /** Take a host that is down from the list. */
  z.object({ kind: z.literal('remove-host'), hostId: z.string().max(100) }),
]);
export type WorkerQuestion = z.infer<typeof workerQuestionSchema>;

/** Answer: the asked value, or an error of the table. */
export const workerAnswerSchema = z.union([
  z.object({ answer: z.unknown() }),
  z.object({ error: z.object({ code: z.string(), details: z.record(z.string(), z.union([z.string(), z.number()])) }) }),
]);

/** Answer to a question that only asks for something to be done. */
export const doneSchema = z.object({ isDone: z.literal(true) });
