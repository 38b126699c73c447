// The machine itself: disk, memory, swap, clock.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Check, Finding, Surroundings } from './system-check-surroundings.ts';

const mib = 1024 ** 2;

/** “12.3 GiB”, “740 MiB”. */
export const size = (mibs: number): string => (mibs >= 1024 ? `${(mibs / 1024).toFixed(1)} GiB` : `${Math.round(mibs)} MiB`);

export type DiskFacts = { readonly freeMib: number; readonly totalMib: number; readonly freeFiles: number; readonly totalFiles: number };

/** The file system of a folder (which may be made only later), as much as may be used without root's rights. */
export async function lookAtDisk(folder: string): Promise<DiskFacts> {
  if (!existsSync(folder) && path.dirname(folder) !== folder) return await lookAtDisk(path.dirname(folder));
  const { bavail, blocks, bsize, ffree, files } = await statfs(folder);
  return { freeMib: (bavail * bsize) / mib, totalMib: (blocks * bsize) / mib, freeFiles: ffree, totalFiles: files };
}

/** The start is refused below 500 MiB; a backup needs room for itself and for its trial. */
export function judgeDisk(folder: string, { freeMib, totalMib }: Pick<DiskFacts, 'freeMib' | 'totalMib'> & Partial<DiskFacts>): Finding {
  const seen = `${size(freeMib)} of ${size(totalMib)} are free at ${folder}.`;
  const fix = 'Delete old backups and instances, enlarge the disk, or set DATA_DIR to a larger one.';
  const request = `Please enlarge the disk of our machine that holds ${folder}: ${size(freeMib)} of ${size(totalMib)} are free.`;
  if (freeMib < 1024)
    return { result: 'bad', seen, means: 'Backups and deployments fail soon; a full disk stops the database, and running experiments with it.', fix, request };
  if (freeMib < 5 * 1024) return { result: 'attention', seen, means: 'There is little room left for backups, releases and logs.', fix, request };
  return { result: 'good', seen, means: 'There is room for backups and releases.' };
}

/** Some file systems (btrfs) have no fixed number of files and say 0. */
export function judgeFiles({ freeFiles, totalFiles }: DiskFacts): Finding {
  if (totalFiles === 0) return { result: 'not-here', seen: 'This file system has no fixed number of files.', means: 'Only bytes can run out.' };
  const share = freeFiles / totalFiles;
  const seen = `${freeFiles.toLocaleString('en')} more files can be made (${Math.floor(share * 100)} % of ${totalFiles.toLocaleString('en')}).`;
  const fix = 'Delete old instances and releases (KEEP_RELEASES), or move DATA_DIR to another disk.';
  // A release with its environment has some 3,000 files, most of them shared.
  if (freeFiles < 10_000) return { result: 'bad', seen, means: 'Deployments fail although bytes are free.', fix };
  if (freeFiles < 100_000 || share < 0.05) return { result: 'attention', seen, means: 'Few files are left; each release needs thousands.', fix };
  return { result: 'good', seen, means: 'There is room for many more releases.' };
}

export type MemoryFacts = { readonly totalMib: number; readonly availableMib: number; readonly swapMib: number; readonly freeSwapMib: number };

/** From /proc/meminfo; a limit of this process' own (a container's) counts when it is lower. */
export async function lookAtMemory(procDir: string, limitBytes = process.constrainedMemory()): Promise<MemoryFacts> {
  const text = await readFile(path.join(procDir, 'meminfo'), 'utf8').catch(() => '');
  const read = (name: string, otherwise: number): number => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
    return kib === undefined ? otherwise : Number(kib) / 1024;
  };
  const totalMib = read('MemTotal', os.totalmem() / mib);
  const limitMib = limitBytes > 0 && limitBytes / mib < totalMib ? limitBytes / mib : totalMib;
  const availableMib = Math.min(read('MemAvailable', os.freemem() / mib), limitMib);
  return { totalMib: limitMib, availableMib, swapMib: read('SwapTotal', 0), freeSwapMib: read('SwapFree', 0) };
}

export function judgeMemory({ totalMib, availableMib }: MemoryFacts): Finding {
  const seen = `${size(availableMib)} of ${size(totalMib)} are available.`;
  const request = `Please give our machine more memory: of ${size(totalMib)}, ${size(availableMib)} are available.`;
  const fix = 'Stop instances that nobody uses, or give the machine more memory.';
  if (availableMib < 256) return { result: 'bad', seen, means: 'The system soon ends processes, perhaps an experiment in session.', fix, request };
  if (availableMib < totalMib / 10 || totalMib < 1800)
    return { result: 'attention', seen, means: 'It is enough for a few instances; builds and many participants need more.', fix, request };
  return { result: 'good', seen, means: 'There is memory for further instances.' };
}

