// The folder whose files answer an ACME authority: the front door serves it below `/.well-known/acme-challenge/`.

import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Makes the folder if need be and removes what a worker that was killed left in it. */
export async function prepareChallenges(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await chmod(folder, 0o755);
  for (const name of await readdir(folder)) await rm(path.join(folder, name), { force: true });
}

/** Writes one answer, readable by the front door. @throws Error when the token is not one (RFC 8555 §8.3) */
export async function writeChallenge(folder: string, token: string, answer: string): Promise<void> {
  if (!/^[\w-]{1,200}$/.test(token)) throw new Error('the authority sent a token that is no file name');
  const file = path.join(folder, token);
  await writeFile(file, answer, { mode: 0o644 });
  await chmod(file, 0o644);
}

/** Takes one answer away again. */
export const removeChallenge = (folder: string, token: string): Promise<void> => rm(path.join(folder, path.basename(token)), { force: true });
