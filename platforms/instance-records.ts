// What adapters of this machine keep of an instance besides its row: a record in its folder, and the folder of its socket.

import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeDirectory, replaceFile } from './owned-files.ts';
import type { InstanceSpec } from './platform.ts';

/** What must be known about an instance without its row: who it runs as and how much it may use. */
export type InstanceRecord = { readonly osUserId: number | null; readonly limits: InstanceSpec['limits'] };

type Owning = Parameters<typeof makeDirectory>[0] & { readonly panelGroupId: number | null };

/** Only the instance may make its socket there, only the front door's group may connect; every parent can be passed through. */
export async function makeSocketDirectory(ground: Owning, dir: string, osUserId: number | null): Promise<void> {
  await makeDirectory(ground, path.dirname(dir), { mode: 0o711 });
  await makeDirectory(ground, dir, { mode: 0o2750, userId: osUserId, groupId: ground.panelGroupId });
}

/** @param file the instance's record */
export async function keepRecord(file: string, { osUserId, limits }: InstanceSpec): Promise<void> {
  await replaceFile(file, JSON.stringify({ osUserId, limits } satisfies InstanceRecord), { mode: 0o600 });
}

/** null when the instance was never created here, or is gone. */
export async function parseRecord(file: string): Promise<InstanceRecord | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as InstanceRecord);
}

/** Names of the folders below `dir` that hold the record of an instance. @param read what is there for a name; may throw */
export async function listRecorded(dir: string, read: (name: string) => Promise<InstanceRecord | null>): Promise<string[]> {
  const names = await readdir(dir).catch((): string[] => []);
  const records = await Promise.all(names.map(async (name) => ((await read(name).catch(() => null)) === null ? [] : [name])));
  return records.flat();
}

/** Removes the folders of releases except those with a number that is kept. */
export async function removeReleases(releases: string, keep: readonly (number | null)[]): Promise<void> {
  const kept = new Set(keep.map(String));
  const names = await readdir(releases).catch((): string[] => []);
  for (const name of names.filter((entry) => !kept.has(entry))) await rm(path.join(releases, name), { recursive: true, force: true });
}
