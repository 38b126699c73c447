// Making folders and files that belong to somebody: owner, mode, whole or not at all.

import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, rename } from 'node:fs/promises';

type Owner = { readonly mode: number; readonly userId?: number | null; readonly groupId?: number | null };

/** Makes a directory, or corrects owner and mode of the one that is there. */
export async function makeDirectory(ground: { readonly separatesUsers: boolean }, dir: string, { mode, userId = null, groupId = null }: Owner): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  if (ground.separatesUsers) await chown(dir, userId ?? 0, groupId ?? userId ?? 0);
  await chmod(dir, mode); // after chown, which clears the setgid bit
}

/** Writes a whole file or nothing, never readable by more people than in the end. */
export async function replaceFile(file: string, content: string, { mode, userId = null }: Owner): Promise<void> {
  const temporary = `${file}.${randomBytes(4).toString('hex')}`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    if (userId !== null) await handle.chown(userId, userId);
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
