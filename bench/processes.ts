// Memory and processor time of a panel's processes, read from /proc.

import { readdirSync, readFileSync } from 'node:fs';

export type Measured = { readonly name: string; readonly pssMib: number; readonly cpuSeconds: number };

type Found = { readonly pid: number; readonly parent: number; readonly argv: string };
const ticksPerSecond = 100;

const kinds: readonly [string, RegExp][] = [
  ['server', /server\/main\.ts/],
  ['worker', /worker\/main\.ts/],
  ['npm start', /scripts\/(start\.mjs|panel\.ts)/],
  ['esbuild (of tsx)', /esbuild/],
  ['Redis', /redis-server/],
  ['PostgreSQL', /postgres/],
  ['nginx', /nginx/],
  ['supervisord', /supervisord/],
  ['oTree', /launcher\//],
];

/** Processes that belong to the panel on this folder, and all that they started, summed by kind. */
export function measurePanel(home: string, starter: number): Measured[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => read(Number(name)));
  const mine = new Set<number>([starter]);
  for (let before = -1; before !== mine.size;) {
    before = mine.size;
    for (const { pid, parent, argv } of all) if (argv.includes(home) || mine.has(parent)) mine.add(pid);
  }
  const sums = new Map<string, { pssMib: number; cpuSeconds: number }>();
  for (const found of all.filter(({ pid }) => mine.has(pid))) {
    const name = kinds.find(([, pattern]) => pattern.test(found.argv))?.[0] ?? 'other';
    const sum = sums.get(name) ?? { pssMib: 0, cpuSeconds: 0 };
    sums.set(name, { pssMib: sum.pssMib + pssOf(found.pid), cpuSeconds: sum.cpuSeconds + cpuOf(found.pid) });
  }
  return [...sums].map(([name, { pssMib, cpuSeconds }]) => ({ name, pssMib: Math.round(pssMib * 10) / 10, cpuSeconds }));
}

function read(pid: number): Found[] {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return argv === '' ? [] : [{ pid, parent: Number(fieldsOf(pid)[1]), argv }];
  } catch {
    return [];
  }
}

/** Fields of /proc/PID/stat after the command's name: state, parent, … */
const fieldsOf = (pid: number): string[] => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};

function pssOf(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function cpuOf(pid: number): number {
  try {
    const fields = fieldsOf(pid);
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return 0;
  }
}
