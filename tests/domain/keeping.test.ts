// What is thrown away in time, and what stays.

import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteBackup, pruneBackups } from '../../domain/backups.ts';
import { systemActor } from '../../domain/context.ts';
import { newId } from '../../domain/ids.ts';
import { findLastBackupFile, listDeletedInstances, throwAwayOld } from '../../domain/keeping.ts';
import { anInstance, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext({ KEEP_BACKUPS: '2' });
});
afterAll(() => ctx.close());

async function aBackup(
  instanceId: string,
  fields: { reason?: string; createdAt?: Date; verifiedAt?: Date | null } = {},
): Promise<{ id: string; file: string }> {
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

it('removes automatic backups by age, but never the newest verified one, and none that is in use', async () => {
  const { id } = await anInstance(ctx);
  const days = (ago: number): Date => new Date(Date.now() - ago * 24 * 3_600_000);
  const inUse = await aBackup(id, { createdAt: days(402) });
  const verified = await aBackup(id, { createdAt: days(401) });
  const notVerified = await aBackup(id, { createdAt: days(400), verifiedAt: null });
  await pruneBackups(ctx, id, { except: inUse.id });
  expect([inUse, verified, notVerified].map(({ file }) => existsSync(file))).toEqual([true, true, false]);
  await throwAwayOld(ctx);
  expect([inUse, verified].map(({ file }) => existsSync(file))).toEqual([false, true]);
});

it('shows managers what was deleted, with its last backup as long as it is kept', async () => {
  const instance = await anInstance(ctx, { name: `gone-${newId()}`, deletedAt: new Date(), state: 'deleted' });
  const backup = await aBackup(instance.id);
  expect((await listDeletedInstances(ctx)).find(({ id }) => id === instance.id)).toMatchObject({ name: instance.name, backup: { id: backup.id } });
  expect(await findLastBackupFile(ctx, instance.id)).toMatchObject({ name: instance.name, file: backup.file });
  const later = new Date(Date.now() + 31 * 24 * 3_600_000);
  expect((await listDeletedInstances(ctx, later)).map(({ id }) => id)).not.toContain(instance.id);
  await expect(findLastBackupFile(ctx, (await anInstance(ctx)).id)).rejects.toMatchObject({ code: 'not_found' });
});

describe('deleting a backup', () => {
  const remove = async (instanceId: string, backupId: string): Promise<void> =>
    deleteBackup(ctx, systemActor, { instance: await ctx.db.instance.findUniqueOrThrow({ where: { id: instanceId } }), backupId });
  const withRows = (rows: number | null) => anInstance(ctx, { currentDeploymentId: newId(), facts: { rows } });

  it('removes file and row, and is recorded', async () => {
    const { id } = await withRows(412);
    const [old] = [await aBackup(id), await aBackup(id)];
    await remove(id, old.id);
    expect(existsSync(old.file)).toBe(false);
    expect(await ctx.db.audit.findFirst({ where: { instanceId: id } })).toMatchObject({ action: 'backup.delete', detail: { kept: 'before reset' } });
  });

  it('spares the only verified one while the database has rows, or nobody knows', async () => {
    const { id } = await withRows(412);
    const [only] = [await aBackup(id), await aBackup(id, { verifiedAt: null })];
    await expect(remove(id, only.id)).rejects.toMatchObject({ code: 'backup_needed', details: { rows: 412 } });
    const unknown = await withRows(null);
    await expect(remove(unknown.id, (await aBackup(unknown.id)).id)).rejects.toMatchObject({ code: 'backup_needed' });
    const empty = await withRows(0);
    await remove(empty.id, (await aBackup(empty.id)).id);
    expect(existsSync(only.file)).toBe(true);
  });

  it('of two, by two people at once, leaves one', async () => {
    const { id } = await withRows(5);
    const both = [await aBackup(id), await aBackup(id)];
    const results = await Promise.allSettled(both.map((backup) => remove(id, backup.id)));
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await ctx.db.backup.count({ where: { instanceId: id } })).toBe(1);
  });

  it('waits while one is restored, and knows no backup of a neighbour', async () => {
    const { id } = await withRows(0);
    const [backup, other] = [await aBackup(id), await aBackup((await anInstance(ctx)).id)];
    await ctx.db.job.create({ data: { id: newId(), kind: 'restore', instanceId: id, state: 'running', actorName: 'Ada' } });
    await expect(remove(id, backup.id)).rejects.toMatchObject({ code: 'job_in_progress', details: { actor: 'Ada' } });
    await expect(remove(id, other.id)).rejects.toMatchObject({ code: 'not_found' });
  });
});
