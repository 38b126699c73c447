// The contract: other settings, other releases, aborts, a project that does not start.

import { expect, it } from 'vitest';
import { Secret } from '../../platforms/secret.ts';
import { archiveOf, build, projectWith, refusal, stateOf, TRUST_GAME } from './instances.ts';
import { type Bench, never, version } from './stand.ts';

/** What a start takes over, what an abort leaves, and how a failing start ends. */
export function changesAndTrouble(bench: Bench): void {
  const { spec } = bench;

  it('passes on the owner’s variables and a new password at the next start', async () => {
    const changed = { ...spec, adminPassword: new Secret('another'), environment: { OTREE_AUTH_LEVEL: new Secret('DEMO') } };
    await bench.platform.configure(changed);
    await bench.platform.start(changed, never);
    expect((await bench.platform.askOtree(changed, { method: 'GET', path: '/demo', timeoutMs: 30_000 })).status).toBe(200);
    await bench.platform.stop(changed, never);
    await bench.platform.configure(spec);
  });

  it('starts the release that was selected last, and removes the others', async () => {
    await build(bench.platform, spec, { dir: TRUST_GAME, number: 3, lock: bench.built.lock });
    await bench.platform.start(spec, never);
    await bench.platform.selectRelease(spec, 3);
    await bench.platform.stop(spec, never);
    await bench.platform.start(spec, never);
    await bench.platform.pruneReleases(spec, []);
    expect(await version(bench.platform, spec)).toBe(200);
    expect((await refusal(bench.platform.selectRelease(spec, 1))).code).toBe('platform_failed');
    await bench.platform.stop(spec, never);
  });

  it('ends a build that is aborted, and builds it afterwards', async () => {
    const abort = new AbortController();
    const request = { releaseNumber: 4, openArchive: archiveOf(TRUST_GAME), lockFor: async () => null, signal: abort.signal };
    const building = bench.platform.build(spec, { ...request, onOutput: () => abort.abort(new Error('the person changed their mind')) });
    await expect(building).rejects.toThrow('changed their mind');
    await build(bench.platform, spec, { dir: TRUST_GAME, number: 4, lock: bench.built.lock });
  });

  it('ends a start that is aborted, and starts afterwards', async () => {
    const abort = new AbortController();
    const starting = bench.platform.start(spec, abort.signal);
    setImmediate(() => abort.abort(new Error('enough')));
    await expect(starting).rejects.toThrow('enough');
    await bench.platform.start(spec, never);
    expect(await version(bench.platform, spec)).toBe(200);
  });

  it('explains a start that fails, sees the crash, and leaves the neighbour alone', async () => {
    const other = bench.makeStray();
    const dir = await projectWith(TRUST_GAME, { 'trust_game/__init__.py': 'import os\nos._exit(3)\n' });
    await bench.platform.create(other, never);
    await build(bench.platform, other, { dir, number: 1, lock: bench.built.lock });
    await bench.platform.selectRelease(other, 1);
    expect((await refusal(bench.platform.start(other, never))).code).toBe('start_failed');
    if (bench.stand.traits.keepsFailedStart) {
      await expect.poll(async () => (await stateOf(bench.platform, other)).restarts, { timeout: 60_000, interval: 100 }).toBeGreaterThan(1);
      // Between two ends it is starting for a moment.
      await expect
        .poll(async () => await stateOf(bench.platform, other), { timeout: 60_000 })
        .toMatchObject({ state: 'crashed', exitCode: 3, webProcesses: 0 });
    } else {
      expect(await stateOf(bench.platform, other)).toMatchObject({ state: 'stopped', webProcesses: 0 });
      expect(await bench.stand.countProcesses(other)).toBe(0);
    }
    expect(await version(bench.platform, spec)).toBe(200);
    await bench.platform.stop(other, never);
    expect(await stateOf(bench.platform, other)).toMatchObject({ state: 'stopped' });
  });
}
