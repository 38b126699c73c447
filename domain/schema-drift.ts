// Schema drift: the models of a new version do not fit the tables of the database. What is said about it, what a person may choose.

import { driftChoices, type DriftChoice } from '../contracts/jobs.ts';
import { AppError } from '../contracts/errors.ts';
import type { SchemaGap } from '../platforms/release.ts';
import type { Instance, Job } from '../prisma/client/client.ts';
import type { OwnedInstance } from './access.ts';
import { record } from './audit.ts';
import type { Actor, Context } from './context.ts';
import { requestDeployment } from './deployments.ts';
import { announceInstance } from './instances.ts';

const NAMED_AT_MOST = 4;

/** `git push -o on-drift=…`; undefined when it is not given. @throws push_refused for anything but the three choices */
export function driftChoiceOf(options: readonly string[]): DriftChoice | undefined {
  const given = options.find((option) => option.startsWith('on-drift='))?.slice('on-drift='.length);
  if (given === undefined) return undefined;
  const choice = driftChoices.find((one) => one === given);
  if (choice === undefined)
    throw new AppError('push_refused', { reason: `“on-drift=${given.slice(0, 40)}” is not known.`, hint: `Choose one of ${driftChoices.join(', ')}.` });
  return choice;
}

/** What a job does when the models differ: what the person chose for this deployment, else what the instance's setting says. */
export function driftChoiceFor(job: Pick<Job, 'input'>, instance: Pick<Instance, 'resetsOnDrift'>): DriftChoice {
  const given = (job.input as { onDrift?: unknown } | null)?.onDrift;
  return driftChoices.find((one) => one === given) ?? (instance.resetsOnDrift ? 'reset' : 'keep');
}

/** One sentence for people: which columns, of which app. @param version what does not fit, as it stands in the middle of a sentence */
export function describeGaps(gaps: readonly SchemaGap[], version = 'the new version'): string {
  const missing = gaps.filter(({ kind }) => kind === 'missing');
  const others = gaps.filter(({ kind }) => kind !== 'missing');
  const named = [...missing, ...others].slice(0, NAMED_AT_MOST);
  const parts = [
    describeMissing(
      named.filter(({ kind }) => kind === 'missing'),
      version,
    ),
    ...named.filter(({ kind }) => kind !== 'missing').map((gap) => describeOther(gap, version)),
  ];
  const more = gaps.length - named.length;
  return [...parts.filter((part) => part !== ''), ...(more > 0 ? [`${more} more columns do not fit.`] : [])].join(' ');
}

function describeMissing(gaps: readonly SchemaGap[], version: string): string {
  const [first] = gaps;
  if (first === undefined) return '';
  const names = gaps.map((gap) => nameOf(gap));
  const beginning = `${version.charAt(0).toUpperCase()}${version.slice(1)} needs`;
  return names.length === 1
    ? `${beginning} a column ${names[0]} that the database does not have.`
    : `${beginning} the columns ${names.slice(0, -1).join(', ')} and ${names.at(-1)} that the database does not have.`;
}

function describeOther(gap: SchemaGap, version: string): string {
  const { kind, wanted, found } = gap;
  return kind === 'changed'
    ? `The column ${nameOf(gap)} is “${found}” in the database and “${wanted}” in ${version}.`
    : `The database insists on a column ${nameOf(gap)} that ${version} leaves empty.`;
}

/** oTree names tables APP_player, APP_group, APP_subsession (6.0 database.py); its own begin with `otree_`. */
function nameOf({ table, column }: SchemaGap): string {
  const model = /^(.+)_(player|group|subsession)$/.exec(table);
  return model === null ? `\`${column}\` in the table \`${table}\`` : `\`${model[2]}.${column}\` in \`${model[1]}\``;
}

type Again = {
  readonly instance: OwnedInstance;
  readonly deploymentId: string;
  readonly onDrift: DriftChoice;
  readonly confirm?: string | undefined;
  readonly reason?: string | undefined;
};

/**
 * Deploys the commit of a failed deployment once more, with what the person chose for tables that do not fit.
 * @throws confirmation_missing for a reset without the instance's name, push_refused when it did not fail or is not the newest
 */
export async function deployAgain(ctx: Context, actor: Actor, { instance, deploymentId, onDrift, confirm, reason }: Again): Promise<Job> {
  if (onDrift === 'reset' && confirm !== instance.name) throw new AppError('confirmation_missing', {}, { fields: { confirm: `Type ${instance.name}.` } });
  const deployment = await ctx.db.deployment.findFirst({ where: { instanceId: instance.id }, orderBy: { number: 'desc' } });
  if (deployment?.id !== deploymentId || deployment.state !== 'failed')
    throw new AppError('push_refused', {
      reason: 'Only the newest deployment can be deployed again, and only when it failed.',
      hint: 'Look at the newest deployment.',
    });
  const { commit, message, author, branch } = deployment;
  return requestDeployment(ctx, actor, { instance, source: { commit, message, author, branch }, onDrift, ...(reason ? { reason } : {}) });
}

/** Whether deployments of an instance in test empty the database without asking when the models differ. */
export async function setResetsOnDrift(ctx: Context, actor: Actor, change: { instance: OwnedInstance; resetsOnDrift: boolean }): Promise<void> {
  const { instance, resetsOnDrift } = change;
  await ctx.db.$transaction(async (tx) => {
    await tx.instance.update({ where: { id: instance.id }, data: { resetsOnDrift } });
    await record(tx, actor, { action: 'instance.change', subject: instance.name, instanceId: instance.id, detail: { resetsOnDrift } });
  });
  await announceInstance(ctx, instance.id);
}
