// The SSH host key of the git endpoint: made once, kept for ever, since every client remembers it.

import { chmod, link, readFile, rm, writeFile } from 'node:fs/promises';
import process from 'node:process';
import ssh2 from 'ssh2';

/** Reads the host key (Ed25519, OpenSSH format, 0600), or makes one at the first start. */
export async function loadHostKey(file: string): Promise<string> {
  const present = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (present !== null) {
    if (ssh2.utils.parseKey(present) instanceof Error)
      throw new Error(`${file} is not an SSH host key. Put it back from a backup, or remove it: every client then has to accept a new one.`);
    await chmod(file, 0o600);
    return present;
  }
  const fresh = makeHostKey();
  const scratch = `${file}.${process.pid}`;
  await writeFile(scratch, fresh, { mode: 0o600 });
  await link(scratch, file).finally(() => rm(scratch)); // whole or not at all, and never over another one
  return fresh;
}

/** ssh2 1.17 writes about one key in 330 that it cannot read back: such a one is made anew. */
function makeHostKey(): string {
  const { private: key } = ssh2.utils.generateKeyPairSync('ed25519', { comment: 'arboretum' });
  return ssh2.utils.parseKey(key) instanceof Error ? makeHostKey() : key;
}
