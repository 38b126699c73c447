// Experiments that run on the platform without the panel, for managers.

import { adoptionOutlookSchema, foreignAppListSchema, startAdoptionSchema } from '../../contracts/adoptions.ts';
import { createdInstanceSchema } from '../../contracts/instances.ts';
import { demandAdoptable, demandOtherAddress, startAdoption } from '../../domain/adoptions.ts';
import { tellOwner } from '../../domain/mail-owner.ts';
import { presentJob } from '../../domain/present-job.ts';
import { askWorker } from '../ask-worker.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

const action = 'instances.adopt';

export const adoptionRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/foreign-apps',
    action,
    summary: 'Apps on the Dokku host that are no instances, and whether they can be taken over',
    response: foreignAppListSchema,
    run: async ({ ctx }) =>
      ctx.config.PLATFORM === 'local' ? { isPossible: false, apps: [] } : askWorker(ctx, { kind: 'list-foreign-apps' }, foreignAppListSchema),
  }),
  endpoint({
    method: 'post',
    path: '/adoptions',
    action,
    summary: 'Take over an app on the Dokku host: a new instance gets its data, settings and code; the app is left there, stopped',
    body: startAdoptionSchema,
    response: createdInstanceSchema,
    status: 202,
    run: async ({ ctx, person, body }) => {
      const { app, reason } = body;
      const outlook = await askWorker(ctx, { kind: 'look-at-foreign-app', app }, adoptionOutlookSchema);
      demandOtherAddress(ctx, body, outlook);
      demandAdoptable(app, outlook, reason);
      const request = { app, name: body.name, ownerId: body.ownerId ?? person.id, ...(reason === undefined ? {} : { reason }) };
      const { name, job } = await startAdoption(ctx, person, request);
      if (request.ownerId !== person.id) void tellOwner(ctx, job.instanceId ?? '');
      return { name, job: presentJob({ ...job, instance: { name } }) };
    },
  }),
];
