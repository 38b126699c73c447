// A made-up person in front of a real oTree: what is in the way is said, and the way through is walked, in both majors.

import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { systemActor, type WorkerContext } from '../../domain/context.ts';
import { asJson } from '../../domain/database.ts';
import { walkTestClick } from '../../domain/test-click.ts';
import { presentRow, QUESTION, type ParticipantAnswer } from '../../platforms/otree-tables.ts';
import type { OtreeRequest, Platform } from '../../platforms/platform.ts';
import { freePorts } from '../free-ports.ts';
import { aProject, anInstance, aRoom, testContext, type TestContext } from '../factories.ts';
import { Instance as Launched, query, temporaryDatabase } from '../launcher/instance.ts';
import { pythonWith } from '../launcher/venv.ts';

vi.setConfig({ testTimeout: 180_000 });
let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext({ PUBLIC_URL: 'http://localhost:8080' });
});
afterAll(() => ctx.close());

const rooms = `ROOMS = [
    dict(name='study', display_name='Study'),
    dict(name='closed', display_name='Closed', participant_label_file='_rooms/study.txt'),
    dict(name='secure', display_name='Secure', participant_label_file='_rooms/study.txt', use_secure_urls=True),
]`;

async function aStudy(version: '6.0.15' | '5.11.5') {
  const [databaseUrl, [port = 0]] = [await temporaryDatabase(), await freePorts(1)];
  const one = new Launched({ python: pythonWith(version), project: 'tests/projects/prolific-study', databaseUrl, config: { port } });
  const settings = `${one.project}/settings.py`;
  writeFileSync(settings, readFileSync(settings, 'utf8').replace(/ROOMS = \[[\s\S]*?\n\]/, rooms));
  await one.serve();
  const names = ['study', 'closed', 'secure'];
  const project = aProject({ rooms: names.map((name) => aRoom({ name })) });
  const { id } = await anInstance(ctx, { state: 'running', addressMode: 'port', port, project });
  for (const room of names) {
    const recruitment = { instanceId: id, room, kind: 'prolific', settings: asJson({ done: 'C1DONE' }), updatedByName: 'test' };
    await ctx.db.recruitment.create({ data: recruitment });
  }
  const platform: Partial<Platform> = {
    participants: async () => ((await query(databaseUrl, QUESTION)) as ParticipantAnswer[]).map(presentRow),
    askOtree: async (_spec, { method, path, body }: OtreeRequest) => {
      const headers = { 'otree-rest-key': 'rest-key', host: 'lab.example', 'content-type': 'application/json' };
      return one.request(method, path, { headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    },
  };
  const worker: WorkerContext = { ...ctx, platform: platform as Platform, frontDoor: {} as WorkerContext['frontDoor'] };
  const click = (room = 'study') => walkTestClick(worker, { instanceId: id, room, actor: systemActor });
  const problems = async (room?: string): Promise<string[]> => (await click(room)).steps.filter(({ isWell }) => !isWell).map(({ sentence }) => sentence);
  const create = (fields: object = {}) => one.rest('/api/sessions', { session_config_name: 'effort', num_participants: 2, room_name: 'study', ...fields });
  return { id, click, problems, create };
}

it.each(['6.0.15', '5.11.5'] as const)('is told what is in the way, and comes in when nothing is (oTree %s)', async (version) => {
  const { click, problems, create } = await aStudy(version);
  expect(await problems()).toEqual([expect.stringContaining('waits for a session')]);
  for (const room of ['closed', 'secure']) expect(await problems(room)).toEqual([expect.stringContaining('does not take this id')]);
  // A session of somebody who did not make it in the panel has the project's placeholder.
  await create();
  expect(await problems()).toEqual([expect.stringContaining('has another completionlink: https://app.prolific.com/submissions/complete?cc=PLACEHOLDER')]);
  const completionlink = 'https://app.prolific.com/submissions/complete?cc=C1DONE';
  const { code } = await create({ modified_session_config_fields: { completionlink } });
  const walked = await click();
  expect(walked.steps.filter(({ isWell }) => !isWell)).toEqual([]);
  expect(walked).toMatchObject({ sessionCode: code, label: expect.stringMatching(/^test_\w{10}$/) as string });
  await click();
  expect(await problems()).toEqual([expect.stringContaining('Every place')]);
});

it('is told when nobody listens at the public address', async () => {
  const { id, problems } = await aStudy('6.0.15');
  await ctx.db.instance.update({ where: { id }, data: { port: 1 } });
  expect(await problems()).toEqual([expect.stringContaining('http://localhost:1 does not answer: nobody listens there')]);
});
