// Taking over an experiment of the platform's: whether that can be done, and its settings as an instance has them.

import { z } from 'zod';
import type { adoptionOutlookSchema } from '../contracts/adoptions.ts';
import { authLevels, environmentLimits, variableNameSchema, whyReserved } from '../contracts/environment.ts';
import { AppError } from '../contracts/errors.ts';
import type { Adoption, ForeignDetail } from '../platforms/adoption.ts';
import type { Instance, Job } from '../prisma/client/client.ts';
import { platformHostName } from './addresses.ts';
import { record } from './audit.ts';
import type { Actor, Context, WorkerContext } from './context.ts';
import { createInstance } from './instances.ts';
import { isActive } from './observe-facts.ts';
import { sealedPlace, variablePlace, type SealedColumn } from './specs.ts';

export type AdoptionRequest = { readonly app: string; readonly name: string; readonly ownerId: string; readonly reason?: string };
/** What the worker has to know of it. */
export const adoptionInput = z.object({ app: z.string(), reason: z.string().optional() });

type Outlook = z.infer<typeof adoptionOutlookSchema>;

/** Set by the platform, or for an oTree before 5, or for where it ran. */
const OF_PLATFORM = /^(?:DOKKU_\w+|GIT_REV|NO_VHOST|PORT|REDIS_URL|DATABASE_URL)$/;
const OLDEST_OTREE = 5;

/** @throws adoption_refused where the platform has no such apps */
export function adoptionOf(ctx: Pick<WorkerContext, 'platform'>, app: string): Adoption {
  if (ctx.platform.adoption === null) throw new AppError('adoption_refused', { app, reason: 'instances run on this machine, where there are no such apps.' });
  return ctx.platform.adoption;
}

/** Why it cannot be taken over, and how many people it would disturb. */
export function judgeForeign({ name, refusal, otreeVersion, participants, hostNames }: ForeignDetail): Outlook {
  return { refusal: refusal ?? refuseVersion(name, otreeVersion), people: participants.filter(isActive).length, hostNames: [...hostNames], otreeVersion };
}

function refuseVersion(app: string, version: string | null): string | null {
  if (version === null)
    return `its oTree’s version could not be asked. As you can look yourself: dokku run ${app} pip show otree. Make a new instance and push its code instead.`;
  if (Number.parseInt(version, 10) >= OLDEST_OTREE) return null;
  return `it runs oTree ${version}, and the panel runs oTree 5 and later. Follow “Upgrading to oTree 5” in oTree’s documentation; data of before cannot come along.`;
}

/** @throws adoption_refused; people_in_session without a reason */
export function demandAdoptable(app: string, { refusal, people }: Outlook, reason: string | undefined): void {
  if (refusal !== null) throw new AppError('adoption_refused', { app, reason: refusal });
  if (people > 0 && !reason) throw new AppError('people_in_session', { count: people }, { fields: { reason: 'Say why it cannot wait; it is recorded.' } });
}

/** The app keeps its addresses, so the instance cannot have one of them. @throws host_name_taken */
export function demandOtherAddress(ctx: Pick<Context, 'config'>, { app, name }: Pick<AdoptionRequest, 'app' | 'name'>, { hostNames }: Outlook): void {
  const hostName = platformHostName(ctx.config, { name });
  if (hostName === null || !hostNames.includes(hostName)) return;
  throw new AppError('host_name_taken', { app, hostName }, { fields: { name: `The app keeps ${hostName}: choose another name.` } });
}

/** Makes the instance's row and the job that fills it, in one transaction. @throws name_taken, owner_unknown */
export async function startAdoption(ctx: Context, actor: Actor, { app, reason, ...request }: AdoptionRequest): Promise<{ name: string; job: Job }> {
  return createInstance(ctx, actor, { ...request, adoption: { app, ...(reason === undefined ? {} : { reason }) } });
}

/**
 * Gives the instance the password, the key and the variables of the app; those that the panel or the platform sets are left out.
 * @returns names of variables that were left out though somebody had set them
 */
export async function takeOverSettings(ctx: Context, actor: Actor, task: { instance: Pick<Instance, 'id' | 'name'>; found: ForeignDetail }): Promise<string[]> {
  const { instance, found } = task;
  const { id } = instance;
  const given = Object.entries(found.environment).filter(([name]) => !OF_PLATFORM.test(name));
  const kept = given.filter(([name, value]) => isVariable(name, value.open())).slice(0, environmentLimits.variables);
  await ctx.db.$transaction(async (tx) => {
    await tx.instance.update({ where: { id }, data: columnsOf(ctx, id, found) });
    await tx.environmentVariable.deleteMany({ where: { instanceId: id } });
    await tx.environmentVariable.createMany({
      data: kept.map(([name, value]) => ({
        instanceId: id,
        name,
        value: ctx.sealer.seal(value.open(), variablePlace(id, name)),
        updatedByName: actor.name,
      })),
    });
    const detail = { app: found.name, set: kept.map(([name]) => name) };
    await record(tx, actor, { action: 'instance.adopt', subject: instance.name, instanceId: id, detail });
  });
  const taken = new Set([...kept.map(([name]) => name), ...OF_COLUMNS]);
  return given.map(([name]) => name).filter((name) => !taken.has(name));
}

const OF_COLUMNS = ['OTREE_ADMIN_PASSWORD', 'OTREE_REST_KEY', 'OTREE_AUTH_LEVEL', 'OTREE_PRODUCTION'];

const isVariable = (name: string, value: string): boolean =>
  variableNameSchema.safeParse(name).success && whyReserved(name) === null && Buffer.byteLength(value) <= environmentLimits.valueBytes;

/** What an instance has columns for; left out where the app does not say it. */
function columnsOf(ctx: Context, id: string, { environment }: ForeignDetail) {
  const value = (name: string): string => environment[name]?.open() ?? '';
  const seal = (column: SealedColumn, name: string): string => ctx.sealer.seal(value(name), sealedPlace(id, column));
  const authLevel = authLevels.find((level) => level === value('OTREE_AUTH_LEVEL')) ?? '';
  return {
    ...(value('OTREE_ADMIN_PASSWORD') === '' ? {} : { adminPassword: seal('admin_password', 'OTREE_ADMIN_PASSWORD') }),
    ...(value('OTREE_REST_KEY') === '' ? {} : { restKey: seal('rest_key', 'OTREE_REST_KEY') }),
    authLevel,
    isProduction: !['', '0'].includes(value('OTREE_PRODUCTION')),
  };
}
