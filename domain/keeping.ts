// What is thrown away in time: old automatic backups, last backups of deleted instances, old jobs, old audit rows, one-time links that have run out.

import { rm } from 'node:fs/promises';
import type { DeletedInstanceView } from '../contracts/backups.ts';
import { AppError } from '../contracts/errors.ts';
import { findBackupFile, presentBackup, pruneBackups } from './backups.ts';
import type { Context } from './context.ts';
import { thinOutMetrics } from './metrics.ts';

const dayMs = 24 * 3_600_000;
const keepJobsDays = 365;

/** Removes what is older than the settings say. Rows go after their files, so that nothing is left without a row. */
export async function throwAwayOld(ctx: Context, now = new Date()): Promise<void> {
  const before = (days: number): Date => new Date(now.getTime() - days * dayMs);
  const gone = await ctx.db.backup.findMany({ where: { instance: { deletedAt: { lt: before(ctx.config.KEEP_DELETED_DAYS) } } } });
  for (const { id, file } of gone) {
    await rm(file, { force: true });
    await ctx.db.backup.delete({ where: { id } });
  }
  // Not while a job may be restoring one of them.
  const kept = await ctx.db.instance.findMany({
    where: { deletedAt: null, backups: { some: {} }, jobs: { none: { kind: 'restore', state: { in: ['queued', 'running'] } } } },
    select: { id: true },
  });
  for (const { id } of kept) await pruneBackups(ctx, id, { now });
  await ctx.db.job.deleteMany({ where: { endedAt: { lt: before(keepJobsDays) } } });
  await ctx.db.oneTimeLink.deleteMany({ where: { expiresAt: { lt: before(1) } } });
  await ctx.db.audit.deleteMany({ where: { at: { lt: before(keepJobsDays) } } });
  await thinOutMetrics(ctx, now);
}

/** Instances deleted in the last days that the settings keep, newest first, each with its last backup. */
export async function listDeletedInstances(ctx: Context, now = new Date()): Promise<DeletedInstanceView[]> {
  const keptMs = ctx.config.KEEP_DELETED_DAYS * dayMs;
  const rows = await ctx.db.instance.findMany({
    where: { deletedAt: { gte: new Date(now.getTime() - keptMs) } },
    orderBy: { deletedAt: 'desc' },
    include: { owner: { select: { name: true } }, backups: { where: { verifiedAt: { not: null } }, orderBy: { createdAt: 'desc' }, take: 1 } },
  });
  return rows.map(({ id, name, owner, deletedAt, backups: [backup] }) => ({
    id,
    name,
    ownerName: owner.name,
    deletedAt: (deletedAt ?? now).toISOString(),
    backup: backup ? presentBackup(backup) : null,
    keptUntil: new Date((deletedAt ?? now).getTime() + keptMs).toISOString(),
  }));
}

/** The file of the last backup of a deleted instance. @throws not_found, backup_gone */
export async function findLastBackupFile(ctx: Context, instanceId: string): Promise<{ name: string; file: string; sizeBytes: number }> {
  const instance = await ctx.db.instance.findFirst({
    where: { id: instanceId, deletedAt: { not: null } },
    include: { backups: { where: { verifiedAt: { not: null } }, orderBy: { createdAt: 'desc' }, take: 1 } },
  });
  const backup = instance?.backups[0];
  if (!instance || !backup) throw new AppError('not_found');
  return { name: instance.name, ...(await findBackupFile(ctx, instance.id, backup.id)) };
}
