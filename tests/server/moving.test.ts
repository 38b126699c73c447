// Moving an instance to another platform over HTTP: where the page offers it, and where its data keep it.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { InstanceView } from '../../contracts/instances.ts';
import { anInstance } from '../factories.ts';
import { startPanel, type Client, type TestPanel } from './panel.ts';

let panel: TestPanel;
let manager: Client;
let ownerId: string;
beforeAll(async () => {
  panel = await startPanel({ PLATFORM: 'swarm' });
  const person = await panel.person('manager');
  [manager, ownerId] = [await panel.signIn(person), person.id];
  const both = { memoryLimit: true, diskLimit: true, isolationNote: '', problem: null };
  await panel.ctx.db.setting.create({ data: { name: 'platform.capabilities', value: { local: both, swarm: both } } });
});
afterAll(() => panel.close());

const placeOf = async (name: string): Promise<InstanceView['platform']> => ((await manager.send('GET', `/instances/${name}`)).body as InstanceView).platform;

it('is offered for an instance on the shared database server', async () => {
  const { name } = await anInstance(panel.ctx, { ownerId, platform: 'swarm' });
  expect(await placeOf(name)).toMatchObject({ canMoveTo: 'local', hasOwnDatabaseServer: false });
});

it('is neither offered nor begun for one with a database server of its own, and the answer says what to do', async () => {
  const { id, name } = await anInstance(panel.ctx, { ownerId, platform: 'swarm', facts: { hasOwnDatabaseServer: true } });
  expect(await placeOf(name)).toMatchObject({ canMoveTo: null, hasOwnDatabaseServer: true });
  const { status, body } = await manager.send('POST', `/instances/${name}/jobs`, { kind: 'move', to: 'local' });
  expect([status, body['code'], body['hint']]).toEqual([409, 'move_tied', expect.stringContaining('make a new instance there')]);
  expect(await panel.ctx.db.job.count({ where: { instanceId: id } })).toBe(0);
});
