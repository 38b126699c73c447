// Choosing the platform, and the Docker Engine as the worker sees it: only the worker may use the engine's socket.

import { engineReportSchema, makeManagerSchema, type EngineReport } from '../../contracts/engine.ts';
import { choosePlatformSchema, platformChoiceSchema } from '../../contracts/platform-choice.ts';
import { doneSchema } from '../../contracts/worker.ts';
import type { Context } from '../../domain/context.ts';
import { choosePlatform, makeEngineManager, showPlatformChoice } from '../../domain/platform-choice.ts';
import { askWorker } from '../ask-worker.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

const lookAtEngine = (ctx: Context): Promise<EngineReport> => askWorker(ctx, { kind: 'look-at-engine' }, engineReportSchema);

export const platformChoiceRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/system/platform',
    action: 'platform.choose',
    summary: 'Where instances can run here, what is proposed, and what was chosen',
    response: platformChoiceSchema,
    run: async ({ ctx }) => showPlatformChoice(ctx, await lookAtEngine(ctx)),
  }),
  endpoint({
    method: 'post',
    path: '/system/platform',
    action: 'platform.choose',
    summary: 'Choose where instances run, while there is none',
    body: choosePlatformSchema,
    response: platformChoiceSchema,
    run: async ({ ctx, person, body }) => {
      const engine = await lookAtEngine(ctx);
      const use = async (platform: typeof body.platform): Promise<void> => void (await askWorker(ctx, { kind: 'use-platform', platform }, doneSchema));
      await choosePlatform(ctx, person, { platform: body.platform, engine, use });
      return showPlatformChoice(ctx, engine);
    },
  }),
  endpoint({
    method: 'get',
    path: '/system/engine',
    action: 'system.read',
    summary: 'The Docker Engine of this machine: version, Swarm, limits, images, disk',
    response: engineReportSchema,
    run: async ({ ctx }) => lookAtEngine(ctx),
  }),
  endpoint({
    method: 'post',
    path: '/system/engine/swarm',
    action: 'platform.choose',
    summary: 'Make the Docker Engine the manager of a Swarm of its own, at an address of this machine',
    body: makeManagerSchema,
    response: platformChoiceSchema,
    run: async ({ ctx, person, body }) => {
      const { address } = body;
      await makeEngineManager(ctx, person, { address, make: () => askWorker(ctx, { kind: 'make-manager', address }, doneSchema) });
      return showPlatformChoice(ctx, await lookAtEngine(ctx));
    },
  }),
];
