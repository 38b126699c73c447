// Start, stop, restart, and what takes effect by a restart.

import { AppError } from '../../contracts/errors.ts';
import { lookInto } from '../../domain/observe-facts.ts';
import { setState } from '../../domain/instance-state.ts';
import { refreshRoute } from '../../domain/routes.ts';
import { specOf } from '../../domain/specs.ts';
import type { JobRun } from '../job-run.ts';

/** Also after a set-back of the machine: environment anew, then start, then wait for oTree's own answer. */
export async function start(run: JobRun): Promise<void> {
  const { ctx, instance } = run;
  if (instance.currentDeploymentId === null) throw new AppError('not_deployed');
  await setState(ctx, instance.id, { state: 'starting' });
  await startSteps(run);
}

export async function stop(run: JobRun): Promise<void> {
  await stopSteps(run);
  await run.step('address', 'Show “stopped” at its address', () => refreshRoute(run.ctx, run.instance.id, run.signal));
  await setState(run.ctx, run.instance.id, { state: 'stopped' });
}

export async function restart(run: JobRun): Promise<void> {
  if (run.instance.currentDeploymentId === null) throw new AppError('not_deployed');
  await stopSteps(run);
  await startSteps(run);
}

/**
 * Gives a running experiment the password and the variables that were stored, by a restart; a stopped one has them at its next
 * start. Safe to repeat: they are read from the rows, never from the job's input. No database reset is needed with oTree ≥ 5,
 * and room links survive: both are the launcher's doing.
 */
export async function takeUpSettings(run: JobRun): Promise<void> {
  const { ctx, instance } = run;
  if (instance.currentDeploymentId === null || instance.intent === 'stop') {
    await run.step('keep', 'Kept for the next start', () => ctx.platform.configure(specOf(ctx, instance)));
    return;
  }
  await stopSteps(run);
  await startSteps(run);
}

/** Stops and waits until every process is gone. */
export async function stopSteps({ ctx, instance, signal, step }: JobRun): Promise<void> {
  await setState(ctx, instance.id, { state: 'stopping' });
  await step('stop', 'Stop the experiment', () => ctx.platform.stop({ instanceId: instance.id, osUserId: instance.osUserId }, signal));
}

/** Starts with the present settings and waits until oTree answers. */
export async function startSteps({ ctx, instance, signal, step }: JobRun): Promise<void> {
  await step('start', 'Start and wait for oTree’s answer', async () => {
    await ctx.platform.configure(specOf(ctx, instance));
    await setState(ctx, instance.id, { state: 'starting' });
    await ctx.platform.start(specOf(ctx, instance), signal);
    await refreshRoute(ctx, instance.id, signal);
  });
  await setState(ctx, instance.id, { state: 'running' });
}

/** As `startSteps`, after the data were exchanged: when the job ends, the pages count what is there now. */
export async function startWithNewData(run: JobRun): Promise<void> {
  await startSteps(run);
  const { ctx, instance } = run;
  await lookInto(ctx, await ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id } })).catch((error: unknown) =>
    ctx.log.warn('an instance could not be looked into', { instanceId: instance.id, error: String(error) }),
  );
}
