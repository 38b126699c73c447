// Jobs: asked for, listed, looked at, and their logs.

import path from 'node:path';
import { z } from 'zod';
import { jobListQuery, jobListSchema, jobLogQuery, jobLogSchema, jobSchema, startJobSchema } from '../../contracts/jobs.ts';
import { cancelJob } from '../../domain/cancel-job.ts';
import { listJobs } from '../../domain/job-list.ts';
import { findVisibleJob, startJob } from '../../domain/start-job.ts';
import { readJobLog } from '../../domain/job-log.ts';
import { presentJob } from '../../domain/present-job.ts';
import { askWorker } from '../ask-worker.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';
import { withFreshFacts } from '../fresh-facts.ts';

const sampleFolder = path.join(import.meta.dirname, '..', '..', 'samples', 'trust-game');

export const jobRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/jobs',
    action: 'jobs.list',
    summary: 'Jobs of all instances that one may see, newest first, a page at a time',
    query: jobListQuery,
    response: jobListSchema,
    run: ({ ctx, person, query }) => listJobs(ctx, person, query),
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name/jobs',
    action: 'instance.read',
    summary: 'Jobs of an instance, newest first, a page at a time',
    query: jobListQuery,
    response: jobListSchema,
    run: ({ ctx, person, instance, query }) => listJobs(ctx, person, { instanceId: instance.id, ...query }),
  }),
  endpoint({
    method: 'post',
    path: '/instances/:name/jobs',
    action: 'instance.read',
    summary: 'Start a job; each kind needs its own right',
    body: startJobSchema,
    response: jobSchema,
    status: 202,
    run: async ({ ctx, person, instance, body }) =>
      presentJob(await startJob(ctx, person, { instance: await withFreshFacts(ctx, instance), request: body, sampleFolder })),
  }),
  endpoint({
    method: 'get',
    path: '/jobs/:id',
    action: 'jobs.list',
    summary: 'One job',
    response: jobSchema,
    run: async ({ ctx, person, params }) => presentJob(await findVisibleJob(ctx, person, params['id'] ?? '')),
  }),
  endpoint({
    method: 'post',
    path: '/jobs/:id/cancel',
    action: 'jobs.cancel',
    summary: 'Cancel a job that waits or has not come to its point of no return; for the owner and managers',
    response: jobSchema,
    status: 202,
    run: async ({ ctx, person, params }) => {
      const { job, isRunning } = await cancelJob(ctx, person, params['id'] ?? '');
      // A worker that does not hear it finds it in the row half a second later.
      if (isRunning) await askWorker(ctx, { kind: 'cancel-job', jobId: job.id }, z.unknown()).catch(() => undefined);
      return presentJob(job);
    },
  }),
  endpoint({
    method: 'get',
    path: '/jobs/:id/log',
    action: 'jobs.list',
    summary: 'A job’s log after a sequence number',
    query: jobLogQuery,
    response: jobLogSchema,
    run: async ({ ctx, person, params, query }) => readJobLog(ctx, (await findVisibleJob(ctx, person, params['id'] ?? '')).id, query.after),
  }),
];
