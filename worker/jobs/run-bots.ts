// Plays the project's bots on the version in use, config by config; one that fails does not hide the others.

import { z } from 'zod';
import { botStep } from '../../contracts/bots.ts';
import { AppError } from '../../contracts/errors.ts';
import { botsFile, pruneBotsData } from '../../domain/bots.ts';
import { readProject } from '../../domain/present-instance.ts';
import { specOf } from '../../domain/specs.ts';
import type { JobRun } from '../job-run.ts';

const inputSchema = z.object({ config: z.string().optional() }).catch({});

/** @throws the first failure, after all configs were played */
export async function runBots(run: JobRun): Promise<void> {
  const { ctx, job, instance, signal, step, write } = run;
  const { config } = inputSchema.parse(job.input);
  const deployment = await ctx.db.deployment.findUniqueOrThrow({ where: { id: job.deploymentId ?? '' } });
  const configs = config === undefined ? (readProject(instance)?.sessionConfigs.map(({ name }) => name) ?? []) : [config];
  if (configs.length === 0) throw new AppError('bots_failed', { config: instance.name, reason: 'the project has no session config.' });
  const failures: unknown[] = [];
  for (const name of configs) {
    await step(`${botStep}${name}`, `Bots play “${name}”`, async () =>
      ctx.platform.playBots(specOf(ctx, instance), {
        releaseNumber: deployment.number,
        config: name,
        participants: null,
        exportTo: await botsFile(ctx, job, name),
        signal,
        onOutput: write,
      }),
    ).catch((error: unknown) => {
      signal.throwIfAborted();
      failures.push(error);
      if (error instanceof AppError) write(`       ✗ ${error.message}\n`);
    });
  }
  await pruneBotsData(ctx, instance.id);
  if (failures.length > 0) throw failures[0];
}
