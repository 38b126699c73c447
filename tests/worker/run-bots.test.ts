// Bots played by the panel, on a real oTree: through, stuck, and missing; the running experiment and its data are left alone.

import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listBots, openBotsData } from '../../domain/bots.ts';
import { rememberCapabilities } from '../../domain/capabilities.ts';
import { specOf } from '../../domain/specs.ts';
import type { Job } from '../../prisma/client/client.ts';
import { projectWith } from '../contract/instances.ts';
import { makeWorkerStand, type Place, type WorkerStand } from './stand.ts';

const LAB_GAMES = path.join(import.meta.dirname, '..', 'projects', 'lab-games');
let stand: WorkerStand;
let place: Place;

async function deploy(files: Readonly<Record<string, string | null>>): Promise<void> {
  const job = await stand.run((await stand.upload(place, await projectWith(LAB_GAMES, { 'runtime.txt': null, ...files }))).id);
  if (job.state !== 'succeeded') throw new Error(await stand.logOf(job.id));
}
const play = async (config?: string): Promise<Job> => stand.run(await stand.start(place, { kind: 'run-bots', ...(config === undefined ? {} : { config }) }));
const runs = async () => (await listBots(stand.ctx, await stand.read(place.instanceId))).runs;

beforeAll(async () => {
  stand = await makeWorkerStand();
  await rememberCapabilities(stand.ctx, stand.ctx.platform);
  place = await stand.place();
  await deploy({});
}, 240_000);
afterAll(() => stand?.close(), 120_000);

describe('bots', () => {
  it('play every config of the version in use, and what they did can be fetched', async () => {
    const spec = specOf(stand.ctx, await stand.read(place.instanceId));
    const before = (await stand.ctx.platform.databaseFacts(spec)).rowCounts;
    const job = await play();
    expect([job.state, await stand.logOf(job.id)]).toEqual(['succeeded', expect.stringContaining('Bots completed session')]);
    const [run] = await runs();
    expect(run).toMatchObject({ jobId: job.id, state: 'succeeded', isCurrent: true, configs: [{ name: 'bargain' }, { name: 'survey' }] });
    expect(run?.configs.every(({ state, hasData }) => state === 'succeeded' && hasData)).toBe(true);
    let bytes = 0;
    for await (const piece of await openBotsData(stand.ctx, { instanceId: place.instanceId, jobId: job.id, config: 'survey' }))
      bytes += (piece as Buffer).length;
    expect(bytes).toBeGreaterThan(100);
    expect((await stand.ctx.platform.databaseFacts(spec)).rowCounts).toEqual(before);
  }, 120_000);

  it('play one config when it is named, and none that is not there', async () => {
    const job = await play('survey');
    expect((await runs())[0]).toMatchObject({ jobId: job.id, configs: [{ name: 'survey', state: 'succeeded' }] });
    await expect(play('nothing')).rejects.toMatchObject({ code: 'invalid_input' });
  }, 120_000);

  it('that get stuck fail the job with oTree’s own words, and the other config is played all the same', async () => {
    await deploy({ 'bargain/tests.py': 'from . import *\n\n\nclass PlayerBot(Bot):\n    def play_round(self):\n        yield Submission(Outcome, {})\n' });
    const job = await play();
    expect([job.state, job.errorCode]).toEqual(['failed', 'bots_failed']);
    expect((await runs())[0]?.configs).toMatchObject([
      { name: 'bargain', state: 'failed', hasData: false },
      { name: 'survey', state: 'succeeded' },
    ]);
    expect((await runs())[1]).toMatchObject({ isCurrent: false });
  }, 240_000);

  it('that are missing are named with the file to add', async () => {
    await deploy({ 'survey/tests.py': null });
    const job = await play('survey');
    expect([job.state, job.errorCode, job.errorDetails]).toEqual(['failed', 'bots_missing', { app: 'survey' }]);
  }, 240_000);
});
