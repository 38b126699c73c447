// “Ready for participants?”: a look, keeping one, and those that were kept.

import { otreeLookSchema, preflightListSchema, preflightPath, preflightSchema } from '../../contracts/preflight.ts';
import type { OwnedInstance, Person } from '../../domain/access.ts';
import type { Context } from '../../domain/context.ts';
import { gatherPreflight } from '../../domain/preflight-gather.ts';
import { keepPreflight, listPreflights, presentPreflight, readPreflight } from '../../domain/preflight.ts';
import type { Preflight, PreflightWish } from '../../contracts/preflight.ts';
import { askWorker } from '../ask-worker.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';
import { withFreshFacts } from '../fresh-facts.ts';

async function look(ctx: Context, person: Person, { instance: found, wish }: { instance: OwnedInstance; wish: PreflightWish }): Promise<Preflight> {
  const instance = await withFreshFacts(ctx, found);
  const facts = await gatherPreflight(ctx, {
    instance,
    wish,
    ask: (question) => askWorker(ctx, { kind: 'look-for-preflight', ...question }, otreeLookSchema).catch(() => null),
  });
  return presentPreflight(facts, person.name);
}

export const preflightRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/preflight',
    action: 'instance.operate',
    summary: 'Look whether a room is ready for participants; takes some seconds and changes nothing',
    query: preflightPath,
    response: preflightSchema,
    run: ({ ctx, person, instance, query }) => look(ctx, person, { instance, wish: query }),
  }),
  endpoint({
    method: 'post',
    path: '/instances/:name/preflights',
    action: 'instance.operate',
    summary: 'Look anew, and keep what was found with date, commit and name',
    body: preflightPath,
    response: preflightSchema,
    status: 201,
    run: async ({ ctx, person, instance, body }) => keepPreflight(ctx, person, { instance, look: await look(ctx, person, { instance, wish: body }) }),
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name/preflights',
    action: 'instance.read',
    summary: 'Looks that were kept, newest first',
    response: preflightListSchema,
    run: ({ ctx, instance }) => listPreflights(ctx, instance.id),
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name/preflights/:id',
    action: 'instance.read',
    summary: 'What was found in one of them',
    response: preflightSchema,
    run: ({ ctx, instance, params }) => readPreflight(ctx, { instanceId: instance.id, id: params['id'] ?? '' }),
  }),
];
