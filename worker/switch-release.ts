// From the release that runs to another one that is built: stop, select, start; back again when it does not answer.

import { asJson } from '../domain/database.ts';
import { announceInstance } from '../domain/instances.ts';
import { setState } from '../domain/instance-state.ts';
import { refreshRoute } from '../domain/routes.ts';
import { specOf } from '../domain/specs.ts';
import { noTraceback } from '../domain/tracebacks.ts';
import type { Deployment } from '../prisma/client/client.ts';
import type { JobRun } from './job-run.ts';

type Target = {
  readonly deployment: Deployment;
  readonly project: unknown;
  readonly label: string;
  /** Runs while nothing runs, under the new release: makes the database fit. */
  readonly beforeStart?: () => Promise<void>;
  /** Runs under the release of before, when the new one did not answer. */
  readonly beforeGoingBack?: () => Promise<void>;
};

/**
 * Stop-first: oTree must never run twice on one database. If the new one does not answer, the old one is started again.
 * The row names the new one only after it has answered.
 * @throws start_failed and what else a start ends with
 */
export async function switchRelease(run: JobRun, { deployment, project, label, beforeStart, beforeGoingBack }: Target): Promise<void> {
  const { ctx, instance, signal, step } = run;
  const spec = specOf(ctx, instance);
  const previous = instance.currentDeploymentId === null ? null : await ctx.db.deployment.findUnique({ where: { id: instance.currentDeploymentId } });
  const isMeantToRun = instance.intent === 'run';
  await step('switch', isMeantToRun ? label : 'Make this version ready (the instance is stopped)', async () => {
    try {
      if (previous) await ctx.platform.stop(spec, signal);
      await ctx.platform.selectRelease(spec, deployment.number);
      await ctx.platform.configure(spec);
      await beforeStart?.();
      if (isMeantToRun) {
        await setState(ctx, instance.id, { state: 'starting' });
        await ctx.platform.start(spec, signal);
      }
    } catch (error) {
      await goBack(run, previous, beforeGoingBack);
      throw error;
    }
  });
  await ctx.db.instance.update({ where: { id: instance.id }, data: { currentDeploymentId: deployment.id, project: asJson(project), ...noTraceback } });
  await step('address', 'Open its address', () => refreshRoute(ctx, instance.id, signal));
  await setState(ctx, instance.id, { state: isMeantToRun ? 'running' : 'stopped' });
  await announceInstance(ctx, instance.id);
}

/** The release that ran before is chosen, and started where the instance is meant to run. */
async function goBack({ ctx, instance, write }: JobRun, previous: Deployment | null, beforeGoingBack: Target['beforeGoingBack']): Promise<void> {
  const spec = specOf(ctx, instance);
  // Not the job's signal: also a job that is interrupted here leaves the old version running.
  const signal = AbortSignal.timeout(90_000);
  await ctx.platform.stop(spec, signal);
  if (!previous) return;
  write('       It did not answer: the version before is started again.\n');
  await ctx.platform.selectRelease(spec, previous.number);
  await ctx.platform.configure(spec);
  await beforeGoingBack?.();
  if (instance.intent === 'run') await ctx.platform.start(spec, signal);
}
