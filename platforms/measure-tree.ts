// How much a folder holds that an instance can write.

import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

/** Bytes in a tree that the instance can write; stops counting after 50,000 entries and says so with Infinity. */
export async function measureTree(dir: string): Promise<number> {
  let [sizeBytes, entries] = [0, 0];
  const waiting = [dir];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const names = await readdir(next, { withFileTypes: true }).catch(() => []);
    entries += names.length;
    if (entries > 50_000) return Infinity;
    for (const entry of names) {
      const full = path.join(next, entry.name);
      if (entry.isDirectory()) waiting.push(full);
      else sizeBytes += ((await lstat(full).catch(() => null))?.blocks ?? 0) * 512;
    }
  }
  return sizeBytes;
}
