// The hosts of the Swarm over HTTP: what managers see, the guarded and recorded change, and a secret that is shown on a click only.

import { mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WorkerContext } from '../../domain/context.ts';
import { FactsWatch } from '../../domain/facts-watch.ts';
import { makeRoomsKeeper } from '../../domain/rooms-keeper.ts';
import type { PlatformHost, PlatformHosts } from '../../platforms/hosts.ts';
import { startAnswering } from '../../worker/answer.ts';
import { anInstance } from '../factories.ts';
import { startPanel, type Client, type TestPanel } from './panel.ts';

const join = 'docker swarm join --token SWMTKN-1-secret 10.0.0.1:2377';
let panel: TestPanel;
let worker: Server;
let manager: Client;
let hosts: PlatformHost[];

/** A platform's hosts, in memory. */
const platformHosts: PlatformHosts = {
  isSpread: true,
  list: async () => hosts,
  joinCommand: async () => join,
  setTaking: async (id, takesInstances) => {
    hosts = hosts.map((host) => (host.id === id ? { ...host, takesInstances } : host));
  },
  remove: async (id) => {
    hosts = hosts.filter((host) => host.id !== id);
  },
};

const host = (id: string, more: Partial<PlatformHost> = {}): PlatformHost => ({
  id,
  name: `${id}.lab`,
  address: '10.0.0.1',
  role: 'worker',
  state: 'ready',
  awaySince: null,
  takesInstances: true,
  isPanelHost: false,
  cores: 4,
  memoryBytes: 8e9,
  instanceIds: [],
  ...more,
});

beforeAll(async () => {
  panel = await startPanel();
  const { layout } = panel.ctx.config;
  mkdirSync(path.dirname(layout.workerSocket), { recursive: true });
  const ctx = { ...panel.ctx, platform: { hosts: platformHosts } } as unknown as WorkerContext;
  worker = await startAnswering(ctx, { facts: new FactsWatch(), rooms: makeRoomsKeeper() });
  manager = await panel.signIn(await panel.person('manager'));
});
afterAll(async () => {
  await new Promise((resolve) => worker.close(resolve));
  await panel.close();
});
beforeEach(() => {
  hosts = [host('one', { role: 'manager', isPanelHost: true }), host('two')];
});

const audit = async (action: string) => await panel.ctx.db.audit.findMany({ where: { action }, orderBy: { id: 'desc' } });

