// Deployments: listed, and begun with an archive instead of a push.

import { deploymentListSchema, uploadedSchema, uploadQuery } from '../../contracts/instances.ts';
import { listDeployments } from '../../domain/deployments.ts';
import { presentJob } from '../../domain/present-job.ts';
import { receiveUpload } from '../../domain/uploads.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const deploymentRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/deployments',
    action: 'instance.read',
    summary: 'Deployments, newest first',
    response: deploymentListSchema,
    run: async ({ ctx, instance }) => ({ deployments: await listDeployments(ctx, instance) }),
  }),
  endpoint({
    method: 'post',
    path: '/instances/:name/deployments',
    action: 'instance.push',
    summary: 'Deploy an archive (.zip, .otreezip, .tar.gz): the raw file is the body, application/octet-stream',
    takesFile: true,
    query: uploadQuery,
    response: uploadedSchema,
    status: 202,
    run: async ({ ctx, person, instance, query, request }) => {
      const { job, leftOut } = await receiveUpload(ctx, person, { instance, filename: query.filename, reason: query.reason || undefined, content: request });
      return { job: job && presentJob({ ...job, instance: { name: instance.name } }), isUnchanged: job === null, leftOut: [...leftOut] };
    },
  }),
];
