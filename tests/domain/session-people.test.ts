// What a real oTree says about the people of a session, in the versions that answer differently: payoffs, currency, fee.

import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { WorkerContext } from '../../domain/context.ts';
import { askSession, findReturned } from '../../domain/session-people.ts';
import type { OtreeRequest, ParticipantRow, Platform } from '../../platforms/platform.ts';
import { anInstance, testContext, type TestContext } from '../factories.ts';
import { Instance as Launched, query, temporaryDatabase } from '../launcher/instance.ts';
import { pythonWith } from '../launcher/venv.ts';

vi.setConfig({ testTimeout: 120_000 });
let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

/** A worker's context of which only what is asked for here is there. */
const workerWith = (platform: Partial<Platform>): WorkerContext => ({ ...ctx, platform: platform as Platform, frontDoor: {} as WorkerContext['frontDoor'] });

it.each(['6.0.15', '5.11.5'] as const)('payoffs come in the session’s currency, not in points, with the fee beside them (oTree %s)', async (version) => {
  const databaseUrl = await temporaryDatabase();
  const one = new Launched({ python: pythonWith(version), project: 'tests/projects/prolific-study', databaseUrl });
  await one.serve();
  const { code = '' } = await one.rest('/api/sessions', { session_config_name: 'effort', num_participants: 2 });
  await query(databaseUrl, `update otree_participant set label = 'p' || id_in_session, payoff = 137 * id_in_session`);
  const askOtree = async (_spec: unknown, { method, path, body }: OtreeRequest) => {
    const headers = { 'otree-rest-key': 'rest-key', host: 'lab.example', 'content-type': 'application/json' };
    const { status, body: text } = await one.request(method, path, { headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    return { status, body: text };
  };
  const worker = workerWith({ askOtree });
  const answer = await askSession(worker, await anInstance(ctx), code);
  expect([answer.REAL_WORLD_CURRENCY_CODE, Number(answer.config.participation_fee)]).toEqual(['GBP', 1.5]);
  expect(answer.participants.map(({ label, payoff_in_real_world_currency: payoff }) => [label, String(payoff)])).toEqual([
    ['p1', '1.37'],
    ['p2', '2.74'],
  ]);
  await expect(askSession(worker, await anInstance(ctx), 'nothing1')).rejects.toMatchObject({ code: 'session_unknown' });
  await expect(askSession(worker, await anInstance(ctx), '../sessions')).rejects.toMatchObject({ code: 'session_unknown' });
});

it('an id of Prolific’s is found in another instance of the owner, a label of a lab is not', async () => {
  const id = '5e9088a8a4b6ed018b45ba7b';
  const row = (sessionCode: string, label: string, room: string | null, isFinished = true): ParticipantRow => ({
    sessionCode,
    room,
    label,
    pageIndex: 1,
    maxPageIndex: 1,
    hasStarted: true,
    isFinished,
    lastPageAt: null,
  });
  const here = await anInstance(ctx);
  const other = await anInstance(ctx, { ownerId: here.ownerId, currentDeploymentId: null });
  const deployment = await ctx.db.deployment.create({
    data: { id: other.id, instanceId: other.id, number: 1, commit: 'a'.repeat(40), message: '', author: '', branch: 'main', createdByName: 'test' },
  });
  await ctx.db.instance.update({ where: { id: other.id }, data: { currentDeploymentId: deployment.id } });
  const rows = new Map([
    [
      here.id,
      [row('now', id, 'study'), row('now', 'A01', 'study'), row('now', 'test_x', 'study'), row('before', 'A01', null, false), row('before', 'test_x', null)],
    ],
    [other.id, [row('there', id, null), row('there', 'A01', null)]],
  ]);
  const participants = ({ instanceId }: { instanceId: string }) => Promise.resolve(rows.get(instanceId) ?? []);
  expect(await findReturned(workerWith({ participants }), { instanceId: here.id, room: 'study' })).toEqual({
    sessionCode: 'now',
    people: [
      { label: 'A01', where: [{ instance: here.name, sessionCode: 'before', isFinished: false }] },
      { label: id, where: [{ instance: other.name, sessionCode: 'there', isFinished: true }] },
    ],
  });
});
