// Small files that the panel keeps of its instances, whole or not at all, for its own eyes.

import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { replaceFile } from './owned-files.ts';

/** Writes a whole file (mode 0600) or nothing, with the folder it lies in. */
export async function keepFile(file: string, content: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o711 });
  await replaceFile(file, content, { mode: 0o600 });
}

/** What stands in it; null when it is not there. */
export const readSmallFile = async (file: string): Promise<string | null> => {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
};
