// The step that every destructive job begins with.

import { pruneBackups, rowsOf, takeVerifiedBackup, type BackupReason } from '../domain/backups.ts';
import type { Backup } from '../prisma/client/client.ts';
import type { JobRun } from './job-run.ts';

/**
 * Returns only when a verified backup exists.
 * @param more what a person wrote about it; a backup that is in use and must outlive the clearing up
 * @throws backup_failed
 */
export async function backupStep(run: JobRun, reason: BackupReason, more: { note?: string; inUse?: string } = {}): Promise<Backup> {
  const { ctx, job, instance, signal, step, write } = run;
  return step('backup', 'Back up and check that it can be restored', async () => {
    const note = more.note === undefined ? {} : { note: more.note };
    const backup = await takeVerifiedBackup(ctx, { instance, jobId: job.id, reason, byName: job.actorName, signal, ...note });
    write(`       ${rowsOf(backup)} rows, ${(Number(backup.sizeBytes) / 1024).toFixed(0)} KiB, SHA-256 ${backup.sha256}, restored once with equal counts\n`);
    await pruneBackups(ctx, instance.id, { except: more.inUse ?? '' });
    return backup;
  });
}
