// The preflight's questions to a real oTree of either kind: red when it is so, green when it was put right.

import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding, PreflightWish } from '../../contracts/preflight.ts';
import { systemActor } from '../../domain/context.ts';
import { rememberCapabilities } from '../../domain/capabilities.ts';
import { measureLoad } from '../../domain/load.ts';
import { lookInto } from '../../domain/observe-facts.ts';
import { createOtreeSession } from '../../domain/otree-sessions.ts';
import { gatherPreflight } from '../../domain/preflight-gather.ts';
import { lookForPreflight } from '../../domain/preflight-otree.ts';
import { judgePreflight, keepPreflight, listPreflights, presentPreflight, readPreflight } from '../../domain/preflight.ts';
import { specOf } from '../../domain/specs.ts';
import { askPostgres, projectWith } from '../contract/instances.ts';
import { makeWorkerStand, type Place, type WorkerStand } from './stand.ts';

const LAB_GAMES = path.join(import.meta.dirname, '..', 'projects', 'lab-games');
let stand: WorkerStand;

beforeAll(async () => {
  stand = await makeWorkerStand();
  await rememberCapabilities(stand.ctx, stand.ctx.platform);
}, 120_000);
afterAll(() => stand?.close(), 120_000);

async function look({ instanceId }: Place, wish: PreflightWish): Promise<Finding[]> {
  await lookInto(stand.ctx, await stand.read(instanceId));
  const ask = (question: { instanceId: string; room: string }) => lookForPreflight(stand.ctx, question);
  return judgePreflight(await gatherPreflight(stand.ctx, { instance: await stand.read(instanceId), wish, ask }));
}
const resultOf = (findings: readonly Finding[], id: string): unknown => findings.find((one) => one.id === id)?.result;
const inRoom = { room: 'lab', kind: 'lab', people: 2 } as const;

