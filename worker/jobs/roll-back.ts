// Back to a version whose release is still there: no build, a few seconds.

import { z } from 'zod';
import { findRollBackTarget } from '../../domain/deployments.ts';
import type { JobRun } from '../job-run.ts';
import { switchRelease } from '../switch-release.ts';

const inputSchema = z.object({ deploymentId: z.string() });

export async function rollBack(run: JobRun): Promise<void> {
  const { deploymentId } = inputSchema.parse(run.job.input);
  // Asked again: between the wish and now a deployment may have cleared it away.
  const deployment = await findRollBackTarget(run.ctx, run.instance, deploymentId);
  await switchRelease(run, {
    deployment,
    project: deployment.project,
    label: `Switch back to ${deployment.commit.slice(0, 7)} “${deployment.message.slice(0, 60)}”`,
  });
}
