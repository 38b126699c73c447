// Memory and processor time of a panel's processes, read from /proc.

import { readdirSync, readFileSync } from 'node:fs';

export type Measured = {
  readonly name: string;
  /** Shared pages divided among all that share them. */
  readonly pssMib: number;
  /** Pages that nobody shares: what ending it would give back. */
  readonly privateMib: number;
  /** Its own, and that of children which have ended. */
  readonly cpuSeconds: number;
};

type Found = { readonly pid: number; readonly parent: number; readonly argv: string };
const ticksPerSecond = 100;

const kinds: readonly [string, RegExp][] = [
  ['server', /server\/main\.ts/],
  ['worker', /worker\/main\.ts/],
  ['npm start (keeper)', /scripts\/start\.mjs/],
  ['Redis', /redis-server/],
  ['PostgreSQL', /postgres/],
  ['nginx', /nginx/],
  ['supervisord', /supervisord/],
  ['dockerd', /dockerd/],
  ['containerd and its shims', /containerd/],
  ['oTree', /launcher\//],
];

/** Processes that belong to the panel, or an engine, on these folders, and all that they started, summed by kind. */
export function measurePanel(homes: readonly string[], starter: number): Measured[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => read(Number(name)));
  const mine = new Set<number>([starter]);
  for (let before = -1; before !== mine.size;) {
    before = mine.size;
    for (const { pid, parent, argv } of all) if (homes.some((home) => argv.includes(home)) || mine.has(parent)) mine.add(pid);
  }
  const sums = new Map<string, Omit<Measured, 'name'>>();
  for (const found of all.filter(({ pid }) => mine.has(pid))) {
    const name = kinds.find(([, pattern]) => pattern.test(found.argv))?.[0] ?? 'other';
    const sum = sums.get(name) ?? { pssMib: 0, privateMib: 0, cpuSeconds: 0 };
    const { pss, privately } = memoryOf(found.pid);
    sums.set(name, { pssMib: sum.pssMib + pss, privateMib: sum.privateMib + privately, cpuSeconds: sum.cpuSeconds + cpuOf(found.pid) });
  }
  return [...sums].map(([name, { pssMib, privateMib, cpuSeconds }]) => ({ name, pssMib: round(pssMib), privateMib: round(privateMib), cpuSeconds }));
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

const round = (value: number): number => Math.round(value * 10) / 10;

function memoryOf(pid: number): { pss: number; privately: number } {
  try {
    const smaps = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const mib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(smaps)?.[1] ?? 0) / 1024;
    return { pss: mib('Pss'), privately: mib('Private_Clean') + mib('Private_Dirty') };
  } catch {
    return { pss: 0, privately: 0 };
  }
}

function cpuOf(pid: number): number {
  try {
    const fields = fieldsOf(pid);
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
  } catch {
    return 0;
  }
}
