// Watching an experiment for a few seconds: the requests in its log, how long a page takes, what it uses of a core.

import { setTimeout as pause } from 'node:timers/promises';
import type { MeasuredLoad } from '../contracts/load.ts';
import { AppError } from '../contracts/errors.ts';
import type { WorkerContext } from './context.ts';
import { specOf } from './specs.ts';

const watchMs = 3000;
const askedPages = 3;
const pageLimitMs = 8000;
const logBytes = 1024 * 1024;
/** uvicorn 0.13 AccessFormatter: `client - "GET /p/abc HTTP/1.1" 200`. */
const requestLine = /"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (\S+)[^"]*" \d{3}/;

/** @throws not_running */
export async function measureLoad(ctx: WorkerContext, instanceId: string): Promise<MeasuredLoad> {
  const instance = await ctx.db.instance.findFirst({ where: { id: instanceId, deletedAt: null } });
  if (!instance || (instance.state !== 'running' && instance.state !== 'unhealthy')) throw new AppError('not_running');
  const spec = specOf(ctx, instance);
  const look = async () => (await ctx.platform.observe([instanceId])).get(instanceId);
  const { position } = await ctx.platform.readLogFrom(instanceId, { position: null, maxBytes: 1 });
  const [before, begin] = [await look(), performance.now()];
  const [pages] = await Promise.all([timePages(ctx, spec), pause(watchMs)]);
  const [after, seconds] = [await look(), (performance.now() - begin) / 1000];
  const { text } = await ctx.platform.readLogFrom(instanceId, { position, maxBytes: logBytes });
  return {
    requestsPerSecond: Math.round((countRequests(text) / seconds) * 10) / 10,
    pageMs: pages,
    core: coreOf(before?.cpuSeconds, after?.cpuSeconds, seconds),
    memoryBytes: after?.memoryBytes ?? null,
  };
}

/** `/login` goes through oTree's lock and its database, as every page does. */
async function timePages(ctx: WorkerContext, spec: ReturnType<typeof specOf>): Promise<number | null> {
  const took: number[] = [];
  for (let page = 0; page < askedPages; page += 1) {
    const begin = performance.now();
    const answer = await ctx.platform.askOtree(spec, { method: 'GET', path: '/login', timeoutMs: pageLimitMs }).catch(() => null);
    if (answer?.status === 200) took.push(performance.now() - begin);
    else break;
  }
  return took.toSorted((one, other) => one - other)[Math.floor(took.length / 2)] ?? null;
}

/** Without the panel's own questions. */
export const countRequests = (log: string): number =>
  log.split('\n').filter((line) => {
    const path = requestLine.exec(line)?.[1];
    return path !== undefined && !path.startsWith('/api/') && path !== '/login';
  }).length;

/** A process that ended in between takes its time along: never below nothing. */
const coreOf = (before: number | undefined, after: number | undefined, seconds: number): number | null =>
  before === undefined || after === undefined ? null : Math.max(0, Math.round(((after - before) / seconds) * 100) / 100);
