// Ports for what a test starts by number, because somebody else must be told it first.

import { isInUse } from '../domain/free-port.ts';
import { workerPart } from './worker-part.ts';

/** Below the ports that outgoing connections take (from 32768 on Linux): such a connection would keep a panel from listening. */
const range = [21_000, 31_000] as const;
/** Those of this process: whoever was told one may not listen there yet, or listen there again. */
const given = new Set<number>();

/** Ports in a row that nobody uses just now. No two test files that run at once are given the same: each has a part of the range by its worker's number. None is given twice. */
export async function freePorts(count: number): Promise<number[]> {
  const { start, size } = workerPart(range);
  for (let tries = 0; tries < 10_000; tries += 1) {
    const first = start + Math.floor(Math.random() * (size - count));
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if (ports.some((port) => given.has(port))) continue;
    // Before anything is waited for: another question may be on its way.
    for (const port of ports) given.add(port);
    if (!(await Promise.all(ports.map(isInUse))).includes(true)) return ports;
  }
  throw new Error(`this test file has used up its ports: ${given.size}`);
}

/** One of them. */
export const freePort = async (): Promise<number> => (await freePorts(1))[0] ?? 0;
