// An experiment's data as files: oTree's own exports, passed on as the worker reads them, and the seconds on each page.

import { pipeline } from 'node:stream/promises';
import { AppError } from '../../contracts/errors.ts';
import { exportKindNames, exportListSchema, exportQuery, pageTimesSchema, type ExportKind } from '../../contracts/exports.ts';
import { record } from '../../domain/audit.ts';
import { exportFileName } from '../../domain/export-names.ts';
import { askWorker, streamFromWorker } from '../ask-worker.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

/** By this mark Excel knows that a CSV file is UTF-8. */
const mark = '\uFEFF';

export const exportRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/exports',
    action: 'instance.export-data',
    summary: 'What oTree can export just now: apps, sessions, chat',
    response: exportListSchema,
    run: ({ ctx, instance }) => askWorker(ctx, { kind: 'list-exports', instanceId: instance.id }, exportListSchema),
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name/exports/:what',
    action: 'instance.export-data',
    summary: 'One export as a CSV file: wide, app, custom, page-times, seconds or chat',
    query: exportQuery,
    response: 'file',
    run: async ({ ctx, person, instance, query, params, response }) => {
      const what = kindOf(params['what']);
      const { excel, ...wish } = query;
      const file = await streamFromWorker(ctx, { kind: 'open-export', instanceId: instance.id, what, ...wish });
      const leftOut = String(file.headers['x-left-out'] ?? '')
        .split(',')
        .filter(Boolean);
      const detail = { what, ...wish, ...(leftOut.length > 0 ? { leftOut } : {}) };
      await record(ctx.db, person, { action: 'instance.export-data', subject: instance.name, instanceId: instance.id, detail });
      response.attachment(await exportFileName(ctx, instance, { what, ...wish, leftOut })).type('text/csv; charset=utf-8');
      if (excel === '1') response.write(mark);
      await pipeline(file, response);
    },
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name/page-times',
    action: 'instance.export-data',
    summary: 'Seconds on each page: median and quartiles',
    query: exportQuery.pick({ session: true }),
    response: pageTimesSchema,
    run: ({ ctx, instance, query }) => askWorker(ctx, { kind: 'read-page-times', instanceId: instance.id, session: query.session }, pageTimesSchema),
  }),
];

/** @throws export_unknown */
function kindOf(word: string | undefined): ExportKind {
  const kind = exportKindNames.find((one) => one === word);
  if (!kind) throw new AppError('export_unknown', { what: String(word).slice(0, 40) });
  return kind;
}
