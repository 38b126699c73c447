// Opens another address of an instance, closes one of before, and goes back when the new one cannot be had.

import { z } from 'zod';
import { AppError } from '../../contracts/errors.ts';
import { pathPrefixOf } from '../../domain/addresses.ts';
import { addressOf, putAddressBack, readAddressChange, urlOf, type AddressChange } from '../../domain/change-address.ts';
import { setState } from '../../domain/instance-state.ts';
import { announceInstance } from '../../domain/instances.ts';
import { closeFormerAddress, refreshRoute } from '../../domain/routes.ts';
import { loadStartable, specOf } from '../../domain/specs.ts';
import type { JobRun } from '../job-run.ts';
import { startSteps, stopSteps } from './start-stop.ts';

/**
 * Safe to repeat: the rows say where it is to be. oTree starts anew only when its path changes, which it learns at its start.
 * @throws address_put_back when front door or oTree would not have it
 */
export async function changeAddress(run: JobRun): Promise<void> {
  const { instance, step } = run;
  const change = readAddressChange(run.job);
  // A run before this one was cut off on its way back.
  if (!isAt(instance, change.to)) return goBack(run, change, new AppError('job_interrupted'));
  try {
    await open(run, hasOtherPath(run, change));
  } catch (error) {
    // The worker stops: the next one goes on from the start.
    if (run.signal.aborted) throw error;
    return goBack(run, change, error);
  }
  if (!change.keepsOld) await step('close', 'Close the old address', () => close(run, change.formerId));
}

const isAt = (instance: JobRun['instance'], address: AddressChange['to']): boolean => JSON.stringify(addressOf(instance)) === JSON.stringify(address);

const givenUpSchema = z.object({ formerId: z.string() });

/** Closes an address of before for good. */
export async function giveUpAddress(run: JobRun): Promise<void> {
  const { formerId } = givenUpSchema.parse(run.job.input);
  await run.step('close', 'Close the old address', () => close(run, formerId));
}

async function close({ ctx, instance, signal }: JobRun, formerId: string): Promise<void> {
  await closeFormerAddress(ctx, { id: formerId, instanceId: instance.id }, signal);
  await announceInstance(ctx, instance.id);
}

/** First the door: a refusal there then costs nothing but a short stop. */
async function open(run: JobRun, isOtherPath: boolean): Promise<void> {
  const { ctx, instance, signal, step } = run;
  const restarts = isOtherPath && isMeantToRun(run);
  if (restarts) await stopSteps(run);
  await step('address', 'Open the new address', () => refreshRoute(ctx, instance.id, signal));
  if (restarts) await startSteps(run);
  else if (isOtherPath) await step('keep', 'Kept for the next start', () => ctx.platform.configure(specOf(ctx, instance)));
}

const isMeantToRun = ({ instance }: JobRun): boolean => instance.currentDeploymentId !== null && instance.intent === 'run';

function hasOtherPath({ ctx, instance }: JobRun, { from, to }: AddressChange): boolean {
  const [before, after] = [from, to].map(({ mode, port, hostName }) => pathPrefixOf(ctx.config, { ...instance, addressMode: mode, port, hostName }));
  return before !== after;
}

/** The address of before, and the experiment under it; then the reason. */
async function goBack(run: JobRun, change: AddressChange, cause: unknown): Promise<never> {
  const { ctx, step } = run;
  await putAddressBack(ctx, run.instance, change);
  const instance = await loadStartable(ctx, run.instance.id);
  // The old address was closed already: there is nothing to go back to.
  if (isAt(instance, change.to)) throw cause;
  // Not the job's signal: also a worker that is about to stop leaves the old address open.
  const signal = AbortSignal.timeout(90_000);
  const calm: JobRun = { ...run, instance, signal };
  await step('back', 'Open the address from before again', async () => {
    await refreshRoute(ctx, instance.id, signal);
    if (!hasOtherPath(run, change)) return;
    const spec = specOf(ctx, instance);
    await ctx.platform.stop(spec, signal);
    await ctx.platform.configure(spec);
    if (!isMeantToRun(calm)) return;
    await ctx.platform.start(spec, signal);
    await setState(ctx, instance.id, { state: 'running' });
  });
  const { reason, hint } = describe(cause);
  throw new AppError('address_put_back', { address: urlOf(ctx.config, instance, change.to), reason, hint }, { cause });
}

function describe(error: unknown): { reason: string; hint: string } {
  const fallback = 'Choose another address, or ask a manager: the panel’s log says more.';
  if (!(error instanceof AppError)) return { reason: error instanceof Error ? error.message : String(error), hint: fallback };
  if (error.code === 'platform_failed') return { reason: String(error.details['reason'] ?? error.message), hint: fallback };
  return { reason: error.message, hint: error.hint };
}
