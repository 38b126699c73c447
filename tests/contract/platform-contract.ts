// What every platform must do: one suite, run against each adapter with a real oTree and a real PostgreSQL.

import { afterAll, beforeAll, describe } from 'vitest';
import type { InstanceSpec, Platform } from '../../platforms/platform.ts';
import type { BuiltRelease } from '../../platforms/release.ts';
import { changesAndTrouble } from './contract-changes.ts';
import { buildingAndRunning, standingCrashes } from './contract-running.ts';
import { exportsAndBots } from './contract-exports.ts';
import { dumping, logsAndResets } from './contract-data.ts';
import { broken, ending, gaps } from './contract-ending.ts';
import { roomsOfThePanel } from './contract-rooms.ts';
import { makeSpec } from './instances.ts';
import { type Bench, never, type PlatformStand } from './stand.ts';

/** How long one test, and the suite's making and clearing away, may take, milliseconds. */
export type Patience = { readonly testMs: number; readonly endsMs: number; readonly chosen?: readonly ((bench: Bench) => void)[] };

/** All themes, in this order: later ones find what earlier ones left. */
const themes = [buildingAndRunning, roomsOfThePanel, exportsAndBots, standingCrashes, dumping, logsAndResets, changesAndTrouble, gaps, ending, broken] as const;

/** The suite. Instances are made and destroyed by it; one of them, with the sample project, serves most tests, in this order. */
export function describePlatform(
  name: string,
  makeStand: () => Promise<PlatformStand>,
  { chosen = themes, ...patience }: Patience = { testMs: 120_000, endsMs: 60_000 },
): void {
  describe(`the ${name} platform`, { timeout: patience.testMs }, () => {
    const strays: InstanceSpec[] = [];
    const bench: Bench = {
      stand: undefined as unknown as PlatformStand,
      platform: undefined as unknown as Platform,
      built: undefined as unknown as BuiltRelease,
      spec: makeSpec(),
      makeStray: (overrides = {}) => {
        const stray = makeSpec(overrides);
        strays.push(stray);
        return stray;
      },
    };

    beforeAll(async () => {
      bench.stand = await makeStand();
      bench.platform = bench.stand.platform;
    }, patience.endsMs);

    afterAll(async () => {
      try {
        // One that cannot be destroyed leaves no other one behind.
        const failed: unknown[] = [];
        for (const stray of [bench.spec, ...strays]) await bench.platform.destroy(stray, never).catch((error: unknown) => failed.push(error));
        if (failed.length > 0) throw new AggregateError(failed, 'some instances could not be destroyed');
      } finally {
        await bench.stand.close();
      }
    }, patience.endsMs);

    for (const theme of chosen) theme(bench);
  });
}
