// The contract: dumps, restores, resets and the runtime log.

import { createHash } from 'node:crypto';
import { readFile, stat, truncate } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { refusal } from './instances.ts';
import { type Bench, never, newDumpFile, silent } from './stand.ts';

/** Dumps that can be restored, restores that change everything or nothing. */
export function dumping(bench: Bench): void {
  const { spec } = bench;

  it('dumps with the row counts of the same moment, and the dump can be restored', async () => {
    const file = await newDumpFile();
    const dump = await bench.platform.dumpDatabase(spec, file, never);
    const content = await readFile(file);
    expect(dump).toMatchObject({ sizeBytes: content.length, sha256: createHash('sha256').update(content).digest('hex') });
    expect(dump.rowCounts['otree_participant']).toBe(2);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await bench.platform.verifyDump(spec, file, never)).toEqual(dump.rowCounts);
    await truncate(file, content.length - 1000);
    expect((await refusal(bench.platform.verifyDump(spec, file, never))).code).toBe('backup_failed');
    expect(await bench.stand.databases(spec)).toEqual(await bench.stand.restingDatabases(spec));
  });

  it('restores a dump: equal rows, owned by the instance, and oTree writes into it afterwards', async () => {
    const file = await newDumpFile();
    const dump = await bench.platform.dumpDatabase(spec, file, never);
    await bench.stand.sql(spec, 'DELETE FROM trust_game_player; CREATE TABLE later (n int)');
    const held = await bench.stand.holdTransaction(spec);
    await bench.platform.restoreDatabase(spec, { file, rowCounts: dump.rowCounts }, never);
    await held.cut;
    await held.close();
    expect((await bench.platform.databaseFacts(spec)).rowCounts).toEqual(dump.rowCounts);
    expect(await bench.stand.databases(spec)).toEqual(await bench.stand.restingDatabases(spec));
    const owners = await bench.stand.sql(
      spec,
      `SELECT DISTINCT tableowner AS owner FROM pg_tables WHERE schemaname = 'public'
        UNION SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()`,
    );
    expect(owners).toEqual([{ owner: await bench.stand.roleOf(spec) }]);
    expect(await bench.stand.isClosed(spec)).toBe(true);
    await bench.platform.start(spec, never);
    const body = { session_config_name: 'trust_game', num_participants: 2 };
    expect((await bench.platform.askOtree(spec, { method: 'POST', path: '/api/sessions', body, timeoutMs: 30_000 })).status).toBe(200);
    expect((await bench.platform.databaseFacts(spec)).rowCounts['otree_participant']).toBe(4);
    expect((await refusal(bench.platform.restoreDatabase(spec, { file, rowCounts: dump.rowCounts }, never))).code).toBe('restore_failed');
    await bench.platform.stop(spec, never);
  });

  it('refuses a damaged file, other row counts and an abort, with the old data in place', async () => {
    const before = (await bench.platform.databaseFacts(spec)).rowCounts;
    const file = await newDumpFile();
    const dump = await bench.platform.dumpDatabase(spec, file, never);
    const other = { ...dump.rowCounts, otree_participant: 99 };
    expect(await refusal(bench.platform.restoreDatabase(spec, { file, rowCounts: other }, never))).toMatchObject({
      code: 'restore_failed',
      details: { reason: expect.stringContaining('otree_participant') },
    });
    /** A restore that is aborted as soon as its database is there; undefined when it was faster than that. */
    const aborted = async (): Promise<unknown> => {
      const abort = new AbortController();
      const ended = bench.platform.restoreDatabase(spec, { file, rowCounts: dump.rowCounts }, abort.signal).catch((error: unknown) => error);
      await expect.poll(async () => (await bench.stand.databases(spec)).length, { interval: 1, timeout: 60_000 }).toBe(2);
      abort.abort(new Error('the panel was stopped'));
      return await ended;
    };
    let end = await aborted();
    for (let tries = 1; end === undefined && tries < 5; tries += 1) end = await aborted();
    expect(end).toMatchObject({ message: 'the panel was stopped' });
    await truncate(file, dump.sizeBytes - 1000);
    expect((await refusal(bench.platform.restoreDatabase(spec, { file, rowCounts: dump.rowCounts }, never))).code).toBe('restore_failed');
    expect((await bench.platform.databaseFacts(spec)).rowCounts).toEqual(before);
    expect(await bench.stand.databases(spec)).toEqual(await bench.stand.restingDatabases(spec));
  });

  it('clears away what a crash in the middle of a restore left, before or after the change of places', async () => {
    const before = (await bench.platform.databaseFacts(spec)).rowCounts;
    await bench.stand.leavesRestore(spec);
    expect((await bench.stand.databases(spec)).length).toBeGreaterThan(1);
    const file = await newDumpFile();
    const dump = await bench.platform.dumpDatabase(spec, file, never);
    await bench.platform.restoreDatabase(spec, { file, rowCounts: dump.rowCounts }, never);
    expect((await bench.platform.databaseFacts(spec)).rowCounts).toEqual(before);
    expect(await bench.stand.databases(spec)).toEqual(await bench.stand.restingDatabases(spec));
  });
}

/** The log in pieces, left-over scratch databases, emptying the database. */
export function logsAndResets(bench: Bench): void {
  const { spec } = bench;

  it('hands out the runtime log piece by piece and as a whole', async () => {
    const first = await bench.platform.readLogFrom(spec.instanceId, { position: null, maxBytes: 4096 });
    expect(first.text).not.toBe('');
    expect(await bench.platform.readLogFrom(spec.instanceId, { position: first.position, maxBytes: 4096 })).toEqual({ ...first, text: '' });
    await bench.platform.start(spec, never);
    await bench.platform.stop(spec, never);
    const next = await bench.platform.readLogFrom(spec.instanceId, { position: first.position, maxBytes: 1e6 });
    expect(next.text).toContain(bench.stand.traits.startMark);
    let whole = '';
    for await (const bytes of bench.platform.openLog(spec.instanceId)) whole += String(bytes);
    expect(whole.endsWith(next.text)).toBe(true);
    expect(await bench.platform.readLogFrom('t0000000000', { position: null, maxBytes: 10 })).toEqual({ text: '', position: '', hasGap: false });
  });

  it('drops scratch databases that a crash left', async () => {
    await bench.stand.leavesScratch(spec);
    expect((await bench.stand.databases(spec)).length).toBeGreaterThan(1);
    await bench.platform.create(spec, never);
    expect(await bench.stand.databases(spec)).toEqual(await bench.stand.restingDatabases(spec));
  });

  it('resets the database of a stopped instance, past a connection that idles in a transaction', async () => {
    const held = await bench.stand.holdTransaction(spec);
    await bench.platform.resetDatabase(spec, silent);
    const { rowCounts } = await bench.platform.databaseFacts(spec);
    expect(Object.keys(rowCounts)).toContain('trust_game_player');
    expect(Object.values(rowCounts).every((rows) => rows === 0)).toBe(true);
    await held.close();
  });

  it('refuses to reset what runs', async () => {
    await bench.platform.start(spec, never);
    expect((await refusal(bench.platform.resetDatabase(spec, silent))).code).toBe('platform_failed');
    await bench.platform.stop(spec, never);
  });
}
