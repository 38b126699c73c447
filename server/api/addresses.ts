// Addresses of an instance: the present one, what can be chosen, and those of before.

import { giveUpAddressQuery, instanceAddressesSchema } from '../../contracts/addresses.ts';
import { jobSchema } from '../../contracts/jobs.ts';
import { giveUpAddress } from '../../domain/change-address.ts';
import { presentJob } from '../../domain/present-job.ts';
import { showAddresses } from '../../domain/show-addresses.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';
import { withFreshFacts } from '../fresh-facts.ts';

export const addressRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/addresses',
    action: 'instance.read',
    summary: 'Its address, the kinds that can be chosen here, and the addresses of before that lead to it; changed by the job “change-address”',
    response: instanceAddressesSchema,
    run: ({ ctx, person, instance }) => showAddresses(ctx, person, { instance }),
  }),
  endpoint({
    method: 'delete',
    path: '/instances/:name/addresses/:id',
    action: 'instance.change-address',
    summary: 'Give up an address of before: it leads nowhere then, and its port or name is free',
    query: giveUpAddressQuery,
    response: jobSchema,
    status: 202,
    run: async ({ ctx, person, instance, params, query }) => {
      const job = await giveUpAddress(ctx, person, { instance: await withFreshFacts(ctx, instance), formerId: params['id'] ?? '', reason: query.reason });
      return presentJob({ ...job, instance: { name: instance.name, deletedAt: null } });
    },
  }),
];
