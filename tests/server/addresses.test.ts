// Addresses over HTTP: read, changed by a job, given up; remarks stand where the form shows them.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { InstanceAddresses } from '../../contracts/addresses.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import type { JobView } from '../../contracts/jobs.ts';
import type { User } from '../../prisma/client/client.ts';
import { anInstance } from '../factories.ts';
import { startPanel, type TestPanel } from './panel.ts';

let panel: TestPanel;
let owner: User;
beforeAll(async () => {
  panel = await startPanel({ PATH_URL: 'http://paths.localhost:8080/otree' });
  owner = await panel.person('experimenter');
});
afterAll(() => panel.close());

const endJobs = (instanceId: string) => panel.ctx.db.job.updateMany({ where: { instanceId }, data: { state: 'succeeded' } });

it('the owner moves an instance to a path and gives up the old address', async () => {
  const instance = await anInstance(panel.ctx, { ownerId: owner.id });
  const client = await panel.signIn(owner);
  const asked = await client.send('POST', `/instances/${instance.name}/jobs`, { kind: 'change-address', mode: 'path', keepsOld: true });
  expect([asked.status, (asked.body as JobView).title]).toEqual([202, 'Change address']);
  await endJobs(instance.id);
  const { body } = await client.send('GET', `/instances/${instance.name}/addresses`);
  const { present, former, shared } = body as InstanceAddresses;
  expect([present, shared]).toEqual([
    { mode: 'path', url: `http://paths.localhost:8080/otree/${instance.name}` },
    { origin: 'http://paths.localhost:8080', names: [], others: 0 },
  ]);
  const view = (await client.send('GET', `/instances/${instance.name}`)).body as InstanceView;
  expect([view.url, view.addressMode]).toEqual([present.url, 'path']);
  const given = await client.send('DELETE', `/instances/${instance.name}/addresses/${former[0]?.id}?reason=`);
  expect([given.status, (given.body as JobView).title]).toEqual([202, 'Give up an address']);
  const again = await client.send('DELETE', `/instances/${instance.name}/addresses/${former[0]?.id}`);
  expect([again.status, again.body['code']]).toEqual([409, 'job_in_progress']);
  expect((await client.send('DELETE', `/instances/${instance.name}/addresses/nothing`)).status).toBe(404);
});

it('a name that cannot be had is said at its field', async () => {
  const instance = await anInstance(panel.ctx, { ownerId: owner.id });
  const client = await panel.signIn(owner);
  const ask = (hostName: string) => client.send('POST', `/instances/${instance.name}/jobs`, { kind: 'change-address', mode: 'host', hostName, keepsOld: true });
  expect((await ask('https://study.uni.test')).body).toMatchObject({
    status: 400,
    code: 'invalid_input',
    fields: { hostName: 'Only the host name: no https://, no port, no path.' },
  });
  expect((await ask('localhost.localhost')).body).toMatchObject({
    status: 409,
    code: 'host_name_refused',
    fields: { hostName: expect.stringContaining('Names below localhost') },
  });
});
