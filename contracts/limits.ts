// How much an instance may be given: bounds of memory and disk, and the number of web processes that oTree knows.

import { z } from 'zod';

/** In MiB. One oTree needs 100–150 MiB before the first participant (measured); above the upper bounds somebody mistyped. */
export const limitBounds = { memoryMib: [256, 262_144], diskMib: [64, 1_048_576] } as const;

const mib = ([least, most]: readonly [number, number]) =>
  z
    .number({ error: 'A whole number.' })
    .int('A whole number.')
    .min(least, `At least ${least} MiB.`)
    .max(most, `At most ${most.toLocaleString('en')} MiB.`)
    .nullable();

/** Of the job `scale`. oTree ≥ 5 runs exactly one web process with its worker inside: 0 or 1. null: the panel's setting. */
export const scaleShape = {
  processes: z.union([z.literal(0), z.literal(1)], { error: '0 or 1: oTree runs exactly one web process.' }),
  memoryMib: mib(limitBounds.memoryMib),
  diskMib: mib(limitBounds.diskMib),
};
