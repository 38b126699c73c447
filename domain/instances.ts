// Instances: create, list, look at, change.

import { rm } from 'node:fs/promises';
import { AppError } from '../contracts/errors.ts';
import type { InstanceView } from '../contracts/instances.ts';
import type { Job } from '../prisma/client/client.ts';
import { standingOf, type OwnedInstance, type Person } from './access.ts';
import { hostNameOf, isHostNameGiven, lockAddresses, resolveAddressMode } from './addresses.ts';
import { record } from './audit.ts';
import { readCapabilities } from './capabilities.ts';
import type { Actor, Context } from './context.ts';
import { isUniqueViolation } from './database.ts';
import { freePort } from './free-port.ts';
import { newId, newPassword, newToken } from './ids.ts';
import { announceJob, requestJob } from './jobs.ts';
import { forPresenting, presentDeployment, presentInstance, presentSummary } from './present-instance.ts';
import { sealedPlace, type SealedColumn } from './specs.ts';

/**
 * Makes the row and the job that builds the rest, in one transaction; with `adoption` that job takes an app of the platform over.
 * @throws name_taken, owner_unknown
 */
export async function createInstance(
  ctx: Context,
  actor: Actor,
  request: { name: string; ownerId: string; courseId?: string; adoption?: Readonly<Record<string, string>> },
): Promise<{ name: string; job: Job }> {
  const mode = await resolveAddressMode(ctx.config);
  try {
    const { name, job } = await ctx.db.$transaction(async (tx) => {
      await lockAddresses(tx);
      const owner = await tx.user.findFirst({ where: { id: request.ownerId, disabledAt: null } });
      if (!owner) throw new AppError('owner_unknown');
      const id = newId();
      // Somebody may have got this very name for another instance while there was no wildcard.
      if (mode === 'subdomain' && (await isHostNameGiven(tx, hostNameOf(ctx.config, { name: request.name, hostName: null })))) throw nameTaken(request.name);
      const port = mode === 'port' ? await freePort(tx, ctx.config) : null;
      if (mode === 'port' && port === null) throw new AppError('platform_failed', { reason: 'every port of INSTANCE_PORTS is in use' });
      const instance = await tx.instance.create({
        data: {
          id,
          name: request.name,
          ownerId: owner.id,
          platform: ctx.config.PLATFORM,
          addressMode: mode,
          port,
          courseId: request.courseId ?? null,
          ...sealedSecrets(ctx, id),
        },
      });
      const { adoption } = request;
      const job = await requestJob(tx, actor, { kind: adoption ? 'adopt' : 'create-instance', instanceId: id, input: adoption ?? {} });
      await record(tx, actor, { action: 'instance.create', subject: instance.name, instanceId: id, detail: { owner: owner.userName, ...adoption } });
      return { name: instance.name, job };
    });
    await announceJob(ctx, job.id);
    await announceInstance(ctx, job.instanceId ?? '');
    return { name, job };
  } catch (error) {
    if (isUniqueViolation(error)) throw nameTaken(request.name);
    throw error;
  }
}

const nameTaken = (name: string): AppError => new AppError('name_taken', { name }, { fields: { name: 'This name is taken.' } });

function sealedSecrets(ctx: Context, id: string) {
  const seal = (column: SealedColumn, value: string): string => ctx.sealer.seal(value, sealedPlace(id, column));
  return {
    adminPassword: seal('admin_password', newPassword()),
    secretKey: seal('secret_key', newToken()),
    roomSecret: seal('room_secret', newToken()),
    restKey: seal('rest_key', newToken()),
    databasePassword: seal('database_password', newToken()),
  };
}

/** Everything for the instance's page. @param instance already checked by `findInstance` */
export async function showInstance(ctx: Context, person: Person, instance: Pick<OwnedInstance, 'id'>): Promise<InstanceView> {
  const row = await ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id }, include: forPresenting });
  const current =
    row.currentDeploymentId === null
      ? null
      : await ctx.db.deployment.findUnique({ where: { id: row.currentDeploymentId }, include: forPresenting.deployments.include });
  const backup = await ctx.db.backup.findFirst({ where: { instanceId: row.id, verifiedAt: { not: null } }, orderBy: { createdAt: 'desc' } });
  return presentInstance(ctx, row, {
    standing: standingOf(person, row),
    lastBackupAt: backup?.createdAt ?? null,
    current: current && presentDeployment(current, row.currentDeploymentId),
    capabilities: await readCapabilities(ctx, row),
    panelRooms: await ctx.db.panelRoom.findMany({ where: { instanceId: row.id } }),
  });
}

/** Sets the branch that is deployed; null means `main` or `master`. */
export async function setDeployBranch(ctx: Context, actor: Actor, change: { instance: OwnedInstance; branch: string | null }): Promise<void> {
  await ctx.db.$transaction(async (tx) => {
    await tx.instance.update({ where: { id: change.instance.id }, data: { deployBranch: change.branch } });
    await record(tx, actor, {
      action: 'instance.change',
      subject: change.instance.name,
      instanceId: change.instance.id,
      detail: { deployBranch: change.branch },
    });
  });
  await announceInstance(ctx, change.instance.id);
}

/** The admin's sign-in of oTree, opened; recorded, because it is a secret. */
export async function revealAdminPassword(ctx: Context, actor: Actor, instance: OwnedInstance): Promise<string> {
  await record(ctx.db, actor, { action: 'instance.reveal-password', subject: instance.name, instanceId: instance.id });
  return ctx.sealer.open(instance.adminPassword, sealedPlace(instance.id, 'admin_password')).open();
}

/** Shows the instance's present row to every page that may see it. */
export async function announceInstance(ctx: Context, instanceId: string): Promise<void> {
  const row = await ctx.db.instance.findUnique({ where: { id: instanceId }, include: forPresenting });
  if (!row) return;
  const audience = { instanceId, ownerId: row.ownerId, sharedWith: row.shares.map(({ userId }) => userId) };
  if (row.deletedAt) ctx.events.instanceGone(audience, row.name);
  else ctx.events.instance(audience, presentSummary(ctx, row));
}

/** Last step of deleting: the row stays for the kept backups, name, addresses and user id are free again. */
export async function forgetInstance(ctx: Context, instanceId: string): Promise<void> {
  await rm(ctx.config.layout.repositoryDir(instanceId), { recursive: true, force: true });
  await ctx.db.instance.update({
    where: { id: instanceId },
    data: {
      deletedAt: new Date(),
      state: 'deleted',
      stateSince: new Date(),
      port: null,
      hostName: null,
      formerAddresses: { deleteMany: {} },
      osUserId: null,
      currentDeploymentId: null,
      memoryBytes: null,
      webProcesses: 0,
    },
  });
  await announceInstance(ctx, instanceId);
}
