// Taking the data home: oTree's own exports, asked for by the worker and passed on as they are read.

import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { stringify } from 'csv-stringify';
import { AppError } from '../contracts/errors.ts';
import { exportListSchema, type ExportKind, type ExportList, type PageTimes } from '../contracts/exports.ts';
import type { InstanceAccess, OpenedAnswer } from '../platforms/platform.ts';
import type { Instance } from '../prisma/client/client.ts';
import type { WorkerContext } from './context.ts';
import { readVisits, summarise, type Visit } from './page-times.ts';
import { readProject } from './present-instance.ts';
import { specOf } from './specs.ts';

export type ExportWish = {
  readonly instanceId: string;
  readonly what: ExportKind;
  readonly app?: string | undefined;
  readonly function?: string | undefined;
  readonly session?: string | undefined;
};

/** A file on its way: its text, and the sessions that could not be in it. */
export type OpenExport = { readonly body: Readable; readonly leftOut: readonly string[] };

/** oTree makes the whole answer before its first byte: 710 people in 10 rounds took 0.6 s (measured), many more take longer. */
const timeoutMs = 170_000;
const paths: Readonly<Record<Exclude<ExportKind, 'app' | 'custom'>, string>> = {
  wide: '/api/export_wide',
  'page-times': '/api/export_page_times',
  seconds: '/api/export_page_times',
  chat: '/api/export_chat',
};

type Asking = { readonly ctx: WorkerContext; readonly spec: InstanceAccess };

/** What there is to export. @throws not_running, export_needs_restart, export_failed */
export async function listExports(ctx: WorkerContext, instanceId: string): Promise<ExportList> {
  const asking = await begin(ctx, instanceId);
  const { status, body } = await ctx.platform.askOtree(asking.spec, { method: 'GET', path: '/api/arboretum_exports', timeoutMs: 25_000 });
  if (status === 404) throw new AppError('export_needs_restart');
  if (status !== 200) throw new AppError('export_failed', { reason: `it answered ${status}.` });
  return exportListSchema.parse(JSON.parse(body));
}

/**
 * Opens one export. oTree refuses to export all sessions together when the making of one of them broke off (measured,
 * 6.0.15): then each is asked for alone, and those that can be had are put into one table.
 * @throws not_running, export_unknown, export_failed, export_needs_restart
 */
export async function openExport(ctx: WorkerContext, wish: ExportWish): Promise<OpenExport> {
  const asking = await begin(ctx, wish.instanceId);
  if (wish.what === 'seconds') return { body: await openSeconds(asking, wish.session ?? null), leftOut: [] };
  const path = pathOf(wish);
  const whole = await tryToOpen(asking, path);
  if (whole.status === 200) return { body: whole.body, leftOut: [] };
  whole.body.destroy();
  if (whole.status === 404) throw new AppError('export_needs_restart');
  if (wish.what === 'custom') throw new AppError('export_failed', { reason: `${String(wish.function)} of ${String(wish.app)} failed.` });
  if (wish.session !== undefined || (wish.what !== 'wide' && wish.what !== 'app'))
    throw new AppError('export_failed', { reason: `it answered ${whole.status}.` });
  return openOneByOne(asking, wish);
}

/** Median and quartiles of the seconds on each page. @throws as `openExport` */
export async function readPageTimes(ctx: WorkerContext, { instanceId, session }: { instanceId: string; session?: string | undefined }): Promise<PageTimes> {
  const asking = await begin(ctx, instanceId);
  return summarise(await openOrRefuse(asking, paths['page-times']), { session: session ?? null });
}

async function begin(ctx: WorkerContext, instanceId: string): Promise<Asking> {
  const instance: Instance | null = await ctx.db.instance.findFirst({ where: { id: instanceId, deletedAt: null } });
  if (!instance || !readProject(instance)) throw new AppError('not_deployed');
  return { ctx, spec: specOf(ctx, instance) };
}

function pathOf({ what, app, session, ...wish }: ExportWish): string {
  if (what === 'custom') return customPath(app, wish.function);
  const query = new URLSearchParams({ ...(what === 'app' && app !== undefined ? { app } : {}), ...(session === undefined ? {} : { session_code: session }) });
  if (what === 'app' && app === undefined) throw new AppError('export_unknown', { what: 'an app without a name.' });
  return `${what === 'app' ? '/api/export_app' : paths[what]}?${query.toString()}`;
}

