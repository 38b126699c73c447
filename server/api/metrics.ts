// What an instance used in the last hours, for its page and as a file.

import { metricsQuery, metricsSchema, type MetricHours } from '../../contracts/metrics.ts';
import { metricsTable, readMetrics } from '../../domain/metrics.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const metricRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/metrics',
    action: 'instance.read',
    summary: 'Processor, memory, network and restarts of the last hours (1, 6 or 48), and what they mean',
    query: metricsQuery,
    response: metricsSchema,
    run: ({ ctx, instance, query }) => readMetrics(ctx, instance, { hours: Number(query.hours) as MetricHours }),
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name/metrics/file',
    action: 'instance.read',
    summary: 'The same of the last 48 hours as a CSV file: minutes, and stretches of ten minutes before',
    response: 'file',
    run: async ({ ctx, instance, response }) => {
      const table = await metricsTable(ctx, instance.id);
      response
        .attachment(`${instance.name}-use-${new Date().toISOString().slice(0, 10)}.csv`)
        .type('text/csv; charset=utf-8')
        .send(table);
    },
  }),
];
