// From a pushed commit to a running experiment: build beside the running one, try it in private, then switch.

import type { BuiltRelease } from '../../platforms/release.ts';
import type { Deployment } from '../../prisma/client/client.ts';
import { asJson } from '../../domain/database.ts';
import { findLock, updateDeployment } from '../../domain/deployments.ts';
import { setState } from '../../domain/instance-state.ts';
import { archiveOpener, tidyRepository } from '../../domain/repositories.ts';
import { driftChoiceFor } from '../../domain/schema-drift.ts';
import { specOf } from '../../domain/specs.ts';
import { isCancellation, type JobRun } from '../job-run.ts';
import { switchRelease } from '../switch-release.ts';
import { planDrift, remakeOldTables, resetOnce, tellWarnings } from './deploy-drift.ts';

export async function deploy(run: JobRun): Promise<void> {
  const { ctx, job, instance } = run;
  const deployment = await ctx.db.deployment.findUniqueOrThrow({ where: { id: job.deploymentId ?? '' } });
  await updateDeployment(ctx, deployment, { state: 'building' });
  if (instance.currentDeploymentId === null) await setState(ctx, instance.id, { state: 'building' });
  try {
    const release = await buildRelease(run, deployment);
    await tellWarnings(run, deployment, { before: [], now: release.warnings });
    const { gaps } = await run.step('try', 'Try it privately on an empty database', () =>
      ctx.platform.tryRelease(specOf(ctx, instance), deployment.number, { signal: run.signal, onOutput: run.write }),
    );
    const plan = await planDrift(run, { gaps, choice: driftChoiceFor(job, instance) });
    await tellWarnings(run, deployment, { before: release.warnings, now: plan.warnings });
    const reset = resetOnce(run, plan);
    await switchRelease(run, {
      deployment,
      project: release.project,
      label: 'Switch to the new version',
      beforeStart: reset.run,
      beforeGoingBack: async () => {
        if (reset.isDone()) await remakeOldTables(run, plan);
      },
    });
    await updateDeployment(ctx, deployment, { state: 'succeeded', endedAt: new Date() });
    await pruneReleases(run, deployment);
  } catch (error) {
    await updateDeployment(ctx, deployment, { state: isCancellation(run, error) ? 'cancelled' : 'failed', endedAt: new Date() });
    if (instance.currentDeploymentId === null) await setState(ctx, instance.id, { state: 'waiting' });
    throw error;
  }
}

async function buildRelease(run: JobRun, deployment: Deployment): Promise<BuiltRelease> {
  const { ctx, instance, signal, step, write } = run;
  return step('build', `Build ${deployment.commit.slice(0, 7)} “${deployment.message.slice(0, 60)}”`, async () => {
    const release = await ctx.platform.build(specOf(ctx, instance), {
      releaseNumber: deployment.number,
      openArchive: await archiveOpener(ctx.config.layout, instance.id, deployment.commit),
      lockFor: (hash) => findLock(ctx, instance.id, hash),
      signal,
      onOutput: write,
    });
    const { requirementsHash, lock, project } = release;
    await sayWhatChanged(run, release);
    await updateDeployment(ctx, deployment, { requirementsHash, lock, otreeVersion: project.otreeVersion, isReleaseKept: true, project: asJson(project) });
    return release;
  });
}

/** A push that changes oTree's version says so, in terminal and page. */
async function sayWhatChanged({ ctx, instance, write }: JobRun, release: BuiltRelease): Promise<void> {
  const before = instance.currentDeploymentId === null ? null : await ctx.db.deployment.findUnique({ where: { id: instance.currentDeploymentId } });
  const now = release.project.otreeVersion;
  if (before?.otreeVersion && before.otreeVersion !== now) write(`       Note: this push changes oTree from ${before.otreeVersion} to ${now}.\n`);
}

async function pruneReleases({ ctx, instance, write }: JobRun, deployment: Deployment): Promise<void> {
  const kept = await ctx.db.deployment.findMany({
    where: { instanceId: instance.id, isReleaseKept: true, state: 'succeeded' },
    orderBy: { number: 'desc' },
    take: ctx.config.KEEP_RELEASES,
  });
  const numbers = [...new Set([deployment.number, ...kept.map(({ number }) => number)])];
  await ctx.platform
    .pruneReleases(specOf(ctx, instance), numbers)
    .catch((error: unknown) => write(`       Old versions could not be removed: ${String(error)}\n`));
  await tidyRepository(ctx.config.layout, instance.id).catch((error: unknown) =>
    ctx.log.warn('a repository could not be packed', { instanceId: instance.id, error: String(error) }),
  );
  await ctx.db.deployment.updateMany({ where: { instanceId: instance.id, number: { notIn: numbers } }, data: { isReleaseKept: false } });
}
