// What happened on an instance: the list of acts, the notes, and the last error.

import { activityListSchema, activityQuery, writeNotesSchema } from '../../contracts/activity.ts';
import { listActivity } from '../../domain/activity.ts';
import { writeNotes } from '../../domain/notes.ts';
import { hideTraceback } from '../../domain/tracebacks.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const activityRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/activity',
    action: 'instance.read',
    summary: 'Who did what, when, with which result; newest first',
    query: activityQuery,
    response: activityListSchema,
    run: ({ ctx, instance, query }) => listActivity(ctx, instance.id, query.page),
  }),
  endpoint({
    method: 'put',
    path: '/instances/:name/notes',
    action: 'instance.write-notes',
    summary: 'Write the notes; refused when somebody else was faster',
    body: writeNotesSchema,
    response: null,
    run: ({ ctx, person, instance, body }) => writeNotes(ctx, person, { instance, ...body }),
  }),
  endpoint({
    method: 'delete',
    path: '/instances/:name/last-error',
    action: 'instance.change',
    summary: 'Hide the last error until another one comes',
    response: null,
    run: ({ ctx, person, instance }) => hideTraceback(ctx, person, instance),
  }),
];
