// The panel's own key for the Dokku host, and the host's key that it saw first.

import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import type { DokkuConnection } from './connection.ts';
import { Secret } from '../secret.ts';
import { readSmallFile, keepFile } from '../kept-files.ts';
import { newSshKey } from '../ssh-key.ts';

/** The private key of a file and its public half, one line; both are made where there is none. */
export async function ensureKey(file: string): Promise<{ privateKey: Secret; publicKey: string }> {
  if ((await readSmallFile(file)) === null) {
    const made = newSshKey('arboretum');
    await keepFile(`${file}.pub`, `${made.public}\n`);
    await keepFile(file, made.private);
  }
  const text = await readFile(file, 'utf8');
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw new Error(`The key in ${file} cannot be read: it must be an OpenSSH or PEM key without a passphrase.`);
  return { privateKey: new Secret(text), publicKey: `${key.type} ${key.getPublicSSH().toString('base64')} arboretum` };
}

/** The connection, with the host's key written down after the first command that reached it. */
export function rememberingHostKey(connection: DokkuConnection, file: string): Pick<DokkuConnection, 'run' | 'state' | 'hostKey' | 'retire'> {
  let isWritten = false;
  const remember = async (): Promise<void> => {
    const seen = connection.hostKey();
    if (isWritten || seen === null) return;
    isWritten = true;
    await keepFile(file, `${seen}\n`);
  };
  return {
    run: async (command, io) => {
      try {
        return await connection.run(command, io);
      } finally {
        await remember();
      }
    },
    state: () => connection.state(),
    hostKey: () => connection.hostKey(),
    retire: () => connection.retire(),
  };
}

/** The host's key that was seen first; null before. */
export const readHostKey = async (file: string): Promise<string | null> => await readSmallFile(file);
