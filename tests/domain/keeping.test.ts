// What is thrown away in time, and what stays.

import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pruneBackups } from '../../domain/backups.ts';
import { newId } from '../../domain/ids.ts';
import { throwAwayOld } from '../../domain/keeping.ts';
import { anInstance, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext({ KEEP_BACKUPS: '2' });
});
afterAll(() => ctx.close());

async function aBackup(instanceId: string, fields: { reason?: string; createdAt?: Date } = {}): Promise<{ id: string; file: string }> {
  const file = path.join(ctx.config.layout.dataDir, `${newId()}.dump`);
  writeFileSync(file, 'PGDMP');
  return ctx.db.backup.create({
    data: {
      id: newId(),
      instanceId,
      jobId: newId(),
      reason: 'before reset',
      file,
      sizeBytes: 5n,
      sha256: 'x',
      rowCounts: {},
      verifiedAt: new Date(),
      ...fields,
    },
  });
}

it('keeps the last backup of a deleted instance for thirty days, then removes file and row', async () => {
  const { id } = await anInstance(ctx);
  const backup = await aBackup(id);
  await ctx.db.instance.update({ where: { id }, data: { deletedAt: new Date(Date.now() - 29 * 24 * 3_600_000) } });
  await throwAwayOld(ctx);
  expect(existsSync(backup.file)).toBe(true);
  await throwAwayOld(ctx, new Date(Date.now() + 2 * 24 * 3_600_000));
  expect(existsSync(backup.file)).toBe(false);
  expect(await ctx.db.backup.count({ where: { id: backup.id } })).toBe(0);
});

it('keeps backups of living instances however old, automatic ones by number, those by hand until deleted', async () => {
  const { id } = await anInstance(ctx);
  const days = (ago: number): Date => new Date(Date.now() - ago * 24 * 3_600_000);
  const byHand = await aBackup(id, { reason: 'by hand', createdAt: days(400) });
  const automatic = [];
  for (const ago of [300, 200, 100]) automatic.push(await aBackup(id, { createdAt: days(ago) }));
  await throwAwayOld(ctx);
  await pruneBackups(ctx, id);
  expect([byHand, ...automatic].map(({ file }) => existsSync(file))).toEqual([true, false, true, true]);
});
