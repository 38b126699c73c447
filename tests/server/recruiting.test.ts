// Recruiting over HTTP: remarks at fields, what stays hidden from whom, files that are refused before anybody is asked.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { User } from '../../prisma/client/client.ts';
import { commitFolder, createRepository } from '../../domain/repositories.ts';
import { newId } from '../../domain/ids.ts';
import { aProject, anInstance, aRoom } from '../factories.ts';
import { startPanel, type Client, type TestPanel } from './panel.ts';

const study = path.join(import.meta.dirname, '..', 'projects', 'prolific-study');
let panel: TestPanel;
let owner: User;
let operator: User;
let name = '';
beforeAll(async () => {
  panel = await startPanel();
  [owner, operator] = [await panel.person('experimenter'), await panel.person('experimenter')];
  const { ctx } = panel;
  const instance = await anInstance(ctx, {
    ownerId: owner.id,
    state: 'running',
    project: aProject({ rooms: [aRoom({ name: 'study', labels: ['A1', 'A2'] })] }),
  });
  ({ name } = instance);
  mkdirSync(ctx.config.layout.repositoriesDir, { recursive: true });
  await createRepository(ctx.config.layout, instance.id);
  const commit = await commitFolder(ctx.config.layout, instance.id, { folder: study, message: 'study' });
  const deployment = await ctx.db.deployment.create({
    data: { id: newId(), instanceId: instance.id, number: 1, commit, message: '', author: '', branch: 'main', createdByName: 'test' },
  });
  await ctx.db.instance.update({ where: { id: instance.id }, data: { currentDeploymentId: deployment.id } });
  await ctx.db.instanceShare.create({ data: { instanceId: instance.id, userId: operator.id, level: 'operate' } });
});
afterAll(() => panel.close());

const put = (client: Client, settings: object, since: unknown = null) =>
  client.send('PUT', `/instances/${name}/recruiting`, { room: 'study', recruitment: { kind: 'prolific', settings }, since });

/** Sends a file as the page does. */
async function reconcile(client: Client, content: string, query = ''): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${panel.url}/api/v1/instances/${name}/rooms/study/reconciliation${query}`, {
    method: 'POST',
    headers: { cookie: client.cookie, 'x-csrf-token': client.me?.csrfToken ?? '', 'content-type': 'application/octet-stream' },
    body: content,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('how people are recruited', () => {
  it('is saved by the owner, with a remark at what is wrong', async () => {
    const client = await panel.signIn(owner);
    const wrong = await put(client, { done: 'two words' });
    expect([wrong.status, Object.keys(wrong.body['fields'] as object)]).toEqual([400, ['recruitment.settings.done']]);
    const saved = await put(client, { done: 'C1' });
    expect(saved.status).toBe(200);
    expect(saved.body['rooms']).toMatchObject([{ room: 'study', labelCount: 2, recruitment: { kind: 'prolific', settings: { done: 'C1' } } }]);
    const late = await put(client, { done: 'C2' });
    expect([late.status, late.body['code']]).toEqual([409, 'recruiting_changed']);
  });

  it('is seen by who operates the instance, but the code of the project only by who may fetch it', async () => {
    const [his, hers] = [await panel.signIn(owner), await panel.signIn(operator)];
    const address = `/instances/${name}/recruiting`;
    expect((await his.send('GET', address)).body['source']).toMatchObject({ hasConsentField: true });
    const seen = await hers.send('GET', address);
    expect([seen.status, seen.body['source']]).toEqual([200, null]);
    expect((await put(hers, {})).status).toBe(403);
  });
});

describe('Prolific’s export', () => {
  const row = 'Submission id,Participant id,Status\ns1,5e9088a8a4b6ed018b45ba7b,APPROVED\n';

  it('is refused with its sentence, also when it is far too large', async () => {
    const client = await panel.signIn(operator);
    const other = await reconcile(client, 'a,b\n1,2\n');
    expect([other.status, other.body['code']]).toEqual([422, 'file_refused']);
    const large = await reconcile(client, 'x'.repeat(6 * 1024 * 1024));
    expect([large.status, String(large.body['title'])]).toEqual([422, expect.stringContaining('larger than 5 MB')]);
  });

  it('needs a session, and then the worker', async () => {
    const client = await panel.signIn(operator);
    const none = await reconcile(client, row);
    expect([none.status, none.body['code'], Object.keys(none.body['fields'] as object)]).toEqual([400, 'invalid_input', ['session']]);
    expect((await reconcile(client, row, '?session=abcd1234')).body['code']).toBe('worker_away');
  });

  it('leaves nothing behind', async () => {
    const client = await panel.signIn(operator);
    await reconcile(client, row, '?session=abcd1234');
    const audit = await panel.ctx.db.audit.findMany({ select: { detail: true, subject: true } });
    expect(JSON.stringify([audit, panel.ctx.logged])).not.toContain('5e9088a8a4b6ed018b45ba7b');
  });
});
