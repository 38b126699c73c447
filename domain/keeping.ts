// What is thrown away in time: last backups of deleted instances, old jobs, old audit rows, one-time links that have run out.

import { rm } from 'node:fs/promises';
import type { Context } from './context.ts';

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
  await ctx.db.job.deleteMany({ where: { endedAt: { lt: before(keepJobsDays) } } });
  await ctx.db.oneTimeLink.deleteMany({ where: { expiresAt: { lt: before(1) } } });
  await ctx.db.audit.deleteMany({ where: { at: { lt: before(keepJobsDays) } } });
}
