// Who listens on a port, as far as this user may see (Linux).

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** For example `nginx (process 812)`, or null when it cannot be found out. */
export function findListener(port: number): string | null {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return null;
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    const hasIt = list(`/proc/${pid}/fd`).some((descriptor) => inodes.has(/^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? ''));
    if (hasIt) return `${read(`/proc/${pid}/comm`).trim()} (process ${pid})`;
  }
  return null;
}

/** Columns of /proc/net/tcp: number, local address, remote address, state (0A = listening), … inode (10th). */
function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return read(table)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === '0A')
    .flatMap((fields) => fields[9] ?? []);
}

const quietly = <T>(work: () => T, otherwise: T): T => {
  try {
    return work();
  } catch {
    return otherwise;
  }
};
const read = (file: string): string => quietly(() => readFileSync(file, 'utf8'), '');
const list = (folder: string): readonly string[] => quietly(() => readdirSync(folder), []);
const link = (file: string): string => quietly(() => readlinkSync(file), '');
