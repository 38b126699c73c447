// The panel itself: what it is made of and whether each part answers.

import { z } from 'zod';
import { hostReportSchema, hostSchema, systemSchema, type HostView } from '../../contracts/system.ts';
import type { Context } from '../../domain/context.ts';
import { resolveAddressMode } from '../../domain/addresses.ts';
import { askWorker } from '../ask-worker.ts';
import { AppError } from '../../contracts/errors.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';
import { panelVersion } from '../version.ts';

const startedAt = new Date();

type Part = { readonly name: string; readonly isWell: boolean; readonly detail: string };

/** Asks database, queue and worker; each answers within two seconds or counts as away. */
export async function lookAtParts(ctx: Context, pingRedis: () => Promise<unknown>): Promise<Part[]> {
  const part = async (name: string, look: () => Promise<unknown>): Promise<Part> => {
    try {
      await Promise.race([look(), new Promise((_, reject) => setTimeout(reject, 2000, new Error('no answer within 2 seconds')).unref())]);
      return { name, isWell: true, detail: 'answers' };
    } catch (error) {
      return { name, isWell: false, detail: error instanceof Error ? error.message : String(error) };
    }
  };
  return Promise.all([
    part('PostgreSQL', () => ctx.db.$queryRaw`SELECT 1`),
    part('Redis', pingRedis),
    part('worker', () => askWorker(ctx, { kind: 'ping' }, z.unknown())),
  ]);
}

export const systemRoutes = (pingRedis: () => Promise<unknown>): readonly AnyEndpoint[] => [
  endpoint({
    method: 'get',
    path: '/system',
    action: 'system.read',
    summary: 'Version, address and the parts of the panel',
    response: systemSchema,
    run: async ({ ctx }) => ({
      version: panelVersion,
      nodeVersion: process.version,
      startedAt: startedAt.toISOString(),
      platform: ctx.config.PLATFORM,
      addressMode: await resolveAddressMode(ctx.config),
      publicUrl: ctx.config.publicUrl.origin,
      parts: await lookAtParts(ctx, pingRedis),
    }),
  }),
  endpoint({
    method: 'get',
    path: '/system/host',
    action: 'system.read',
    summary: 'The Dokku host: how it is, what the panel needs there and what it found',
    response: hostSchema,
    run: async ({ ctx }) => lookAtHost(ctx),
  }),
];

/** @throws not_found where instances run on this machine */
async function lookAtHost(ctx: Context): Promise<HostView> {
  const report = await askWorker(ctx, { kind: 'look-at-host' }, hostReportSchema.nullable());
  if (report === null) throw new AppError('not_found');
  return { ...report, addKeyCommand: `echo '${report.publicKey}' | dokku ssh-keys:add arboretum`, domain: ctx.config.DOKKU_DOMAIN ?? '' };
}
