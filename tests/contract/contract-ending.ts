// The contract: what the tables lack, a second instance, the end, and projects that are refused.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { brokenProjects, build, deploy, LAB_GAMES, projectWith, refusal, stateOf, TRUST_GAME } from './instances.ts';
import { type Bench, never, silent, version } from './stand.ts';

/** Tables that are otherwise than a new version needs them. */
export function gaps(bench: Bench): void {
  it('names what the tables of a live database lack for a new version, and only what would make oTree fail', async () => {
    const other = bench.makeStray();
    await bench.platform.create(other, never);
    const table = async (text: string) => await bench.stand.sql(other, text);
    const app = await readFile(path.join(TRUST_GAME, 'trust_game', '__init__.py'), 'utf8');
    const fields = 'offer = models.IntegerField()\n    belief = models.FloatField()\n    remark = models.StringField()';
    const changed = app.replace('class Player(BasePlayer):\n    pass', `class Player(BasePlayer):\n    ${fields}`);
    await build(bench.platform, other, { dir: await projectWith(TRUST_GAME, { 'trust_game/__init__.py': changed }), number: 1, lock: bench.built.lock });
    const gaps = async () => (await bench.platform.tryRelease(other, 1, silent)).gaps;
    expect(await gaps(), 'a database without tables lacks nothing: oTree makes them').toEqual([]);

    await bench.platform.selectRelease(other, 1);
    await bench.platform.start(other, never);
    await bench.platform.stop(other, never);
    expect(await gaps(), 'its own tables').toEqual([]);

    await table('DROP TABLE trust_game_player; CREATE TABLE old_app_player (id int NOT NULL, x int NOT NULL)');
    expect(await gaps(), 'a new app, and one that was removed').toEqual([]);
    await bench.platform.start(other, never);
    await bench.platform.stop(other, never);

    await table('ALTER TABLE trust_game_player ADD left_over int, ADD filled int NOT NULL DEFAULT 0, ALTER remark TYPE text');
    expect(await gaps(), 'columns that nobody needs, and longer text').toEqual([]);

    await table(`ALTER TABLE trust_game_player DROP offer, ALTER belief TYPE varchar(50), ALTER remark SET NOT NULL, ADD must_be int NOT NULL`);
    const player = { table: 'trust_game_player' };
    expect(await gaps()).toEqual([
      { ...player, kind: 'missing', column: 'offer', wanted: 'integer', found: null },
      { ...player, kind: 'changed', column: 'belief', wanted: 'double precision', found: 'character varying(50)' },
      { ...player, kind: 'required', column: 'remark', wanted: null, found: 'text' },
      { ...player, kind: 'required', column: 'must_be', wanted: null, found: 'integer' },
    ]);
  });
}

/** A richer neighbour, and the end of the first instance. */
export function ending(bench: Bench): void {
  const { spec } = bench;

  it('runs a richer project with two rooms beside the first', async () => {
    const other = bench.makeStray();
    const { project } = await deploy(bench.platform, other, { dir: LAB_GAMES });
    expect(project.rooms.length).toBeGreaterThanOrEqual(2);
    expect(project.rooms.some((room) => room.usesSecureUrls)).toBe(true);
    expect(await version(bench.platform, other)).toBe(200);
    expect(await version(bench.platform, spec)).toBe(200);
    expect([...(await bench.platform.observe([spec.instanceId, other.instanceId])).values()].map(({ state }) => state)).toEqual(['running', 'running']);
  });

  it('destroys a running instance and leaves nothing', async () => {
    await bench.platform.destroy(spec, never);
    expect(await stateOf(bench.platform, spec)).toMatchObject({ state: 'absent' });
    expect(await bench.stand.countProcesses(spec)).toBe(0);
    expect(await bench.stand.leftovers(spec)).toEqual([]);
    expect(await bench.stand.databases(spec)).toEqual([]);
    expect(await bench.stand.isClosed(spec)).toBeNull();
    await bench.platform.destroy(spec, never);
  });
}

/** Projects that cannot be built. */
export function broken(bench: Bench): void {
  it.each(brokenProjects)('refuses a project with %s, in a sentence', async (_what, files, expected) => {
    const other = bench.makeStray();
    await bench.platform.create(other, never);
    const dir = await projectWith(TRUST_GAME, files);
    expect(await refusal(build(bench.platform, other, { dir, number: 1 }))).toMatchObject(expected);
    expect((await refusal(bench.platform.selectRelease(other, 1))).code).toBe('platform_failed');
  });
}