describe.each(['otree==6.0.15', 'otree==5.11.5'])('with %s', (requirement) => {
  let place: Place;
  const sql = async (text: string): Promise<unknown> => {
    const url = process.env['ARBORETUM_TEST_DATABASE_URL'] ?? '';
    const { rows } = await askPostgres(url, null, `SELECT datname FROM pg_database WHERE datname LIKE '%${place.instanceId}%'`);
    return askPostgres(url, String(rows[0]?.['datname']), text);
  };

  beforeAll(async () => {
    place = await stand.place();
    const folder = await projectWith(LAB_GAMES, { 'requirements.txt': `${requirement}\npsycopg2-binary\n`, 'runtime.txt': null });
    const job = await stand.run((await stand.upload(place, folder)).id);
    if (job.state !== 'succeeded') throw new Error(await stand.logOf(job.id));
  }, 240_000);

  it('a fresh instance is looked at: version, tables, links and source are seen', async () => {
    const findings = await look(place, inRoom);
    const good = ['runs', 'commit', 'models', 'production', 'auth-level', 'password', 'database', 'room', 'labels', 'secure-links'];
    expect(good.map((id) => [id, resultOf(findings, id)])).toEqual(good.map((id) => [id, 'good']));
    expect(resultOf(findings, 'bots')).toBe('attention');
    // Nobody stands before the experiments of this test.
    expect(resultOf(findings, 'address')).toBe('bad');
  });

  it('a column that was lost is found while oTree runs', async () => {
    await sql('ALTER TABLE survey_player RENAME COLUMN mood TO moods');
    const findings = await look(place, inRoom);
    expect(findings.find(({ id }) => id === 'models')).toMatchObject({ result: 'bad', act: 'reset-database', seen: expect.stringContaining('mood') });
    await sql('ALTER TABLE survey_player RENAME COLUMN moods TO mood');
    expect(resultOf(await look(place, inRoom), 'models')).toBe('good');
  });

  it('links made with another secret are refused, and found', async () => {
    const { roomSecret } = await stand.read(place.instanceId);
    const other = stand.ctx.sealer.seal('not what oTree was started with', `instance/${place.instanceId}/room_secret`);
    await stand.ctx.db.instance.update({ where: { id: place.instanceId }, data: { roomSecret: other } });
    expect(resultOf(await look(place, inRoom), 'secure-links')).toBe('bad');
    await stand.ctx.db.instance.update({ where: { id: place.instanceId }, data: { roomSecret } });
    expect(resultOf(await look(place, inRoom), 'secure-links')).toBe('good');
  });

  it('a session is missing, then too small, then right', async () => {
    const session = (participants: number) =>
      createOtreeSession(stand.ctx, {
        instanceId: place.instanceId,
        room: 'lab',
        sessionConfigName: 'bargain',
        numParticipants: participants,
        actor: systemActor,
      });
    expect(resultOf(await look(place, { ...inRoom, people: 4 }), 'session')).toBe('bad');
    await session(2);
    const small = (await look(place, { ...inRoom, people: 4 })).find(({ id }) => id === 'session');
    expect(small).toMatchObject({ result: 'bad', seen: expect.stringContaining('2 places') });
    await session(4);
    expect(resultOf(await look(place, { ...inRoom, people: 4 }), 'session')).toBe('good');
    expect(resultOf(await look(place, { ...inRoom, people: 5 }), 'groups')).toBe('bad');
  });

  it('bots, a stop, DEMO and debugging change what is found', async () => {
    await stand.run(await stand.start(place, { kind: 'run-bots', config: 'bargain' }));
    expect(resultOf(await look(place, inRoom), 'bots')).toBe('good');
    await stand.ctx.db.instance.update({ where: { id: place.instanceId }, data: { authLevel: 'DEMO', isProduction: false } });
    const findings = await look(place, inRoom);
    expect(['auth-level', 'production'].map((id) => resultOf(findings, id))).toEqual(['bad', 'bad']);
    await stand.ctx.db.instance.update({ where: { id: place.instanceId }, data: { authLevel: 'STUDY', isProduction: true } });
    await stand.run(await stand.start(place, { kind: 'back-up' }));
    expect(resultOf(await look(place, inRoom), 'backup')).toBe('good');
  }, 60_000);

  it('its load is measured: requests, a page, the processor', async () => {
    const measuring = measureLoad(stand.ctx, place.instanceId);
    const spec = specOf(stand.ctx, await stand.read(place.instanceId));
    for (let page = 0; page < 30; page += 1) await stand.ctx.platform.askOtree(spec, { method: 'GET', path: '/room/online', timeoutMs: 30_000 });
    const { requestsPerSecond, pageMs, core, memoryBytes } = await measuring;
    expect(requestsPerSecond).toBeGreaterThan(0);
    expect(pageMs).toBeGreaterThan(0);
    expect(core).toBeGreaterThanOrEqual(0);
    expect(memoryBytes).toBeGreaterThan(20e6);
  });

  it('a stopped one is red, and a look can be kept and read again', async () => {
    await stand.run(await stand.start(place, { kind: 'stop' }));
    const instance = await stand.read(place.instanceId);
    const facts = await gatherPreflight(stand.ctx, { instance, wish: inRoom, ask: (question) => lookForPreflight(stand.ctx, question) });
    const kept = await keepPreflight(stand.ctx, place.owner, { instance, look: presentPreflight(facts, place.owner.name) });
    expect(resultOf(kept.findings, 'runs')).toBe('bad');
    expect(await readPreflight(stand.ctx, { instanceId: instance.id, id: kept.id ?? '' })).toEqual(kept);
    const [listed] = (await listPreflights(stand.ctx, instance.id)).looks;
    expect(listed).toMatchObject({ id: kept.id, room: 'lab', kind: 'lab', byName: place.owner.name, commit: facts.deployment.currentCommit });
    expect(listed?.bad).toBeGreaterThan(0);
    await expect(readPreflight(stand.ctx, { instanceId: 'another', id: kept.id ?? '' })).rejects.toMatchObject({ code: 'not_found' });
  });
});
