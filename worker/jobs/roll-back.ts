// Back to a version whose release is still there: tried against the tables as a deployment is, but without a build.

import { z } from 'zod';
import { driftChoices } from '../../contracts/jobs.ts';
import { findRollBackTarget } from '../../domain/deployments.ts';
import { readWarnings } from '../../domain/present-instance.ts';
import { specOf } from '../../domain/specs.ts';
import type { JobRun } from '../job-run.ts';
import { switchRelease } from '../switch-release.ts';
import { planDrift, remakeOldTables, resetOnce, tellWarnings } from './deploy-drift.ts';

/** Without a choice the version in use stays; the setting of instances in test is about deployments. */
const inputSchema = z.object({ deploymentId: z.string(), onDrift: z.enum(driftChoices).default('keep') });

export async function rollBack(run: JobRun): Promise<void> {
  const { ctx, instance, signal, step, write } = run;
  const { deploymentId, onDrift } = inputSchema.parse(run.job.input);
  // Asked again: between the wish and now a deployment may have cleared it away.
  const deployment = await findRollBackTarget(ctx, instance, deploymentId);
  const { gaps } = await step('try', 'Try it privately on an empty database', () =>
    ctx.platform.tryRelease(specOf(ctx, instance), deployment.number, { signal, onOutput: write }),
  );
  const plan = await planDrift(run, { gaps, choice: onDrift });
  const reset = resetOnce(run, plan);
  await switchRelease(run, {
    deployment,
    project: deployment.project,
    label: `Switch back to ${deployment.commit.slice(0, 7)} “${deployment.message.slice(0, 60)}”`,
    beforeStart: reset.run,
    beforeGoingBack: async () => {
      if (reset.isDone()) await remakeOldTables(run, plan);
    },
  });
  const before = readWarnings(deployment).filter((sentence) => !plan.warnings.includes(sentence));
  await tellWarnings(run, deployment, { before, now: plan.warnings });
}
