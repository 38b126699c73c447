// The last hours over HTTP: who may see them, what is asked, and the file.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Metrics } from '../../contracts/metrics.ts';
import type { Instance, User } from '../../prisma/client/client.ts';
import { anInstance } from '../factories.ts';
import { startPanel, type TestPanel } from './panel.ts';

let panel: TestPanel;
let owner: User;
let instance: Instance;

beforeAll(async () => {
  panel = await startPanel();
  owner = await panel.person('experimenter');
  instance = await anInstance(panel.ctx, { ownerId: owner.id, state: 'running' });
  const sample = { instanceId: instance.id, spanSeconds: 60, core: 0.5, memoryBytes: 1000n };
  await panel.ctx.db.metricSample.create({ data: { ...sample, at: new Date(Date.now() - 30_000) } });
  await panel.ctx.db.metricSample.create({ data: { ...sample, at: new Date(Date.now() - 3 * 3_600_000) } });
});
afterAll(() => panel.close());

it('somebody with a share to view sees them, a stranger sees nothing', async () => {
  const [viewer, stranger] = [await panel.person('experimenter'), await panel.person('experimenter')];
  await panel.ctx.db.instanceShare.create({ data: { instanceId: instance.id, userId: viewer.id, level: 'view' } });
  const seen = await (await panel.signIn(viewer)).send('GET', `/instances/${instance.name}/metrics?hours=1`);
  expect(seen.status).toBe(200);
  expect((seen.body as unknown as Metrics).samples).toMatchObject([{ core: 0.5, memoryBytes: 1000, received: null, restarts: 0 }]);
  for (const place of ['metrics', 'metrics/file'])
    expect((await (await panel.signIn(stranger)).send('GET', `/instances/${instance.name}/${place}`)).status).toBe(404);
});

it('six hours unless said, and no other number than those that are offered', async () => {
  const client = await panel.signIn(owner);
  const { body } = await client.send('GET', `/instances/${instance.name}/metrics`);
  expect((body as unknown as Metrics).samples).toHaveLength(2);
  expect((await client.send('GET', `/instances/${instance.name}/metrics?hours=1000000`)).status).toBe(400);
});

it('all that is kept is a CSV file', async () => {
  const client = await panel.signIn(owner);
  const response = await fetch(`${panel.url}/api/v1/instances/${instance.name}/metrics/file`, { headers: { cookie: client.cookie } });
  expect([response.headers.get('content-type'), response.headers.get('content-disposition')]).toEqual([
    'text/csv; charset=utf-8',
    expect.stringMatching(new RegExp(`^attachment; filename=${instance.name}-use-`)),
  ]);
  expect((await response.text()).split('\n')).toHaveLength(4);
});
