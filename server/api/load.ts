// What an experiment has to do just now, and what its participants feel of it.

import { loadSchema, measuredLoadSchema } from '../../contracts/load.ts';
import { adviseLoad } from '../../domain/load-advice.ts';
import { peopleInSession } from '../../domain/guard.ts';
import { askWorker } from '../ask-worker.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const loadRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/load',
    action: 'instance.operate',
    summary: 'Watch the experiment for three seconds: requests, page times, processor, and what helps',
    response: loadSchema,
    run: async ({ ctx, instance }) => {
      const measured = await askWorker(ctx, { kind: 'measure-load', instanceId: instance.id }, measuredLoadSchema);
      const people = peopleInSession(instance);
      return { ...measured, ...adviseLoad(measured, people), people, measuredAt: new Date().toISOString() };
    },
  }),
];
