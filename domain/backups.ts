// Backups: dump, count, restore into a scratch database, compare, keep. What is not verified does not count.

import { chmod, chown, mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../contracts/errors.ts';
import type { BackupView } from '../contracts/instances.ts';
import type { Backup, Instance } from '../prisma/client/client.ts';
import type { Context, WorkerContext } from './context.ts';
import { asJson } from './database.ts';
import { newId } from './ids.ts';
import { specOf } from './specs.ts';

type RowCounts = Readonly<Record<string, number>>;

const differences = (a: RowCounts, b: RowCounts): string[] => [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((table) => a[table] !== b[table]);

/** Automatic reasons are pruned by number; backups by hand stay until deleted. */
export const backupReasons = { byHand: 'by hand', beforeReset: 'before reset', beforeDelete: 'before delete', beforeDeploy: 'before deploy' } as const;
export type BackupReason = (typeof backupReasons)[keyof typeof backupReasons];

/**
 * Takes a backup that has been restored once with equal row counts; only then its row is written as verified.
 * @throws backup_failed, and then no file is left and nothing else has changed
 */
export async function takeVerifiedBackup(
  ctx: WorkerContext,
  request: { instance: Instance; jobId: string; reason: BackupReason; signal: AbortSignal },
): Promise<Backup> {
  const { instance, signal } = request;
  const spec = specOf(ctx, instance);
  const id = newId();
  const directory = path.join(ctx.config.layout.backupsDir, instance.id);
  const file = path.join(directory, `${new Date().toISOString().replaceAll(':', '-').slice(0, 19)}-${id}.dump`);
  try {
    const owner = await stat(ctx.config.layout.backupsDir);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const dump = await ctx.platform.dumpDatabase(spec, file, signal);
    const restored = await ctx.platform.verifyDump(spec, file, signal);
    const wrong = differences(dump.rowCounts, restored);
    if (wrong.length > 0) throw new AppError('backup_failed', { reason: `After restoring, these tables have other row counts: ${wrong.join(', ')}.` });
    // The server, which sends downloads, runs under another id than the worker.
    if (ctx.config.isRoot) await Promise.all([directory, file].map((place) => chown(place, owner.uid, owner.gid)));
    await chmod(file, 0o600);
    const { sizeBytes, sha256, rowCounts } = dump;
    return await ctx.db.backup.create({
      data: {
        id,
        instanceId: instance.id,
        jobId: request.jobId,
        reason: request.reason,
        file,
        sizeBytes: BigInt(sizeBytes),
        sha256,
        rowCounts: asJson(rowCounts),
        verifiedAt: new Date(),
      },
    });
  } catch (error) {
    await rm(file, { force: true }).catch(() => undefined);
    if (error instanceof AppError) throw error;
    throw new AppError('backup_failed', { reason: error instanceof Error ? error.message : String(error) }, { cause: error });
  }
}

/** Rows in all tables of a backup. */
export const rowsOf = (backup: Pick<Backup, 'rowCounts'>): number => Object.values(backup.rowCounts as RowCounts).reduce((sum, rows) => sum + rows, 0);

const present = (backup: Backup): BackupView => ({
  id: backup.id,
  reason: backup.reason,
  sizeBytes: Number(backup.sizeBytes),
  sha256: backup.sha256,
  rowCounts: { ...(backup.rowCounts as RowCounts) },
  rows: rowsOf(backup),
  verifiedAt: backup.verifiedAt?.toISOString() ?? null,
  createdAt: backup.createdAt.toISOString(),
});

export async function listBackups(ctx: Context, instanceId: string): Promise<BackupView[]> {
  return (await ctx.db.backup.findMany({ where: { instanceId }, orderBy: { createdAt: 'desc' } })).map(present);
}

/** The file of a backup for sending. @throws not_found, backup_gone */
export async function findBackupFile(ctx: Context, instanceId: string, backupId: string): Promise<{ file: string; sizeBytes: number }> {
  const backup = await ctx.db.backup.findFirst({ where: { id: backupId, instanceId } });
  if (!backup) throw new AppError('not_found');
  const found = await stat(backup.file).catch(() => null);
  if (!found) throw new AppError('backup_gone');
  return { file: backup.file, sizeBytes: found.size };
}

/** Removes automatic backups beyond the number kept; the newest verified one always stays. */
export async function pruneBackups(ctx: Context, instanceId: string): Promise<void> {
  const automatic = await ctx.db.backup.findMany({ where: { instanceId, reason: { not: backupReasons.byHand } }, orderBy: { createdAt: 'desc' } });
  for (const backup of automatic.slice(Math.max(1, ctx.config.KEEP_BACKUPS))) {
    await rm(backup.file, { force: true });
    await ctx.db.backup.delete({ where: { id: backup.id } });
  }
}
