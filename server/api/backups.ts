// Backups of an instance, and the last ones of instances that were deleted.

import { createReadStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import { backupListSchema, deletedInstanceListSchema } from '../../contracts/backups.ts';
import { deleteBackup, findBackupFile, listBackups } from '../../domain/backups.ts';
import { findLastBackupFile, listDeletedInstances } from '../../domain/keeping.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const backupRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/backups',
    action: 'instance.download-backup',
    summary: 'Backups, newest first',
    response: backupListSchema,
    run: async ({ ctx, instance }) => ({ backups: await listBackups(ctx, instance.id) }),
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name/backups/:id/file',
    action: 'instance.download-backup',
    summary: 'A backup as a file for pg_restore',
    response: 'file',
    run: async ({ ctx, instance, params, response }) =>
      sendBackup(response, { name: instance.name, ...(await findBackupFile(ctx, instance.id, params['id'] ?? '')) }),
  }),
  endpoint({
    method: 'delete',
    path: '/instances/:name/backups/:id',
    action: 'instance.delete-backup',
    summary: 'Delete a backup; never the only verified one of a database with rows',
    response: null,
    run: ({ ctx, person, instance, params }) => deleteBackup(ctx, person, { instance, backupId: params['id'] ?? '' }),
  }),
  endpoint({
    method: 'get',
    path: '/deleted-instances',
    action: 'instances.list-deleted',
    summary: 'Instances that were deleted of late, each with its last backup',
    response: deletedInstanceListSchema,
    run: async ({ ctx }) => ({ instances: await listDeletedInstances(ctx) }),
  }),
  endpoint({
    method: 'get',
    path: '/deleted-instances/:id/backup',
    action: 'instances.list-deleted',
    summary: 'The last backup of a deleted instance, as a file for pg_restore',
    response: 'file',
    run: async ({ ctx, params, response }) => sendBackup(response, await findLastBackupFile(ctx, params['id'] ?? '')),
  }),
];

async function sendBackup(response: Response, backup: { name: string; file: string; sizeBytes: number }): Promise<void> {
  response
    .attachment(`${backup.name}-${path.basename(backup.file)}`)
    .type('application/octet-stream')
    .set('Content-Length', String(backup.sizeBytes));
  await pipeline(createReadStream(backup.file), response);
}
