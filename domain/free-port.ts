// Which port an instance gets: the lowest of the range that nobody has, neither an instance nor another program of this machine.

import net from 'node:net';
import type { Config } from './config.ts';
import type { Transaction } from './database.ts';

/** The lowest port of the range that no instance has or had and keeps and no other program uses, null when none is left. Call after `lockAddresses`. */
export async function freePort(tx: Transaction, config: Config): Promise<number | null> {
  const [first, last] = config.INSTANCE_PORTS;
  const given = { where: { port: { not: null } }, select: { port: true } } as const;
  const rows = [...(await tx.instance.findMany(given)), ...(await tx.formerAddress.findMany(given))];
  const taken = new Set([...rows.map(({ port }) => port), config.PORT, config.GIT_SSH_PORT, config.HTTPS_PORT, config.PATH_PORT]);
  for (let port = first; port <= last; port += 1) if (!taken.has(port) && !(await isInUse(port))) return port;
  return null;
}

/** Whether another program of this machine has the port, as nginx would find it: also a connection that somebody opened from this port keeps it. Where the panel has a network of its own, nginx tells later. */
export const isInUse = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(false)));
  });