/** oTree 6.0 has this address; where it has not, the launcher adds it. The project's function gets all its players: one session alone is not offered. */
function customPath(app: string | undefined, name: string | undefined): string {
  if (app === undefined || name === undefined) throw new AppError('export_unknown', { what: 'a function without a name.' });
  return `/api/export_app_custom?${new URLSearchParams({ app, function_name: name }).toString()}`;
}

const tryToOpen = ({ ctx, spec }: Asking, path: string): Promise<OpenedAnswer> => ctx.platform.openOtree(spec, { path, timeoutMs });

async function openOrRefuse(asking: Asking, path: string): Promise<Readable> {
  const { status, body } = await tryToOpen(asking, path);
  if (status === 200) return body;
  body.destroy();
  throw status === 404 ? new AppError('export_needs_restart') : new AppError('export_failed', { reason: `it answered ${status}.` });
}

/** Every session alone: first the heads of all that can be had, then their rows below the union of the columns. */
async function openOneByOne(asking: Asking, wish: ExportWish): Promise<OpenExport> {
  const { sessions } = await listExports(asking.ctx, wish.instanceId);
  const [columns, good, leftOut]: [Set<string>, string[], string[]] = [new Set(), [], []];
  for (const { code } of sessions) {
    const head = await readHead(asking, pathOf({ ...wish, session: code }));
    if (head === null) leftOut.push(code);
    else good.push(code);
    for (const column of head ?? []) columns.add(column);
  }
  if (good.length === 0) throw new AppError('export_failed', { reason: 'no session can be exported.' });
  const rows = Readable.from(joinRows(asking, wish, good));
  const table = stringify({ header: true, columns: [...columns], record_delimiter: 'windows' });
  rows.once('error', (error) => table.destroy(error));
  table.once('close', () => rows.destroy());
  return { body: rows.pipe(table), leftOut };
}

async function* joinRows(asking: Asking, wish: ExportWish, codes: readonly string[]): AsyncGenerator<Record<string, string>> {
  for (const code of codes) yield* recordsOf(await openOrRefuse(asking, pathOf({ ...wish, session: code })));
}

async function* recordsOf(csv: Readable): AsyncGenerator<Record<string, string>> {
  const rows = csv.pipe(parse({ columns: true, bom: true, relax_column_count: true }));
  csv.once('error', (error) => rows.destroy(error));
  try {
    for await (const row of rows) yield row as Record<string, string>;
  } finally {
    csv.destroy();
  }
}

/** The names of the columns; null when this session cannot be exported. */
async function readHead(asking: Asking, path: string): Promise<string[] | null> {
  const { status, body } = await tryToOpen(asking, path);
  try {
    if (status !== 200) return null;
    const rows = body.pipe(parse({ bom: true, to: 1, relax_column_count: true }));
    for await (const row of rows) return row as string[];
    return [];
  } finally {
    body.destroy();
  }
}

async function openSeconds(asking: Asking, session: string | null): Promise<Readable> {
  const visits = readVisits(await openOrRefuse(asking, paths.seconds), { session });
  const rows = Readable.from(withWords(visits));
  const table = stringify({ header: true, columns: secondsColumns, record_delimiter: 'windows' });
  rows.once('error', (error) => table.destroy(error));
  table.once('close', () => rows.destroy());
  return rows.pipe(table);
}

const secondsColumns = ['session_code', 'id_in_session', 'participant_code', 'app', 'round', 'page', 'seconds', 'timed_out', 'is_wait_page'];

async function* withWords(visits: AsyncIterable<Visit>): AsyncGenerator<Record<string, string | number>> {
  for await (const { session, idInSession, participant, app, round, page, seconds, hasTimedOut, isWaitPage } of visits)
    yield {
      session_code: session,
      id_in_session: idInSession,
      participant_code: participant,
      app,
      round,
      page,
      seconds,
      timed_out: hasTimedOut ? 1 : 0,
      is_wait_page: isWaitPage ? 1 : 0,
    };
}
