// The limits of containers really hold: memory, processes, files, processor, connections to the database; each printed as a figure.

import os from 'node:os';
import { afterAll, expect, it } from 'vitest';
import { askPostgres, stateOf } from './instances.ts';
import { requireEnvironment, until } from './local-stand.ts';
import { never } from './stand.ts';
import type { SwarmBench } from './swarm-rogue.ts';

const MIB = 2 ** 20;
/** Longer than it takes on a machine four times slower than ours. */
const PATIENCE_MS = 150_000;

/** What one greedy experiment gets, and what is left for the one beside it. */
export function limitsHold(bench: SwarmBench): void {
  const { quiet, rogue } = bench;
  const figures: string[] = [];
  const note = async (limit: string, came: string): Promise<void> => {
    const took = await bench.answers(quiet);
    expect(took, 'the neighbour answers').not.toBeNull();
    figures.push(`${limit.padEnd(38)} ${came}; its neighbour answers in ${took} ms`);
  };
  afterAll(() => void process.stderr.write(`\n${figures.map((line) => `limits: ${line}`).join('\n')}\n`));

  it('a memory hog is ended, seen as out of memory, and the neighbour answers', async () => {
    await bench.begin(rogue, 'hog');
    const held = (await bench.inspect(rogue)).HostConfig.Memory ?? 0;
    const seen = await bench.seenAs('the hog was ended', rogue, ({ restarts }) => restarts > 0);
    expect(seen.detail).toContain('out of memory');
    expect(held).toBe(rogue.limits.memoryMib * MIB);
    await note(`memory ${held / MIB} MiB, wants 400`, `ended by the kernel, seen as “${seen.detail}”`);
  });

  it('a fork bomb is held by its limit, and the neighbour answers', async () => {
    await bench.begin(rogue, 'bomb');
    const { Id } = await bench.inspect(rogue);
    const container = bench.stand.engine.docker.getContainer(Id);
    const count = async (): Promise<number> => (await container.stats({ stream: false, 'one-shot': true })).pids_stats?.current ?? 0;
    await until('it has as many as it may', async () => (await count()) >= rogue.limits.processes, PATIENCE_MS);
    const most = await count();
    expect(most).toBeLessThanOrEqual(rogue.limits.processes);
    await note(`processes ${rogue.limits.processes}, starts all it can`, `${most} of them`);
    await bench.stand.platform.stop(rogue, never);
    expect(await bench.stand.countProcesses(rogue)).toBe(0);
  });

  it('files that it may write are bounded, and lie in its own memory', async () => {
    await bench.begin(rogue, 'hoard');
    await until('it has written what it could', async () => (await bench.log(rogue)).includes('HOARDED'), PATIENCE_MS);
    const [, written] = /HOARDED (19|20) No space left on device/.exec(await bench.log(rogue)) ?? [];
    expect(written, await bench.log(rogue)).toBeDefined();
    await note(`files ${rogue.limits.diskMib} MiB, writes 400`, `${written} MiB`);
  });

  it('an instance opens as many connections to the database as its role may, at least five, and not one more', async () => {
    await bench.begin(rogue, 'connect');
    await until('it has opened all it could', async () => (await bench.log(rogue)).includes('CONNECTED'), PATIENCE_MS);
    const admin = requireEnvironment('ARBORETUM_TEST_DATABASE_URL');
    const role = await bench.stand.roleOf(rogue);
    const { rows } = await askPostgres(
      admin,
      null,
      `SELECT rolconnlimit, (SELECT count(*)::int FROM pg_stat_activity WHERE usename = rolname) AS open FROM pg_roles WHERE rolname = '${role}'`,
    );
    const [found] = rows as { rolconnlimit: number; open: number }[];
    const said = /CONNECTED (\d+) (.*)/.exec(await bench.log(rogue));
    expect(said?.[2]).toContain('too many connections for role');
    expect(found?.rolconnlimit).toBeGreaterThanOrEqual(5);
    expect(found?.open).toBe(found?.rolconnlimit);
    await note(`connections ${found?.rolconnlimit}, opens 200`, `${said?.[1]} beside oTree’s own, then “too many connections for role”`);
    await bench.stand.platform.stop(rogue, never);
  });

  it('experiments share the processor evenly, however many processes one of them has busy', async () => {
    // One processor each at most, so it takes as many greedy ones as there are processors to fill the machine; two are enough to see the share.
    const greedy = [rogue, bench.makeStray()];
    await bench.deployRogue(greedy[1] ?? rogue);
    const modest = bench.makeStray();
    await bench.deployRogue(modest);
    const all = [...greedy, modest];
    try {
      for (const one of all) await bench.begin(one, 'compute', { BUSY: one === modest ? '1' : '8' });
      const look = async (): Promise<number[]> => await Promise.all(all.map(async (one) => await coresOf(bench, (await bench.inspect(one)).Id)));
      await until('all of them compute', async () => (await look()).every((cores) => cores > 0.02), PATIENCE_MS);
      // By what each takes in the same seconds: other work on the machine takes from all of them alike.
      const looks = [await look(), await look(), await look(), await look()];
      const [first = 0, second = 0, own = 0] = all.map((_, at) => looks.reduce((sum, one) => sum + (one[at] ?? 0), 0) / looks.length);
      for (const cores of [first, second]) expect(cores).toBeLessThan(1.15);
      // Shared by processes instead of by experiments it would be an eighth.
      expect(own).toBeGreaterThan((0.25 * (first + second)) / 2);
      const words = `with 8 processes ${first.toFixed(2)} and ${second.toFixed(2)} processors, one with 1 process ${own.toFixed(2)}`;
      await note(`processor 1 of ${os.availableParallelism()}, 17 busy processes`, `two ${words}`);
    } finally {
      for (const one of all) await bench.stand.platform.stop(one, never);
    }
  });

  it('an experiment that ends again and again is said to, with why', async () => {
    await bench.begin(rogue, 'end');
    // Between two of its ends it runs for a moment, and is seen so.
    const seen = await bench.seenAs('it has ended again and again', rogue, ({ restarts, state }) => restarts >= 3 && state === 'crashed');
    expect(seen).toMatchObject({
      exitCode: 7,
      detail: expect.stringMatching(/^It ends again and again \(started \d+ times\)\. The last time: RuntimeError: the pool is empty/),
    });
    expect(await bench.answers(quiet)).not.toBeNull();
    await bench.stand.platform.stop(rogue, never);
    expect((await stateOf(bench.stand.platform, rogue)).state).toBe('stopped');
  });
}

/** Processors in use over the second that the engine takes for two looks. */
async function coresOf(bench: SwarmBench, containerId: string): Promise<number> {
  const { read, preread, cpu_stats: now, precpu_stats: before } = await bench.stand.engine.docker.getContainer(containerId).stats({ stream: false });
  const seconds = (Date.parse(read) - Date.parse(preread)) / 1000;
  return (now.cpu_usage.total_usage - before.cpu_usage.total_usage) / 1e9 / seconds;
}