export function judgeSwap({ totalMib, swapMib, freeSwapMib }: MemoryFacts): Finding {
  if (swapMib < 1) {
    const isSmall = totalMib < 4 * 1024;
    return {
      result: isSmall ? 'attention' : 'good',
      seen: 'There is no swap space.',
      means: isSmall ? 'On a machine this small a build can take memory that a running experiment needs.' : 'With this much memory none is needed.',
      fix: isSmall ? 'Make some, for example 2 GiB: fallocate -l 2G /swapfile && chmod 600 /swapfile && mkswap /swapfile && swapon /swapfile' : null,
    };
  }
  const used = swapMib - freeSwapMib;
  const seen = `${size(used)} of ${size(swapMib)} swap space are in use.`;
  if (used > swapMib / 2)
    return {
      result: 'attention',
      seen,
      means: 'Memory is short: pages of experiments become slow.',
      fix: 'Stop instances that nobody uses, or give the machine more memory.',
    };
  return { result: 'good', seen, means: 'Memory does not run short.' };
}

const commandMs = 3000;

const outputOf = (file: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve) => void execFile(file, [...args], { timeout: commandMs }, (error, stdout) => resolve(error ? '' : stdout)));

/** `yes`, `no`, or nothing where systemd is not. */
const askTimedatectl = async (): Promise<string> => (await outputOf('timedatectl', ['show', '--property=NTPSynchronized', '--value'])).trim();

/** How far the clock of a database server elsewhere is from ours, in seconds; null: it is this machine's own. */
async function databaseOffset({ config, query }: Surroundings): Promise<number | null> {
  const url = config.DATABASE_URL ? new URL(config.DATABASE_URL.open()) : null;
  const isHere = url === null || url.searchParams.has('host') || ['localhost', '127.0.0.1', '[::1]', ''].includes(url.hostname);
  if (isHere || !query) return null;
  const before = Date.now();
  const [row] = await query<{ now: number }>('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now');
  return row ? (Number(row.now) - (before + Date.now()) / 2) / 1000 : null;
}

export function judgeClock(synchronised: string, offsetSeconds: number | null): Finding {
  const apart = offsetSeconds === null ? '' : ` The database’s clock differs by ${Math.abs(offsetSeconds).toFixed(1)} s.`;
  const fix = 'Let the machine ask a time server: timedatectl set-ntp true (Debian: apt install systemd-timesyncd).';
  const request = 'Please let our machine ask a time server (123/udp outwards), or name the one of the university.';
  if (offsetSeconds !== null && Math.abs(offsetSeconds) > 5)
    return {
      result: 'bad',
      seen: `This machine and its database differ by ${Math.abs(offsetSeconds).toFixed(1)} s.`,
      means: 'Time limits, links and backups are judged by two different clocks.',
      fix,
      request,
    };
  if (synchronised === 'yes') return { result: 'good', seen: `The clock follows a time server.${apart}`, means: 'Times in data and logs are right.' };
  if (synchronised === 'no')
    return {
      result: 'attention',
      seen: `The clock follows no time server.${apart}`,
      means: 'Times in data and logs drift; certificates and one-time links may be judged wrongly.',
      fix,
      request,
    };
  return {
    result: 'unknown',
    seen: `This machine does not tell whether its clock follows a time server.${apart}`,
    means: 'In a container the host keeps the time.',
    fix: 'Compare by eye: date -u',
  };
}

export const machineChecks: readonly Check[] = [
  { id: 'disk', group: 'machine', title: 'Disk', run: async ({ config }) => judgeDisk(config.layout.dataDir, await lookAtDisk(config.layout.dataDir)) },
  { id: 'files', group: 'machine', title: 'Number of files', run: async ({ config }) => judgeFiles(await lookAtDisk(config.layout.dataDir)) },
  { id: 'memory', group: 'machine', title: 'Memory', run: async ({ procDir }) => judgeMemory(await lookAtMemory(procDir)) },
  { id: 'swap', group: 'machine', title: 'Swap space', run: async ({ procDir }) => judgeSwap(await lookAtMemory(procDir)) },
  { id: 'clock', group: 'machine', title: 'Clock', run: async (surroundings) => judgeClock(await askTimedatectl(), await databaseOffset(surroundings)) },
];
