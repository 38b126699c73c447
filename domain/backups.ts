// Backups: dump, count, restore into a scratch database, compare, keep. What is not verified does not count.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, chown, mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BackupView } from '../contracts/backups.ts';
import { AppError } from '../contracts/errors.ts';
import type { Dump } from '../platforms/platform.ts';
import type { Backup, Instance } from '../prisma/client/client.ts';
import { record } from './audit.ts';
import type { Actor, Context, WorkerContext } from './context.ts';
import { asJson } from './database.ts';
import { readFacts } from './facts.ts';
import { newId } from './ids.ts';
import { specOf } from './specs.ts';

type RowCounts = Readonly<Record<string, number>>;

const differences = (a: RowCounts, b: RowCounts): string[] => [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((table) => a[table] !== b[table]);

/** Automatic reasons are pruned by number and age; backups by hand stay until deleted. */
export const backupReasons = {
  byHand: 'by hand',
  beforeReset: 'before reset',
  beforeDelete: 'before delete',
  beforeRestore: 'before restore',
  beforeDeploy: 'before deploy',
  beforeRollBack: 'before roll back',
  takenOver: 'taken over',
  beforeMove: 'before move',
} as const;
export type BackupReason = (typeof backupReasons)[keyof typeof backupReasons];

export type BackupRequest = {
  readonly instance: Instance;
  readonly jobId: string;
  readonly reason: BackupReason;
  readonly note?: string;
  /** Who asked for it. */
  readonly byName: string;
  readonly signal: AbortSignal;
  /** Writes the dump where it is not one of the instance's own database. */
  readonly dump?: (file: string) => Promise<Dump>;
};

/**
 * Takes a backup that has been restored once with equal row counts; only then its row is written as verified.
 * @throws backup_failed, and then no file is left and nothing else has changed
 */
export async function takeVerifiedBackup(ctx: WorkerContext, request: BackupRequest): Promise<Backup> {
  const { instance, signal } = request;
  const spec = specOf(ctx, instance);
  const id = newId();
  const directory = path.join(ctx.config.layout.backupsDir, instance.id);
  const file = path.join(directory, `${new Date().toISOString().replaceAll(':', '-').slice(0, 19)}-${id}.dump`);
  try {
    const owner = await stat(ctx.config.layout.backupsDir);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const dump = await (request.dump?.(file) ?? ctx.platform.dumpDatabase(spec, file, signal));
    const restored = await ctx.platform.verifyDump(spec, file, signal);
    const wrong = differences(dump.rowCounts, restored);
    if (wrong.length > 0) throw new AppError('backup_failed', { reason: `After restoring, these tables have other row counts: ${wrong.join(', ')}.` });
    // The server, which sends downloads, runs under another id than the worker.
    if (ctx.config.isRoot) await Promise.all([directory, file].map((place) => chown(place, owner.uid, owner.gid)));
    await chmod(file, 0o600);
    return await writeRow(ctx, request, { id, file, ...dump });
  } catch (error) {
    await rm(file, { force: true }).catch(() => undefined);
    if (signal.aborted) throw signal.reason;
    if (error instanceof AppError) throw error;
    throw new AppError('backup_failed', { reason: error instanceof Error ? error.message : String(error) }, { cause: error });
  }
}

type Taken = { readonly id: string; readonly file: string; readonly sizeBytes: number; readonly sha256: string; readonly rowCounts: RowCounts };

async function writeRow(ctx: Context, { instance, jobId, reason, note, byName }: BackupRequest, taken: Taken): Promise<Backup> {
  const current =
    instance.currentDeploymentId === null
      ? null
      : await ctx.db.deployment.findUnique({ where: { id: instance.currentDeploymentId }, select: { commit: true } });
  return ctx.db.backup.create({
    data: {
      ...taken,
      instanceId: instance.id,
      jobId,
      reason,
      note: note ?? '',
      sizeBytes: BigInt(taken.sizeBytes),
      rowCounts: asJson(taken.rowCounts),
      verifiedAt: new Date(),
      commit: current?.commit ?? null,
      createdByName: byName,
    },
  });
}

/** Rows in all tables of a backup. */
export const rowsOf = (backup: Pick<Backup, 'rowCounts'>): number => Object.values(backup.rowCounts as RowCounts).reduce((sum, rows) => sum + rows, 0);

export function presentBackup(backup: Backup): BackupView {
  const rowCounts = backup.rowCounts as RowCounts;
  const { id, reason, note, commit, createdByName, sha256 } = backup;
  return {
    id,
    reason,
    note,
    commit,
    createdByName,
    sha256,
    sizeBytes: Number(backup.sizeBytes),
    rowCounts: { ...rowCounts },
    rows: rowsOf(backup),
    sessions: rowCounts['otree_session'] ?? null,
    participants: rowCounts['otree_participant'] ?? null,
    verifiedAt: backup.verifiedAt?.toISOString() ?? null,
    createdAt: backup.createdAt.toISOString(),
  };
}

export async function listBackups(ctx: Context, instanceId: string): Promise<BackupView[]> {
  return (await ctx.db.backup.findMany({ where: { instanceId }, orderBy: { createdAt: 'desc' } })).map(presentBackup);
}

/** The file of a backup for sending. @throws not_found, backup_gone */
export async function findBackupFile(ctx: Context, instanceId: string, backupId: string): Promise<{ file: string; sizeBytes: number }> {
  const backup = await ctx.db.backup.findFirst({ where: { id: backupId, instanceId } });
  if (!backup) throw new AppError('not_found');
  const found = await stat(backup.file).catch(() => null);
  if (!found) throw new AppError('backup_gone');
  return { file: backup.file, sizeBytes: found.size };
}

/** A backup whose file is there and has the bytes that were verified. @throws not_found, backup_gone, restore_failed */
export async function findIntactBackup(ctx: Context, instanceId: string, backupId: string): Promise<Backup> {
  const backup = await ctx.db.backup.findFirst({ where: { id: backupId, instanceId } });
  if (!backup) throw new AppError('not_found');
  const { file } = await findBackupFile(ctx, instanceId, backupId);
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(file)) hash.update(bytes as Buffer);
  if (hash.digest('hex') !== backup.sha256) throw new AppError('restore_failed', { reason: 'its file is not the one that was checked (another SHA-256).' });
  return backup;
}

