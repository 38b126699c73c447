// Folders and their owners: who may enter what under DATA_DIR and the run directory.

import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Layout } from '../platforms/layout.ts';
import type { Accounts } from './accounts.ts';
import { StartProblem } from './problem.ts';

type Owner = 'root' | 'panel' | 'postgres';
type Folder = { readonly at: string; readonly owner: Owner; readonly mode: number };

/** The folder in which pid files of the panel's processes lie. */
export const pidDirOf = (layout: Layout): string => path.join(layout.runDir, 'pids');

/** Temporary files of one service: tsx keeps compiled code there, which nobody else may plant (as in /tmp). */
export const tempDirOf = (layout: Layout, service: 'server' | 'worker'): string => path.join(layout.dataDir, 'tmp', service);

/** Backups of the panel's own database. */
export const panelBackupsDirOf = (layout: Layout): string => path.join(layout.backupsDir, 'panel');

function foldersOf(layout: Layout): readonly Folder[] {
  const folder = (at: string, owner: Owner, mode: number): Folder => ({ at, owner, mode });
  return [
    folder(layout.dataDir, 'root', 0o755),
    folder(layout.logsDir, 'root', 0o755),
    folder(layout.cacheDir, 'root', 0o755),
    folder(layout.toolsDir, 'root', 0o755),
    folder(layout.instancesDir, 'root', 0o755),
    folder(tempDirOf(layout, 'server'), 'panel', 0o700),
    folder(tempDirOf(layout, 'worker'), 'root', 0o700),
    // The server writes the hook, git of the same user runs it.
    folder(layout.hooksDir, 'panel', 0o755),
    folder(layout.supervisorDir, 'root', 0o755),
    folder(layout.supervisorPrograms, 'root', 0o755),
    folder(layout.repositoriesDir, 'panel', 0o700),
    folder(layout.backupsDir, 'panel', 0o700),
    folder(panelBackupsDirOf(layout), 'panel', 0o700),
    folder(layout.redisDir, 'panel', 0o700),
    folder(layout.runDir, 'root', 0o755),
    folder(pidDirOf(layout), 'root', 0o700),
    folder(path.dirname(layout.serverSocket), 'panel', 0o750),
    folder(layout.postgresSocketDir, 'postgres', 0o755),
    folder(path.dirname(layout.redisSocket), 'panel', 0o700),
    folder(path.dirname(path.dirname(layout.instanceSocket('x'))), 'root', 0o711),
  ];
}

/**
 * Makes every folder with owner and mode; what is there already is set right. Without accounts all belongs to the caller.
 * @throws StartProblem when the folder of the run directory belongs to somebody else
 */
export function prepareDirectories(layout: Layout, accounts: Accounts): void {
  prepareRunBase(path.dirname(layout.runDir));
  for (const { at, owner, mode } of foldersOf(layout)) {
    mkdirSync(at, { recursive: true });
    const account = owner === 'root' || accounts === null ? null : accounts[owner];
    if (accounts !== null) chownSync(at, account?.uid ?? 0, account?.gid ?? 0);
    chmodSync(at, mode);
  }
}

/** It may be a folder of the system (/run, /tmp), so it is made but never changed; in a stranger's folder sockets could be exchanged. */
function prepareRunBase(runBase: string): void {
  mkdirSync(runBase, { recursive: true, mode: 0o755 });
  const { uid, mode } = statSync(runBase);
  const isOpen = (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
  if ((uid === 0 || uid === process.getuid?.()) && !isOpen) return;
  throw new StartProblem(
    `The folder ${runBase}, where sockets go, belongs to somebody else or may be changed by others.`,
    'Remove it, or set RUN_DIR to a folder of your own.',
  );
}

/**
 * As root, services under other ids must be able to walk down to their folders.
 * @throws StartProblem naming the first parent that is closed to them
 */
export function checkParents(directory: string): void {
  for (let at = path.dirname(directory); ; at = path.dirname(at)) {
    const mode = statSync(at, { throwIfNoEntry: false })?.mode;
    if (mode !== undefined && (mode & 0o001) === 0) {
      throw new StartProblem(
        `The folder ${at} is closed to the users that the services run as, so ${directory} cannot be used.`,
        `Choose another DATA_DIR (for example /var/lib/arboretum), or open it: chmod o+x ${at}`,
      );
    }
    if (at === path.dirname(at)) return;
  }
}
