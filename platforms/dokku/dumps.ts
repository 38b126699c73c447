// Dumps of an instance's database, the proof that they can be restored, and putting one in the place of the data.

import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../../contracts/errors.ts';
import { postgresExport, postgresImport } from '../dokku-commands.ts';
import { explainFailure } from '../dokku-failures.ts';
import type { Dump } from '../platform.ts';
import { asBackupFailure, tablesThatDiffer, wholeDump } from '../postgres-dump.ts';
import { changeService, clearScratch, createService, destroyService, liveService, withScratch } from './databases.ts';
import { type Host, liveApp, scratchService } from './host.ts';
import { isRunning } from './releases.ts';
import { countRows } from './sql.ts';

export type DumpTask = { readonly instanceId: string; readonly file: string; readonly signal: AbortSignal };
type Counts = Record<string, number>;

/** Writes `file` (0600, complete or not at all). Rows are counted before and after; when somebody wrote meanwhile, those that the file itself holds. @throws backup_failed */
export const dumpDatabase = (host: Host, task: DumpTask): Promise<Dump> =>
  wholeDump(task, async (file) => {
    const service = await liveService(host, task.instanceId);
    const before = await countRows(host, { service, signal: task.signal });
    await exportTo(host, service, { ...task, file });
    const after = await countRows(host, { service, signal: task.signal });
    return isDeepStrictEqual(before, after) ? after : await countIn(host, { ...task, file });
  });

/** Writes what a service holds to a file that is not there yet (mode 0600). @throws backup_failed */
export async function exportTo(host: Host, service: string, { file, signal }: Omit<DumpTask, 'instanceId'>): Promise<void> {
  await rm(file, { force: true });
  const output = createWriteStream(file, { mode: 0o600, flags: 'wx' });
  const command = postgresExport(service);
  const result = await host.connection.run(command, { output, signal });
  if (!output.writableEnded) output.end();
  await finished(output);
  if (result.exitCode !== 0) throw new AppError('backup_failed', { reason: reasonOf(command, result) });
}

/** @see Platform.verifyDump @throws backup_failed */
export async function verifyDump(host: Host, task: DumpTask): Promise<Counts> {
  try {
    return await countIn(host, task);
  } catch (error) {
    throw asBackupFailure(error, task.signal);
  }
}

/** Restores a dump into a service of its own and counts its rows. */
async function countIn(host: Host, task: DumpTask): Promise<Counts> {
  await clearScratch(host, task.instanceId);
  return await withScratch(host, task, async (service) => {
    await importFrom(host, service, task);
    return await countRows(host, { service, signal: task.signal });
  });
}

async function importFrom(host: Host, service: string, { file, signal }: DumpTask): Promise<void> {
  const command = postgresImport(service);
  const result = await host.connection.run(command, { input: createReadStream(file), signal });
  if (result.exitCode !== 0) throw new AppError('backup_failed', { reason: reasonOf(command, result) });
}

const reasonOf = (command: Parameters<typeof explainFailure>[0], result: Parameters<typeof explainFailure>[1]): string => {
  const { sentence, detail } = explainFailure(command, result);
  return detail ?? sentence;
};

/** @see Platform.restoreDatabase. The name of the live service on the panel's disk changes last; from then on the restore is done. @throws restore_failed */
export async function restoreDatabase(host: Host, task: DumpTask, expected: Readonly<Counts>): Promise<void> {
  const { instanceId, signal } = task;
  signal.throwIfAborted();
  if (await isRunning(host, liveApp(instanceId)))
    throw new AppError('restore_failed', { reason: 'the experiment must be stopped before its database is replaced.' });
  const service = scratchService(instanceId, 'r');
  try {
    await clearScratch(host, instanceId);
    await createService(host, service, signal);
    await importFrom(host, service, task);
    const wrong = tablesThatDiffer(expected, await countRows(host, { service, signal }));
    if (wrong.length > 0) throw new AppError('restore_failed', { reason: `these tables have other row counts than the backup: ${wrong.join(', ')}.` });
    signal.throwIfAborted();
  } catch (error) {
    await destroyService(host, service).catch(() => undefined);
    if (signal.aborted) throw signal.reason;
    if (error instanceof AppError && (error.code === 'restore_failed' || error.code === 'database_unreachable')) throw error;
    const reason =
      error instanceof AppError && error.code === 'backup_failed' ? String(error.details['reason']) : error instanceof Error ? error.message : String(error);
    throw new AppError('restore_failed', { reason }, { cause: error });
  }
  await changeService(host, instanceId, service);
}
