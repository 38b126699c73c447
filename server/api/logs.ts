// The runtime log of an experiment: followed, searched, downloaded. The worker reads it, because the files are not the server's.

import { pipeline } from 'node:stream/promises';
import { logSearchQuery, logSearchSchema, runtimeLogQuery, runtimeLogSchema } from '../../contracts/logs.ts';
import { askWorker, streamFromWorker } from '../ask-worker.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const logRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/logs',
    action: 'instance.read-logs',
    summary: 'The end of the experiment’s own log, or what was written since the last answer',
    query: runtimeLogQuery,
    response: runtimeLogSchema,
    run: ({ ctx, instance, query }) => askWorker(ctx, { kind: 'read-log', instanceId: instance.id, position: query.after ?? null }, runtimeLogSchema),
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name/logs/search',
    action: 'instance.read-logs',
    summary: 'Lines of the log that hold a text, in all that is kept; the newest 500',
    query: logSearchQuery,
    response: logSearchSchema,
    run: ({ ctx, instance, query }) => askWorker(ctx, { kind: 'search-log', instanceId: instance.id, text: query.text }, logSearchSchema),
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name/logs/file',
    action: 'instance.read-logs',
    summary: 'All of the log that is kept, as a text file in which control characters are made visible',
    response: 'file',
    run: async ({ ctx, instance, response }) => {
      const log = await streamFromWorker(ctx, { kind: 'stream-log', instanceId: instance.id });
      response.attachment(`${instance.name}-${new Date().toISOString().slice(0, 10)}.log`).type('text/plain; charset=utf-8');
      await pipeline(log, response);
    },
  }),
];
