// About how many instances and people this machine takes, with the arithmetic. The numbers were measured: docs/performance.md.

import type { Capacity } from '../contracts/system-check.ts';

/** The system, the panel with its database, and what a build takes for a while; MiB. */
const reservedMib = 1000;
/** One oTree before the first participant takes 72–131 MiB; with people in it more. */
const perInstanceMib = 160;
/** Requests a second that one oTree answers on one core; it uses no second one. */
const requestsPerSecond = 80;
/** Sending a page and getting the next one. */
const requestsPerPage = 2;
const secondsPerPage = 10;
/** What is left free for bursts: everybody comes to a page at the same time. */
const usedShare = 0.75;

const number = (value: number): string => Math.floor(value).toLocaleString('en');

/** @param machine cores that may be used, memory of the whole machine in MiB */
export function estimateCapacity(machine: { readonly cores: number; readonly memoryMib: number }): Capacity {
  const { cores } = machine;
  const memoryMib = Math.floor(machine.memoryMib);
  const instances = Math.max(0, Math.floor((memoryMib - reservedMib) / perInstanceMib));
  const peopleInOne = Math.floor((requestsPerSecond / requestsPerPage) * secondsPerPage * usedShare);
  const coresForExperiments = Math.max(1, cores - 1);
  const busy = Math.min(coresForExperiments, Math.max(instances, 0));
  const steps = [
    `Memory: ${number(memoryMib)} MiB less ${number(reservedMib)} MiB for system, panel, database and builds; ${perInstanceMib} MiB an instance (measured: 72–131 MiB without participants): ${number(instances)} instances.`,
    `One experiment: ${requestsPerSecond} requests a second on one core (oTree uses no second one), ${requestsPerPage} requests a page, a page every ${secondsPerPage} seconds: ${number((requestsPerSecond / requestsPerPage) * secondsPerPage)} people; three quarters of them, for the moments when all go on together: ${number(peopleInOne)}.`,
    `All together: ${cores === 1 ? '1 core, shared with nginx and the database' : `${cores} cores, one of them for nginx, the database and the panel`}: ${busy} × ${number(peopleInOne)} = ${number(busy * peopleInOne)} people, in ${busy === 1 ? 'one experiment' : `at least ${busy} experiments`} at a time.`,
    'Whether the database has connections for so many instances is said under “Connections to the database”.',
    'Games in which pages refresh by themselves or use live pages ask more often: divide accordingly.',
  ];
  return { cores, memoryMib, instances, peopleInOne, peopleInAll: busy * peopleInOne, steps };
}
