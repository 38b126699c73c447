// Packing files so that the same content gives the same bytes, whoever made it and when.

import { AppError } from '../contracts/errors.ts';
import { runCommand } from './run-command.ts';

/** Docker's layers, Dokku's “No changes detected” and our own tags go by content. */
const ALIKE = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX', '--format=gnu'];
const LIMIT_MS = 120_000;

/** Writes a tar of what GNU tar's `args` name. @throws platform_failed, disk_full */
export async function writeSteadyTar(file: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const result = await runCommand({
    file: '/bin/tar',
    args: ['-c', '-f', file, ...ALIKE, ...args],
    env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
    timeoutMs: LIMIT_MS,
    signal,
  });
  if (result.exitCode === 0) return;
  if (/No space left on device/.test(result.stderr)) throw new AppError('disk_full', { freeMib: 0 });
  throw new AppError('platform_failed', { reason: `the version could not be packed: ${result.stderr.trim().split('\n').at(-1) ?? ''}` });
}
