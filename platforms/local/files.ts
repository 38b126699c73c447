// What one instance has on disk, who owns it, and which release is selected.

import { randomBytes } from 'node:crypto';
import { chmod, chown, open, readdir, readlink, rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { type InstanceRecord, keepRecord, makeSocketDirectory, parseRecord, removeReleases } from '../instance-records.ts';
import { launchConfig, roomsFile } from '../launch-config.ts';
import { makeDirectory, replaceFile } from '../owned-files.ts';
import type { InstanceAccess, InstanceSpec } from '../platform.ts';
import type { EditedRoom } from '../project.ts';
import type { Secret } from '../secret.ts';
import type { Ground } from './ground.ts';

/** Paths of one instance; `instances/ID` itself is the panel's, so that the instance can neither rename nor add anything. */
export function pathsOf(ground: Ground, instanceId: string) {
  if (!/^[a-z0-9]{1,40}$/.test(instanceId)) throw new Error(`not an instance id: ${instanceId}`);
  const root = ground.layout.instanceDir(instanceId);
  return {
    root,
    releases: path.join(root, 'releases'),
    release: (number: number): string => path.join(root, 'releases', String(number)),
    project: (number: number): string => path.join(root, 'releases', String(number), 'project'),
    python: (number: number): string => path.join(root, 'releases', String(number), 'venv', 'bin', 'python'),
    current: path.join(root, 'current'),
    env: path.join(root, 'env.json'),
    /** Rooms that are edited in the panel; the running oTree looks at it (launcher/rooms.py). */
    rooms: path.join(root, 'rooms.json'),
    record: path.join(root, 'instance.json'),
    /** Why the platform stopped it by itself; gone at the next start. */
    stopReason: path.join(root, 'stopped-because'),
    pidFile: path.join(root, 'run.pid'),
    logDir: path.join(root, 'log'),
    log: path.join(root, 'log', 'otree.log'),
    home: path.join(root, 'home'),
    socketDir: ground.layout.instanceSocketDir(instanceId),
    socket: ground.layout.instanceSocket(instanceId),
    trialSocketDir: ground.layout.instanceSocketDir(`${instanceId}-try`),
  };
}

/** Folders of a new instance; safe to repeat. */
export async function createFolders(ground: Ground, spec: InstanceSpec): Promise<void> {
  const paths = pathsOf(ground, spec.instanceId);
  await makeDirectory(ground, ground.layout.instancesDir, { mode: 0o711 });
  await makeDirectory(ground, paths.root, { mode: 0o711 });
  await makeDirectory(ground, paths.releases, { mode: 0o711 });
  await makeDirectory(ground, paths.logDir, { mode: 0o750, groupId: ground.panelGroupId });
  await makeDirectory(ground, paths.home, { mode: 0o700, userId: spec.osUserId });
  await makeSocketDirectory(ground, paths.socketDir, spec.osUserId);
  await writeRecord(ground, spec);
}

export const writeRecord = (ground: Ground, spec: InstanceSpec): Promise<void> => keepRecord(pathsOf(ground, spec.instanceId).record, spec);

/** null when the instance was never created here, or is gone. */
export const readRecord = async (ground: Ground, instanceId: string): Promise<InstanceRecord | null> => await parseRecord(pathsOf(ground, instanceId).record);

export type EnvironmentFile = { readonly file: string; readonly databaseUrl: Secret; readonly socket: string; readonly projectDir: string };

/** Writes what `launcher/start.py` reads: the only place where an instance's secrets lie open, readable by its user alone. */
export async function writeEnvironment(ground: Ground, spec: InstanceSpec, target: EnvironmentFile): Promise<void> {
  const content = launchConfig(spec, { ...target, roomsFile: pathsOf(ground, spec.instanceId).rooms });
  await replaceFile(target.file, JSON.stringify(content), { mode: 0o400, userId: ground.separatesUsers ? spec.osUserId : null });
}

/** Writes the panel's rooms for `launcher/rooms.py`; labels may name people, so the instance's user alone reads them. @see Platform.setRooms */
export async function writeRooms(ground: Ground, spec: InstanceAccess, rooms: readonly EditedRoom[]): Promise<void> {
  await replaceFile(pathsOf(ground, spec.instanceId).rooms, roomsFile(rooms), { mode: 0o400, userId: ground.separatesUsers ? spec.osUserId : null });
}

/** Gives the unpacked project to the panel, readable by the instance alone; adds the empty file that oTree opens in every case. */
export async function sealProject(ground: Ground, dir: string, osUserId: number | null): Promise<void> {
  await (await open(path.join(dir, 'db.sqlite3'), 'w', 0o444)).close();
  const own = async (place: string, mode: number): Promise<void> => {
    if (ground.separatesUsers) await chown(place, 0, osUserId ?? 0);
    await chmod(place, mode);
  };
  const waiting = [dir];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    await own(at, 0o750);
    for (const entry of await readdir(at, { withFileTypes: true })) {
      if (entry.isDirectory()) waiting.push(path.join(at, entry.name));
      else if (entry.isFile()) await own(path.join(at, entry.name), 0o440);
    }
  }
}

/** Number of the selected release, or null before the first. */
export async function selectedRelease(ground: Ground, instanceId: string): Promise<number | null> {
  const target = await readlink(pathsOf(ground, instanceId).current).catch(() => null);
  return target === null ? null : Number(path.basename(target));
}

/** Points `current` to a release, atomically. */
export async function selectRelease(ground: Ground, instanceId: string, releaseNumber: number): Promise<void> {
  const { current, root } = pathsOf(ground, instanceId);
  const temporary = path.join(root, `current.${randomBytes(4).toString('hex')}`);
  await symlink(path.join('releases', String(releaseNumber)), temporary);
  await rename(temporary, current);
}

/** Removes releases except those named and the selected one. */
export async function pruneReleases(ground: Ground, instanceId: string, keep: readonly number[]): Promise<void> {
  await removeReleases(pathsOf(ground, instanceId).releases, [...keep, await selectedRelease(ground, instanceId)]);
}