describe('the hosts', () => {
  it('are told with the instances on each by name, and since when one is down', async () => {
    const instance = await anInstance(panel.ctx, { state: 'running' });
    hosts = [host('one', { instanceIds: [instance.id] }), host('two', { state: 'down', awaySince: new Date('2026-01-02T03:04:05Z') })];
    expect((await manager.send('GET', '/system/hosts')).body).toMatchObject({
      isSpread: true,
      hosts: [
        { id: 'one', instances: [{ name: instance.name, participantsInSession: 0 }] },
        { id: 'two', state: 'down', awaySince: '2026-01-02T03:04:05.000Z', instances: [] },
      ],
    });
  });

  it('an instance’s page names the one that it runs on, for whoever may see the instance; with one host there is nothing to name', async () => {
    const person = await panel.person('experimenter');
    const [owner, instance] = [await panel.signIn(person), await anInstance(panel.ctx, { ownerId: person.id, state: 'running', facts: { host: 'lab-2' } })];
    const alone = await anInstance(panel.ctx, { ownerId: person.id, state: 'running' });
    const shown = async (client: Client, { name }: { name: string }) => (await client.send('GET', `/instances/${name}`)).body['platform'];
    for (const client of [owner, manager]) expect(await shown(client, instance)).toMatchObject({ host: 'lab-2' });
    expect(await shown(owner, alone)).toMatchObject({ host: null });
    const stranger = await panel.signIn(await panel.person('experimenter'));
    expect((await stranger.send('GET', `/instances/${instance.name}`)).status).toBe(404);
  });

  it('an experimenter sees none of it', async () => {
    const other = await panel.signIn(await panel.person('experimenter'));
    expect((await other.send('GET', '/system/hosts')).status).toBe(403);
    const answer = await other.send('POST', '/system/hosts/join-command');
    expect([answer.status, JSON.stringify(answer.body).includes('SWMTKN')]).toEqual([403, false]);
  });

  it('the join command stands in no list, is told on demand, and that is recorded without it', async () => {
    expect(JSON.stringify((await manager.send('GET', '/system/hosts')).body)).not.toContain('SWMTKN');
    expect((await manager.send('POST', '/system/hosts/join-command')).body).toEqual({ command: join });
    const [entry] = await audit('host.show-join-command');
    expect(entry).toMatchObject({ subject: 'swarm', actorName: expect.stringMatching(/./) });
    expect(JSON.stringify([entry?.subject, entry?.detail])).not.toContain('SWMTKN');
  });

  it('one is emptied and used again, both recorded with the instances on it', async () => {
    const instance = await anInstance(panel.ctx, { state: 'running' });
    hosts = [host('one'), host('two', { instanceIds: [instance.id] })];
    expect((await manager.send('POST', '/system/hosts/two/drain', {})).status).toBe(204);
    expect(hosts.map(({ takesInstances }) => takesInstances)).toEqual([true, false]);
    expect((await audit('host.drain'))[0]).toMatchObject({ subject: 'two.lab', detail: { instances: [instance.name] } });
    expect((await manager.send('POST', '/system/hosts/two/activate')).status).toBe(204);
    expect(hosts.map(({ takesInstances }) => takesInstances)).toEqual([true, true]);
    expect(await audit('host.activate')).toHaveLength(1);
  });

  it('people in a session there ask for a reason', async () => {
    const instance = await anInstance(panel.ctx, { state: 'running', facts: { participantsInSession: 4 } });
    hosts = [host('one'), host('two', { instanceIds: [instance.id] })];
    const refused = await manager.send('POST', '/system/hosts/two/drain', {});
    expect([refused.status, refused.body['code'], hosts[1]?.takesInstances]).toEqual([409, 'people_in_session', true]);
    expect((await manager.send('POST', '/system/hosts/two/drain', { reason: 'its disk is failing' })).status).toBe(204);
    expect((await audit('host.drain'))[0]).toMatchObject({ detail: { reason: 'its disk is failing' } });
  });

  it('one that is down can be kept empty for its return, though nothing runs there', async () => {
    hosts = [host('one'), host('two', { state: 'down', awaySince: new Date() })];
    expect((await manager.send('POST', '/system/hosts/two/drain', {})).status).toBe(204);
    expect(hosts[1]).toMatchObject({ state: 'down', takesInstances: false });
  });

  it('one that is down is taken from the list, and that is recorded; one that is there is not', async () => {
    hosts = [host('one'), host('two', { state: 'down', address: '10.0.0.2' })];
    const refused = await manager.send('DELETE', '/system/hosts/one');
    expect([refused.status, refused.body['code'], hosts.length]).toEqual([409, 'host_not_down', 2]);
    expect(await audit('host.remove')).toEqual([]);
    expect((await manager.send('DELETE', '/system/hosts/two')).status).toBe(204);
    expect(hosts.map(({ id }) => id)).toEqual(['one']);
    expect(await audit('host.remove')).toEqual([expect.objectContaining({ subject: 'two.lab', detail: { address: '10.0.0.2' } })]);
    expect((await manager.send('DELETE', '/system/hosts/two')).status).toBe(404);
  });

  it('the last one that takes instances is not emptied, and one that is not there is not found', async () => {
    hosts = [host('one'), host('two', { state: 'down' })];
    const refused = await manager.send('POST', '/system/hosts/one/drain', {});
    expect([refused.status, refused.body['code'], hosts[0]?.takesInstances]).toEqual([409, 'host_last', true]);
    expect((await manager.send('POST', '/system/hosts/three/drain', {})).status).toBe(404);
  });
});
