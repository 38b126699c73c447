// What is looked at before anything is started: room on the disk, free ports.

import { existsSync, statfsSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { findListener } from './port-owner.ts';
import { StartProblem } from './problem.ts';

const neededMib = 500;

/** @throws StartProblem when less than 500 MiB are free */
export function checkDisk(dataDir: string): void {
  let place = dataDir;
  while (!existsSync(place)) place = path.dirname(place);
  const { bavail, bsize } = statfsSync(place);
  const freeMib = Math.floor((bavail * bsize) / 1024 ** 2);
  if (freeMib < neededMib)
    throw new StartProblem(
      `The disk of ${dataDir} is nearly full: ${freeMib} MiB are free, ${neededMib} are needed.`,
      'Delete what is not needed, or set DATA_DIR to a folder on a larger disk.',
    );
}

/**
 * @param name the setting that names the port
 * @throws StartProblem naming who listens there, when that can be seen
 */
export async function checkPort(name: 'PORT' | 'HTTPS_PORT' | 'PATH_PORT' | 'GIT_SSH_PORT', port: number): Promise<void> {
  const code = (await tryListen(port, '::')) ?? (await tryListen(port, '0.0.0.0'));
  if (code === null) return;
  if (code === 'EACCES')
    throw new StartProblem(
      `Port ${port} (${name}) may not be opened: ports below 1024 belong to root.`,
      `Start as root, which nginx needs for it, or choose another one, for example ${name}=${port + 8000} npm start`,
    );
  const listener = findListener(port);
  throw new StartProblem(
    `Port ${port} (${name}) is in use${listener === null ? '' : ` by ${listener}`}.`,
    `Stop that program, or choose another port: ${name}=${port + 1} npm start`,
  );
}

/** The error's code, or null when the port is free (or the machine has no such kind of address). */
function tryListen(port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE' || error.code === 'EACCES' ? error.code : null));
    // ipv6Only: otherwise “::” would also take the IPv4 port, and be refused for another reason.
    server.listen({ port, host, ipv6Only: host === '::' }, () => server.close(() => resolve(null)));
  });
}
