// The system check for managers: its last result, and running it anew.

import { engineReportSchema } from '../../contracts/engine.ts';
import { groundViewSchema, lastSystemCheckSchema, systemCheckSchema } from '../../contracts/system-check.ts';
import { hostReportSchema } from '../../contracts/system.ts';
import { redisOptions } from '../../domain/assemble.ts';
import type { Context } from '../../domain/context.ts';
import { checkAndKeep, readLastSystemCheck } from '../../domain/system-check-last.ts';
import { askDns, findOwnAddresses, type Surroundings } from '../../domain/system-check-surroundings.ts';
import { askWorker } from '../ask-worker.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';
import { readRedisInfo } from '../redis-info.ts';

const surroundingsOf = (ctx: Context): Surroundings => ({
  config: ctx.config,
  names: askDns(),
  ownAddresses: findOwnAddresses(),
  query: (sql) => ctx.db.$queryRawUnsafe(sql),
  redisInfo: () => readRedisInfo(redisOptions(ctx.config)),
  askGround: () => askWorker(ctx, { kind: 'look-at-ground' }, groundViewSchema),
  askHost: () => askWorker(ctx, { kind: 'look-at-host' }, hostReportSchema),
  askEngine: () => askWorker(ctx, { kind: 'look-at-engine' }, engineReportSchema),
  isPanelRunning: true,
  procDir: '/proc',
});

export const systemCheckRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/system/check',
    action: 'system.check',
    summary: 'The last result of the system check',
    response: lastSystemCheckSchema,
    run: async ({ ctx }) => ({ last: await readLastSystemCheck(ctx) }),
  }),
  endpoint({
    method: 'post',
    path: '/system/check',
    action: 'system.check',
    summary: 'Look at names, ports, certificate, machine and services anew; takes some seconds',
    response: systemCheckSchema,
    run: ({ ctx }) => checkAndKeep(ctx, surroundingsOf(ctx)),
  }),
];
