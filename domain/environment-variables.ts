// The environment of an experiment: who may come in, what an error shows, and the owner's variables, sealed.

import { environmentLimits, whyReserved, type AuthLevel, type EnvironmentChange, type EnvironmentView } from '../contracts/environment.ts';
import { AppError } from '../contracts/errors.ts';
import type { Instance } from '../prisma/client/client.ts';
import type { OwnedInstance } from './access.ts';
import { record } from './audit.ts';
import type { Actor, Context } from './context.ts';
import type { Transaction } from './database.ts';
import { announceInstance } from './instances.ts';
import { variablePlace, type StartableInstance } from './specs.ts';

/** Names, never values: one value at a time is shown by `revealVariable`. */
export async function readEnvironment(ctx: Context, instanceId: string): Promise<EnvironmentView> {
  const instance = await ctx.db.instance.findUniqueOrThrow({
    where: { id: instanceId },
    include: { variables: { select: { name: true, updatedByName: true, updatedAt: true }, orderBy: { name: 'asc' } } },
  });
  const pendingSince = await findPendingChange(ctx, instance);
  return {
    authLevel: instance.authLevel as AuthLevel,
    isProduction: instance.isProduction,
    variables: instance.variables.map(({ updatedAt, ...rest }) => ({ ...rest, updatedAt: updatedAt.toISOString() })),
    pendingSince: pendingSince?.toISOString() ?? null,
  };
}

/**
 * Stores the change at once; the experiment has it from its next start on.
 * @throws variable_reserved, too_many_variables
 */
export async function changeEnvironment(ctx: Context, actor: Actor, request: { instance: OwnedInstance; change: EnvironmentChange }): Promise<void> {
  const { instance, change } = request;
  const set = new Map((change.set ?? []).map(({ name, value }) => [name, value]));
  for (const name of set.keys()) refuseReserved(name);
  await ctx.db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM "instance" WHERE "id" = ${instance.id} FOR UPDATE`;
    const { authLevel, isProduction } = change;
    await tx.instance.update({
      where: { id: instance.id },
      data: { ...(authLevel === undefined ? {} : { authLevel }), ...(isProduction === undefined ? {} : { isProduction }) },
    });
    await tx.environmentVariable.deleteMany({ where: { instanceId: instance.id, name: { in: [...(change.remove ?? []), ...set.keys()] } } });
    await tx.environmentVariable.createMany({
      data: [...set].map(([name, value]) => ({
        instanceId: instance.id,
        name,
        value: ctx.sealer.seal(value, variablePlace(instance.id, name)),
        updatedByName: actor.name,
      })),
    });
    await refuseTooMany(tx, instance.id);
    await record(tx, actor, {
      action: 'instance.change-environment',
      subject: instance.name,
      instanceId: instance.id,
      detail: { authLevel, isProduction, set: [...set.keys()], removed: change.remove ?? [] },
    });
  });
  await announceInstance(ctx, instance.id);
}

function refuseReserved(name: string): void {
  const reason = whyReserved(name);
  if (reason !== null) throw new AppError('variable_reserved', { name, reason }, { fields: { name: `${name} cannot be set here: ${reason}` } });
}

async function refuseTooMany(tx: Transaction, instanceId: string): Promise<void> {
  const limit = environmentLimits.variables;
  if ((await tx.environmentVariable.count({ where: { instanceId } })) > limit) throw new AppError('too_many_variables', { limit });
}

/** One value, opened; recorded, because it may be a secret. @throws not_found */
export async function revealVariable(ctx: Context, actor: Actor, { instance, name }: { instance: OwnedInstance; name: string }): Promise<string> {
  const variable = await ctx.db.environmentVariable.findUnique({ where: { instanceId_name: { instanceId: instance.id, name } } });
  if (!variable) throw new AppError('not_found');
  await record(ctx.db, actor, { action: 'instance.reveal-variable', subject: instance.name, instanceId: instance.id, detail: { name } });
  return ctx.sealer.open(variable.value, variablePlace(instance.id, name)).open();
}

/** Kinds of job after which the experiment runs with what was stored when the job began. */
const startingKinds = ['start', 'restart', 'deploy', 'set-admin-password', 'set-environment', 'scale', 'reset-database', 'restore', 'roll-back', 'move'];

/** What is written when links of recruitment change: they reach the experiment as the environment does. */
export const linksChanged = 'recruiting.change-links';

/** When something was changed that the running experiment does not have yet; null when it has everything, or does not run. */
export async function findPendingChange(
  ctx: Pick<Context, 'db'>,
  instance: Pick<Instance, 'id' | 'intent' | 'currentDeploymentId'>,
  actions: readonly string[] = ['instance.change-environment', linksChanged],
): Promise<Date | null> {
  if (instance.intent === 'stop' || instance.currentDeploymentId === null) return null;
  const change = await ctx.db.audit.findFirst({
    where: { instanceId: instance.id, action: { in: [...actions] } },
    orderBy: { at: 'desc' },
    select: { at: true },
  });
  if (!change) return null;
  // A job reads the row after its start, so that a start later than the change has it.
  const start = await ctx.db.job.findFirst({
    where: { instanceId: instance.id, kind: { in: startingKinds }, state: 'succeeded', startedAt: { gt: change.at } },
    select: { id: true },
  });
  return start ? null : change.at;
}

/** Shorter values stand in too many innocent words. */
const leastHidden = 6;

/** Takes the values of an instance's variables out of a text: what an experiment prints goes into logs that others read. */
export function hideValues(ctx: Pick<Context, 'sealer'>, instance: StartableInstance): (text: string) => string {
  const values = instance.variables
    .flatMap(({ name, value }) => ctx.sealer.open(value, variablePlace(instance.id, name)).open().split('\n'))
    .map((line) => line.trim())
    .filter((line) => line.length >= leastHidden)
    .toSorted((one, other) => other.length - one.length);
  return (text) => values.reduce((left, value) => left.replaceAll(value, '[redacted]'), text);
}
