// Dumps of an instance's database, and the proof that they can be restored.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../contracts/errors.ts';
import type { Dump } from './platform.ts';
import { countRows, type DatabaseAddress, type InstanceDatabases, withClient } from './postgres.ts';
import { type CommandResult, runCommand } from './run-command.ts';
import type { Secret } from './secret.ts';

const LIMIT_MS = 15 * 60_000;

type DumpTask = {
  readonly databases: InstanceDatabases;
  readonly instanceId: string;
  readonly password: Secret;
  readonly file: string;
  readonly signal: AbortSignal;
};

/** Writes `file` (0600, complete or not at all) with the row counts of the very snapshot it was taken from. @throws backup_failed */
export const dumpDatabase = (task: DumpTask): Promise<Dump> =>
  wholeDump(task, async (part) => {
    const address = task.databases.addressOf(task.instanceId, task.password);
    await (await open(part, 'w', 0o600)).close();
    await chmod(part, 0o600);
    return await withClient(address, async (client) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const snapshot = await client.query<{ id: string }>('SELECT pg_export_snapshot() AS id');
      const counts = await countRows(client);
      await runTool(task, address, ['pg_dump', '-Fc', '--lock-wait-timeout=10000', `--snapshot=${snapshot.rows[0]?.id}`, '-f', part]);
      return counts;
    });
  });

/**
 * A dump that stands at `file` complete and on the disk, or not at all.
 * @param write fills the part file and gives the rows of each table
 * @throws backup_failed
 */
export async function wholeDump(
  { file, signal }: Pick<DumpTask, 'file' | 'signal'>,
  write: (part: string) => Promise<Readonly<Record<string, number>>>,
): Promise<Dump> {
  const part = `${file}.part`;
  try {
    const rowCounts = await write(part);
    await syncFile(part);
    await rename(part, file);
    await syncFile(path.dirname(file));
    return { sizeBytes: (await stat(file)).size, sha256: await sha256Of(file), rowCounts };
  } catch (error) {
    await rm(part, { force: true });
    throw asBackupFailure(error, signal);
  }
}

/** Restores `file` into a scratch database, counts its rows and always drops it. @throws backup_failed */
export async function verifyDump(task: DumpTask): Promise<Record<string, number>> {
  try {
    const scratch = await task.databases.createScratch(task.instanceId, 'verify');
    const address = task.databases.addressOf(task.instanceId, task.password, scratch);
    await runTool(task, address, ['pg_restore', '--exit-on-error', '--no-owner', '--no-privileges', '-d', scratch, task.file]);
    return await withClient(address, countRows);
  } catch (error) {
    throw asBackupFailure(error, task.signal);
  } finally {
    await task.databases.dropScratch(task.instanceId);
  }
}

/** Puts what `file` holds in the place of the instance's database, all or nothing. @see Platform.restoreDatabase @throws restore_failed */
export async function restoreDatabase(task: DumpTask, expected: Readonly<Record<string, number>>): Promise<void> {
  const { databases, instanceId, password, signal } = task;
  try {
    const scratch = await databases.createScratch(instanceId, 'restore');
    const address = databases.addressOf(instanceId, password, scratch);
    await runTool(task, address, ['pg_restore', '--exit-on-error', '--no-owner', '--no-privileges', '-d', scratch, task.file]);
    const found = await withClient(address, countRows);
    const wrong = tablesThatDiffer(expected, found);
    if (wrong.length > 0) throw new AppError('restore_failed', { reason: `these tables have other row counts than the backup: ${wrong.join(', ')}.` });
    signal.throwIfAborted();
    await databases.swapRestored(instanceId);
  } catch (error) {
    await databases.dropScratch(instanceId).catch(() => undefined);
    if (signal.aborted) throw signal.reason;
    if (error instanceof AppError && (error.code === 'restore_failed' || error.code === 'database_unreachable')) throw error;
    const reason = error instanceof AppError ? String(error.details['reason'] ?? error.message) : String(error);
    throw new AppError('restore_failed', { reason }, { cause: error });
  }
}

/** Names of the tables with other row counts, or only on one side. */
export const tablesThatDiffer = (expected: Readonly<Record<string, number>>, found: Readonly<Record<string, number>>): string[] =>
  [...new Set([...Object.keys(expected), ...Object.keys(found)])].filter((table) => expected[table] !== found[table]);

/** As the instance's own role: what stands in its database must never run with the panel's rights. */
async function runTool(task: DumpTask, address: DatabaseAddress, [tool = '', ...args]: readonly string[]): Promise<void> {
  const binDir = task.databases.binDir;
  const result = await runCommand({
    file: binDir === null ? tool : path.join(binDir, tool),
    args: ['--no-password', ...args],
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      LANG: 'C.UTF-8',
      PGHOST: address.host,
      PGPORT: String(address.port),
      PGUSER: address.user,
      PGPASSWORD: address.password.open(),
      PGDATABASE: address.database,
    },
    timeoutMs: LIMIT_MS,
    signal: task.signal,
  });
  if (result.exitCode !== 0) throw new AppError('backup_failed', { reason: reasonOf(tool, result) });
}

const reasonOf = (tool: string, result: CommandResult): string => {
  if (result.isTimedOut) return `${tool} took longer than ${LIMIT_MS / 60_000} minutes.`;
  const line = result.stderr.split('\n').find((text) => text.includes('error:')) ?? result.stderr.trim().split('\n').at(-1) ?? '';
  return line === '' ? `${tool} ended without a word.` : line.replace(/^.*?error:\s*/, `${tool}: `);
};

/** What is thrown for an error of a dump or of its check. */
export function asBackupFailure(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof AppError && (error.code === 'backup_failed' || error.code === 'database_unreachable')) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new AppError('backup_failed', { reason }, { cause: error });
}

/** Makes sure that a file, or a folder's list of names, is on the disk. */
async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** SHA-256 of a file, hex. */
async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
