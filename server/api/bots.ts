// How the project's bots went, and what they did as files.

import { pipeline } from 'node:stream/promises';
import { botListSchema } from '../../contracts/bots.ts';
import { z } from 'zod';
import { listBots } from '../../domain/bots.ts';
import { streamFromWorker } from '../ask-worker.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const botRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/bots',
    action: 'instance.read',
    summary: 'Runs of the project’s bots, newest first, by version and session config',
    response: botListSchema,
    run: ({ ctx, instance }) => listBots(ctx, instance),
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name/bots/:id/file',
    action: 'instance.run-bots',
    summary: 'The CSV files of what the bots of one session config did, packed',
    query: z.object({ config: z.string().max(200) }),
    response: 'file',
    run: async ({ ctx, instance, params, query, response }) => {
      const file = await streamFromWorker(ctx, { kind: 'open-bots-data', instanceId: instance.id, jobId: params['id'] ?? '', config: query.config });
      response.attachment(`${instance.name}-bots-${query.config.replace(/[^\w-]+/g, '_')}.tar.gz`).type('application/gzip');
      await pipeline(file, response);
    },
  }),
];