/**
 * Removes a backup, file first. Somebody who restores it just now keeps it.
 * @throws not_found, job_in_progress, backup_needed for the only verified one of a database with rows
 */
export async function deleteBackup(ctx: Context, actor: Actor, of: { instance: Instance; backupId: string }): Promise<void> {
  const { instance, backupId } = of;
  await ctx.db.$transaction(async (tx) => {
    // Restoring and deleting take turns at the instance's row; so do two deletions.
    await tx.$queryRaw`SELECT 1 FROM "instance" WHERE "id" = ${instance.id} FOR UPDATE`;
    const backup = await tx.backup.findFirst({ where: { id: backupId, instanceId: instance.id } });
    if (!backup) throw new AppError('not_found');
    const restoring = await tx.job.findFirst({ where: { instanceId: instance.id, kind: 'restore', state: { in: ['queued', 'running'] } } });
    if (restoring) throw new AppError('job_in_progress', { kind: 'Restore a backup', actor: restoring.actorName });
    const others = await tx.backup.count({ where: { instanceId: instance.id, verifiedAt: { not: null }, id: { not: backupId } } });
    const { rows } = readFacts(instance);
    // Not known counts as rows: what nobody has looked at may be somebody's data.
    if (backup.verifiedAt && others === 0 && instance.currentDeploymentId !== null && rows !== 0)
      throw new AppError('backup_needed', { rows: rows ?? 'an unknown number of' });
    await rm(backup.file, { force: true });
    await tx.backup.delete({ where: { id: backupId } });
    await record(tx, actor, {
      action: 'backup.delete',
      subject: instance.name,
      instanceId: instance.id,
      detail: { kept: backup.reason, createdAt: backup.createdAt, rows: rowsOf(backup) },
    });
  });
}

const dayMs = 24 * 3_600_000;

/**
 * Removes automatic backups beyond the number or the age that the settings keep; the newest verified one always stays.
 * @param except a backup that is in use
 */
export async function pruneBackups(ctx: Context, instanceId: string, { now = new Date(), except = '' } = {}): Promise<void> {
  const automatic = await ctx.db.backup.findMany({ where: { instanceId, reason: { not: backupReasons.byHand } }, orderBy: { createdAt: 'desc' } });
  const newest = automatic.find(({ verifiedAt }) => verifiedAt !== null)?.id;
  const oldest = now.getTime() - ctx.config.KEEP_BACKUP_DAYS * dayMs;
  const isOver = (backup: Backup, place: number): boolean => place >= ctx.config.KEEP_BACKUPS || backup.createdAt.getTime() < oldest;
  for (const [place, backup] of automatic.entries()) {
    if (!isOver(backup, place) || backup.id === newest || backup.id === except) continue;
    await rm(backup.file, { force: true });
    await ctx.db.backup.delete({ where: { id: backup.id } });
  }
}
