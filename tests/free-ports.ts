// Ports for what a test starts by number, because somebody else must be told it first.

import { isInUse } from '../domain/free-port.ts';

/** Below the ports that outgoing connections take (from 32768 on Linux): such a connection would keep a panel from listening. */
const lowest = 21_000;
const highest = 31_000;

/** Ports in a row that nobody uses just now. No two test files that run at once are given the same: each has a part of the range by its worker's number. */
export async function freePorts(count: number): Promise<number[]> {
  const parts = 8;
  const size = (highest - lowest) / parts;
  const start = lowest + (Number(process.env['VITEST_POOL_ID'] ?? 0) % parts) * size;
  for (;;) {
    const first = start + Math.floor(Math.random() * (size - count));
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if (!(await Promise.all(ports.map(isInUse))).includes(true)) return ports;
  }
}

/** One of them. */
export const freePort = async (): Promise<number> => (await freePorts(1))[0] ?? 0;
