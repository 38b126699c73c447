// The contract: rooms that are edited in the panel.

import { describe, expect, it } from 'vitest';
import { build, stateOf, TRUST_GAME } from './instances.ts';
import { type Bench, never } from './stand.ts';

/** Rooms that come, stay over restarts and releases, and go. */
export function roomsOfThePanel(bench: Bench): void {
  const { spec } = bench;

  describe('rooms that are edited in the panel', () => {
    const hall = { name: 'hall', displayName: 'Hall', labels: ['A01', 'A02'], usesSecureUrls: false };
    const rooms = async (): Promise<string[]> =>
      (JSON.parse((await bench.platform.askOtree(spec, { method: 'GET', path: '/api/rooms', timeoutMs: 30_000 })).body) as { name: string }[]).map(
        ({ name }) => name,
      );
    const waits = async (label: string): Promise<boolean> =>
      (
        await bench.platform.askOtree(spec, { method: 'GET', path: `/room/hall?participant_label=${label}&welcome_page_ok=1`, timeoutMs: 30_000 })
      ).body.includes('wait_for_session_in_room');

    it('are known to the running oTree at once, and nobody is disturbed', async () => {
      const before = (await stateOf(bench.platform, spec)).startedAt;
      await bench.platform.setRooms(spec, [hall]);
      expect(await rooms()).toEqual(['lab', 'hall']);
      expect([await waits('A01'), await waits('B01')]).toEqual([true, false]);
      expect((await stateOf(bench.platform, spec)).startedAt).toEqual(before);
    });

    it('are there after a restart, and after a later release', async () => {
      await bench.platform.stop(spec, never);
      await bench.platform.start(spec, never);
      expect(await waits('A02')).toBe(true);
      await build(bench.platform, spec, { dir: TRUST_GAME, number: 5, lock: bench.built.lock });
      await bench.platform.stop(spec, never);
      await bench.platform.selectRelease(spec, 5);
      await bench.platform.configure(spec);
      await bench.platform.start(spec, never);
      expect(await waits('A02')).toBe(true);
      await bench.platform.stop(spec, never);
      await bench.platform.selectRelease(spec, 1);
      await bench.platform.start(spec, never);
    });

    it('go when they are removed', async () => {
      await bench.platform.setRooms(spec, []);
      expect(await rooms()).toEqual(['lab']);
      expect(await waits('A01')).toBe(false);
    });

    it('may be handed over before the first release', async () => {
      const early = bench.makeStray();
      await bench.platform.create(early, never);
      await bench.platform.setRooms(early, [hall]);
      await bench.platform.setRooms(early, [hall]);
      expect(await stateOf(bench.platform, early)).toMatchObject({ state: 'stopped' });
    });
  });
}
