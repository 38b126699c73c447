// git of this machine reads a repository of the Dokku host over the kept connection, so that its key and the pinned host key hold for it, too.

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { CodeSource } from '../adoption.ts';
import { gitUploadPack } from '../dokku-commands.ts';
import type { Host } from './host.ts';

const PIPE = path.join(import.meta.dirname, 'git-pipe.mjs');

/** Runs the work with an address and an environment by which git can fetch from one app, and from nothing else. */
export async function withGitPipe<T>(host: Host, { app, signal }: { app: string; signal: AbortSignal }, work: (source: CodeSource) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'arb-git-'));
  const socketPath = path.join(folder, 's');
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    // What git asks for is not looked at: the only thing that it can have is this.
    void host.connection.run(gitUploadPack(app), { input: socket, output: socket, signal }).catch(() => socket.destroy());
  });
  try {
    // git may run as another user of this machine; nobody can guess the folder's name, nor list it.
    await chmod(folder, 0o711);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socketPath, resolve));
    await chmod(socketPath, 0o666);
    const command = [process.execPath, PIPE, socketPath].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    return await work({ url: `ssh://dokku@dokku/${app}`, env: { GIT_SSH_COMMAND: command, GIT_SSH_VARIANT: 'simple' } });
  } finally {
    for (const socket of open) socket.destroy();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
