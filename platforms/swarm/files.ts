// What the panel keeps of one instance on disk: its folders for the containers, its releases, which one is selected.

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../contracts/errors.ts';
import { type InstanceRecord, keepRecord, listRecorded, makeSocketDirectory, parseRecord, removeReleases } from '../instance-records.ts';
import { keepFile, readSmallFile } from '../kept-files.ts';
import { roomsFile } from '../launch-config.ts';
import { makeDirectory, replaceFile } from '../owned-files.ts';
import type { InstanceAccess, InstanceSpec } from '../platform.ts';
import type { BuiltRelease } from '../release.ts';
import type { EditedRoom } from '../project.ts';
import type { Ground } from './ground.ts';

/** Paths of one instance. */
export function pathsOf(ground: Pick<Ground, 'layout'>, instanceId: string) {
  if (!/^[a-z0-9]{1,40}$/.test(instanceId)) throw new Error(`not an instance id: ${instanceId}`);
  const root = ground.layout.containerDir(instanceId);
  return {
    root,
    releases: path.join(root, 'releases'),
    release: (number: number): string => path.join(root, 'releases', String(number)),
    releaseFile: (number: number): string => path.join(root, 'releases', String(number), 'release.json'),
    /** Number of the release that the next start runs. */
    selected: path.join(root, 'selected'),
    record: path.join(root, 'instance.json'),
    /** Why the platform stopped it by itself; gone at the next start. */
    stopReason: path.join(root, 'stopped-because'),
    /** The runtime log of containers that are gone. */
    log: path.join(root, 'otree.log'),
    roomsDir: path.join(root, 'rooms'),
    rooms: path.join(root, 'rooms', 'rooms.json'),
    /** env.json of a single run, while it runs. */
    runEnv: (command: string): string => path.join(root, `${command}.json`),
    /** Which image the instance's own database server has, and its admin's password; not there: the instance is on the shared server. */
    databaseServer: path.join(root, 'database.json'),
    /** What that server keeps; nobody else's to enter. */
    databaseDir: path.join(root, 'database'),
    databaseSocketDir: ground.layout.databaseSocketDir(instanceId),
    socketDir: ground.layout.instanceSocketDir(instanceId),
    socket: ground.layout.instanceSocket(instanceId),
    /** When its containers began (launcher/starts.py). */
    starts: path.join(ground.layout.instanceSocketDir(instanceId), 'starts'),
  };
}

/** Folders of a new instance; safe to repeat. */
export async function createFolders(ground: Ground, spec: InstanceSpec): Promise<void> {
  const paths = pathsOf(ground, spec.instanceId);
  await makeDirectory(ground, ground.layout.containersDir, { mode: 0o711 });
  for (const dir of [paths.root, paths.releases, paths.roomsDir]) await makeDirectory(ground, dir, { mode: 0o711 });
  await makeSocketDirectory(ground, paths.socketDir, spec.osUserId);
  await writeRecord(ground, spec);
}

export const writeRecord = (ground: Ground, spec: InstanceSpec): Promise<void> => keepRecord(pathsOf(ground, spec.instanceId).record, spec);

/** null when the instance was never created here, or is gone. */
export const readRecord = async (ground: Ground, instanceId: string): Promise<InstanceRecord | null> => await parseRecord(pathsOf(ground, instanceId).record);

/** Ids of all instances that were created here. */
export const listInstances = (ground: Ground): Promise<string[]> => listRecorded(ground.layout.containersDir, (name) => readRecord(ground, name));

/** Writes the panel's rooms, readable by the instance's user alone. @see Platform.setRooms */
export async function writeRooms(ground: Ground, spec: InstanceAccess, rooms: readonly EditedRoom[]): Promise<void> {
  await replaceFile(pathsOf(ground, spec.instanceId).rooms, roomsFile(rooms), { mode: 0o400, userId: ground.separatesUsers ? spec.osUserId : null });
}

/** The images of a release: its own, and the one with its environment below. */
export type ReleaseImages = { readonly image: string; readonly packages: string };
export type KeptRelease = { readonly release: BuiltRelease; readonly images: ReleaseImages };

/** What a build left; null when it was not finished, or has been removed. */
export async function readRelease(ground: Ground, instanceId: string, number: number): Promise<KeptRelease | null> {
  const text = await readSmallFile(pathsOf(ground, instanceId).releaseFile(number));
  return text === null ? null : (JSON.parse(text) as KeptRelease);
}

/** With this file the release is finished. */
export async function keepRelease(ground: Ground, instanceId: string, kept: KeptRelease): Promise<void> {
  await keepFile(pathsOf(ground, instanceId).releaseFile(kept.release.releaseNumber), JSON.stringify(kept));
}

/** @throws platform_failed when it was not built, or has been removed */
export async function requireRelease(ground: Ground, instanceId: string, number: number): Promise<KeptRelease> {
  const kept = await readRelease(ground, instanceId, number);
  if (kept === null) throw new AppError('platform_failed', { reason: `version ${number} was not built, or has been removed.` });
  return kept;
}

/** Number of the selected release, or null before the first. */
export async function selectedRelease(ground: Ground, instanceId: string): Promise<number | null> {
  const text = await readSmallFile(pathsOf(ground, instanceId).selected);
  return text === null ? null : Number(text);
}

/** Writes down which release the next start runs, atomically. */
export async function selectRelease(ground: Ground, instanceId: string, number: number): Promise<void> {
  await requireRelease(ground, instanceId, number);
  await keepFile(pathsOf(ground, instanceId).selected, String(number));
}

/** Forgets releases except those named and the selected one. Their images: `images.ts`. */
export async function forgetReleases(ground: Ground, instanceId: string, keep: readonly number[]): Promise<void> {
  await removeReleases(pathsOf(ground, instanceId).releases, [...keep, await selectedRelease(ground, instanceId)]);
}

/** Every image that a release of any instance of this panel needs. */
export async function imagesOfReleases(ground: Ground): Promise<Set<string>> {
  const needed = new Set<string>();
  for (const instanceId of await listInstances(ground)) {
    for (const name of await readdir(pathsOf(ground, instanceId).releases).catch((): string[] => [])) {
      const kept = await readRelease(ground, instanceId, Number(name)).catch(() => null);
      if (kept !== null) for (const image of Object.values(kept.images)) needed.add(image);
    }
  }
  return needed;
}
