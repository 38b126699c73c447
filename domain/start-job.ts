// What people may start on an instance: right, confirmation and guard for each kind, then the job.

import { AppError } from '../contracts/errors.ts';
import type { StartJob } from '../contracts/jobs.ts';
import { canOnInstance, type InstanceAction } from '../contracts/roles.ts';
import type { Prisma } from '../prisma/client/client.ts';
import { standingOf, visibleTo, type OwnedInstance, type Person } from './access.ts';
import { record } from './audit.ts';
import { changeAddress } from './change-address.ts';
import type { Context } from './context.ts';
import type { Transaction } from './database.ts';
import { findBackupFile } from './backups.ts';
import { checkBots } from './bots.ts';
import { deploySample, findRollBackTarget } from './deployments.ts';
import { guard } from './guard.ts';
import { announceInstance } from './instances.ts';
import { announceJob, requestJob } from './jobs.ts';
import { demandMovable } from './moving.ts';
import { withInstanceName, type JobRow } from './present-job.ts';
import { deployAgain } from './schema-drift.ts';
import { sealedPlace } from './specs.ts';

type Start = { readonly instance: OwnedInstance; readonly request: StartJob; readonly sampleFolder: string };
/** What ends or restarts a running experiment. */
const disturbing: readonly StartJob['kind'][] = [
  'stop',
  'restart',
  'set-admin-password',
  'reset-database',
  'restore',
  'roll-back',
  'delete',
  'deploy',
  'set-environment',
  'scale',
  'change-address',
  'move',
];
const needsRelease: readonly StartJob['kind'][] = ['start', 'stop', 'restart', 'reset-database', 'back-up', 'restore', 'roll-back', 'run-bots'];

/** @throws not_allowed, confirmation_missing, people_in_session, not_deployed, roll_back_refused, backup_gone, job_in_progress, and what `changeAddress` throws */
export async function startJob(ctx: Context, person: Person, { instance, request, sampleFolder }: Start): Promise<JobRow> {
  const action = `instance.${request.kind}` satisfies InstanceAction;
  if (!canOnInstance(standingOf(person, instance), action)) throw new AppError('not_allowed');
  const isNameAsked = request.kind === 'roll-back' ? request.onDrift === 'reset' : 'confirm' in request;
  if (isNameAsked && (!('confirm' in request) || request.confirm !== instance.name))
    throw new AppError('confirmation_missing', {}, { fields: { confirm: `Type ${instance.name}.` } });
  if (needsRelease.includes(request.kind) && instance.currentDeploymentId === null) throw new AppError('not_deployed');
  const reason = 'reason' in request ? request.reason : undefined;
  if (disturbing.includes(request.kind)) guard(instance, reason);
  if (request.kind === 'deploy-sample') return withInstance(ctx, (await deploySample(ctx, person, { instance, folder: sampleFolder })).id);
  if (request.kind === 'deploy') return withInstance(ctx, (await deployAgain(ctx, person, { instance, ...request })).id);
  if (request.kind === 'change-address') return withInstance(ctx, (await changeAddress(ctx, person, { instance, wish: request })).id);

  if (request.kind === 'roll-back') await findRollBackTarget(ctx, instance, request.deploymentId);
  if (request.kind === 'run-bots') await checkBots(ctx, instance, request.config);
  if (request.kind === 'move') await demandMovable(ctx, instance, request.to);
  if (request.kind === 'restore') await findBackupFile(ctx, instance.id, request.backupId);

  const { kind } = request;
  const job = await ctx.db.$transaction(async (tx) => {
    const row = await requestJob(tx, person, { kind, instanceId: instance.id, input: inputOf(request), ...deploymentOf(instance, request) });
    await applyIntent(ctx, tx, { instance, request });
    await record(tx, person, { action, subject: instance.name, instanceId: instance.id, detail: { reason, ...inputOf(request), ...detailOf(request) } });
    return row;
  });
  await announceInstance(ctx, instance.id);
  return announceJob(ctx, job.id);
}

/** Whose version it is about, for kinds whose result belongs to a version. */
const deploymentOf = ({ currentDeploymentId }: OwnedInstance, { kind }: StartJob): { deploymentId?: string } =>
  kind === 'run-bots' && currentDeploymentId !== null ? { deploymentId: currentDeploymentId } : {};

/** What the worker has to know; never a secret. */
function inputOf(request: StartJob): Readonly<Record<string, unknown>> {
  if (request.kind === 'back-up') return { note: request.note ?? '' };
  if (request.kind === 'move') return { to: request.to };
  if (request.kind === 'restore') return { backupId: request.backupId };
  if (request.kind === 'run-bots') return request.config === undefined ? {} : { config: request.config };
  if (request.kind === 'roll-back') return { deploymentId: request.deploymentId, ...(request.onDrift ? { onDrift: request.onDrift } : {}) };
  return {};
}

/** What the request changes at once, in the job's own transaction. */
async function applyIntent(ctx: Context, tx: Transaction, { instance, request }: Omit<Start, 'sampleFolder'>): Promise<void> {
  const where = { id: instance.id };
  if (request.kind === 'start' || request.kind === 'restart') await tx.instance.update({ where, data: { intent: 'run' } });
  if (request.kind === 'stop' || request.kind === 'delete') await tx.instance.update({ where, data: { intent: 'stop' } });
  if (request.kind === 'scale') {
    const { processes, memoryMib, diskMib } = request;
    await tx.instance.update({ where, data: { intent: processes === 0 ? 'stop' : 'run', memoryMib, diskMib } });
  }
  if (request.kind === 'set-admin-password') {
    await tx.instance.update({ where, data: { adminPassword: ctx.sealer.seal(request.password, sealedPlace(instance.id, 'admin_password')) } });
  }
}

/** What the audit says of a request besides its reason; never a secret. */
const detailOf = (request: StartJob): Readonly<Record<string, unknown>> =>
  request.kind === 'scale' ? { processes: request.processes, memoryMib: request.memoryMib, diskMib: request.diskMib } : {};

const withInstance = (ctx: Context, id: string): Promise<JobRow> => ctx.db.job.findUniqueOrThrow({ where: { id }, include: withInstanceName });

/** @throws not_found for a job of an instance that one may not see */
export async function findVisibleJob(ctx: Context, person: Person, jobId: string): Promise<JobRow> {
  const job = await ctx.db.job.findFirst({ where: { id: jobId, ...jobsOf(person) }, include: withInstanceName });
  if (!job) throw new AppError('not_found');
  return job;
}

/** Managers see every job, also those of no instance. */
const jobsOf = (person: Person): Prisma.JobWhereInput => (person.role === 'manager' ? {} : { instance: { is: ownInstances(person) } });

/** Jobs of deleted instances stay to be looked at. */
const ownInstances = (person: Person): Prisma.InstanceWhereInput => {
  const { deletedAt: _, ...condition } = visibleTo(person);
  return condition;
};
