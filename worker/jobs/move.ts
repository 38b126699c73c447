// To another platform of this machine: built and tried there beside the running one, then switched; the data stay where they are.

import { z } from 'zod';
import { AppError } from '../../contracts/errors.ts';
import { moveShape, moveWords, type MovePlatform } from '../../contracts/moving.ts';
import type { InstanceState } from '../../contracts/states.ts';
import { backupReasons } from '../../domain/backups.ts';
import { setState } from '../../domain/instance-state.ts';
import { noteMoved } from '../../domain/moving.ts';
import { handOverRooms } from '../../domain/rooms-keeper.ts';
import { refreshRoute } from '../../domain/routes.ts';
import { specOf, type StartableInstance } from '../../domain/specs.ts';
import type { Movable } from '../../platforms/moving.ts';
import type { BuiltRelease } from '../../platforms/release.ts';
import type { Deployment } from '../../prisma/client/client.ts';
import { backupStep } from '../backup-step.ts';
import type { JobRun } from '../job-run.ts';
import { buildThere } from './move-build.ts';

const inputSchema = z.object(moveShape);
/** For what has to be done also when the job is cancelled or the worker stops. */
const clearingMs = 120_000;

/** Between the same two platforms from its beginning to its end. */
export type Move = { readonly from: Movable; readonly to: Movable; readonly deployment: Deployment | null };
type Ready = Move & { readonly release: BuiltRelease | null };

/** Until the row names the other platform nothing is lost here; whatever fails before leaves the instance here, as it was. */
export async function move(run: JobRun): Promise<void> {
  const { ctx, instance, step } = run;
  const { to } = inputSchema.parse(run.job.input);
  const plan = await step('check', `Ask whether it can run ${moveWords[to]}`, () => planMove(run, to));
  if (plan.deployment !== null) await backupStep(run, backupReasons.beforeMove);
  try {
    await step('platform', 'Make a place for it there', () => plan.to.create(specOf(ctx, instance), run.signal));
    const release = plan.deployment === null ? null : await buildThere(run, { ...plan, deployment: plan.deployment });
    await switchPlatform(run, { ...plan, release });
  } catch (error) {
    await clearThere(run, plan);
    throw error;
  }
  await step('address', 'Open its address', async () => {
    // Once more: a room may have been saved meanwhile, and was given to the platform of before.
    await handOverRooms(ctx, instance.id, plan.to);
    await refreshRoute(ctx, instance.id, run.signal);
  });
  await setState(ctx, instance.id, { state: restingState(instance, plan) });
  await clearAway(run, plan);
}

const restingState = ({ intent }: StartableInstance, { deployment }: Move): InstanceState =>
  deployment === null ? 'waiting' : intent === 'run' ? 'running' : 'stopped';

/** Takes away what was made there; what cannot be, the next start of the worker takes away, before anything is started here. */
async function clearThere({ ctx, instance, write }: JobRun, { to }: Move): Promise<void> {
  try {
    const { platform } = await ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id }, select: { platform: true } });
    if (platform !== to.kind) await to.vacate(specOf(ctx, instance), AbortSignal.timeout(clearingMs));
  } catch (error) {
    write(` !     What was made there is still there, and is taken away later: ${String(error)}\n`);
  }
}

async function planMove({ ctx, instance }: JobRun, to: MovePlatform): Promise<Move> {
  const { moving } = ctx.platform;
  const offer = (await moving?.list())?.find(({ kind }) => kind === to);
  if (!moving || !offer) throw new AppError('move_refused', { reason: `nothing runs ${moveWords[to]} on this machine.` });
  if (instance.platform === to) throw new AppError('move_refused', { reason: `it runs ${moveWords[to]} already.` });
  if (offer.problem !== null) throw new AppError('move_refused', { reason: offer.problem });
  const from = moving.at(instance.platform === 'swarm' ? 'swarm' : 'local');
  if ((await from.findTie(instance.id)) !== null) throw new AppError('move_tied');
  const deployment = instance.currentDeploymentId === null ? null : await ctx.db.deployment.findUniqueOrThrow({ where: { id: instance.currentDeploymentId } });
  return { from, to: moving.at(to), deployment };
}

/** Stop-first: oTree must never run twice on one database. */
async function switchPlatform(run: JobRun, ready: Ready): Promise<void> {
  const { ctx, instance, signal, step } = run;
  const { from, to, deployment } = ready;
  const spec = specOf(ctx, instance);
  const isMeantToRun = deployment !== null && instance.intent === 'run';
  await step('switch', isMeantToRun ? 'Stop it here, start it there and wait for oTree’s answer' : 'Make it ready there', async () => {
    try {
      if (isMeantToRun) await setState(ctx, instance.id, { state: 'stopping' });
      await from.stop(spec, signal);
      if (deployment !== null) await to.selectRelease(spec, deployment.number);
      await to.configure(spec);
      await handOverRooms(ctx, instance.id, to);
      if (deployment !== null) await compareData(run, ready);
      if (isMeantToRun) await setState(ctx, instance.id, { state: 'starting' });
      if (isMeantToRun) await to.start(spec, signal);
      await noteMoved(ctx, instance, { to: to.kind, built: deployment && ready.release && { deployment, release: ready.release } });
    } catch (error) {
      await goBack(run, ready);
      throw error;
    }
  });
}

/** Both see one database: the same rows by both ways, while nothing writes. @throws platform_failed */
async function compareData({ ctx, instance, write }: JobRun, { from, to }: Move): Promise<void> {
  const spec = specOf(ctx, instance);
  const [here, there] = [(await from.databaseFacts(spec)).rowCounts, (await to.databaseFacts(spec)).rowCounts];
  const differing = [...new Set([...Object.keys(here), ...Object.keys(there)])].filter((table) => here[table] !== there[table]);
  if (differing.length > 0) throw new AppError('platform_failed', { reason: `its data are not the same from there (${differing.slice(0, 3).join(', ')}).` });
  write(`       ${Object.values(here).reduce((sum, rows) => sum + rows, 0)} rows, seen equally from both\n`);
}

/** As it was: nothing there, the same version here, running if it is meant to. */
async function goBack({ ctx, instance, write }: JobRun, { from, to, deployment }: Move): Promise<void> {
  // Not the job's signal: also a job that is interrupted here leaves the instance running.
  const signal = AbortSignal.timeout(clearingMs);
  write('       It stays where it was.\n');
  await ctx.db.instance.update({ where: { id: instance.id }, data: { platform: from.kind } });
  ctx.platform.moving?.forget(instance.id);
  const spec = specOf(ctx, instance);
  await to.vacate(spec, signal);
  if (deployment !== null && instance.intent === 'run') await from.start(spec, signal);
}

/** It runs there already: what is left here does no harm, and the next start of the worker takes it away. */
async function clearAway({ ctx, instance, step, write }: JobRun, { from }: Move): Promise<void> {
  await step('clear', 'Clear away what it had before', async () => {
    await from
      .vacate(specOf(ctx, instance), AbortSignal.timeout(clearingMs))
      .catch((error: unknown) => write(` !     Not everything could be cleared away; that is tried again: ${String(error)}\n`));
  });
}
