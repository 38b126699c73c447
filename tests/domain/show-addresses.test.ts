// What the page about an address shows, to whom.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { instanceListQuery } from '../../contracts/instances.ts';
import { findInstance } from '../../domain/access.ts';
import { loadConfig } from '../../domain/config.ts';
import { newId } from '../../domain/ids.ts';
import { listInstances } from '../../domain/instance-list.ts';
import { showAddresses } from '../../domain/show-addresses.ts';
import { askDns } from '../../domain/system-check-surroundings.ts';
import type { Instance, User } from '../../prisma/client/client.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

const env = { PUBLIC_URL: 'http://localhost:8080', PATH_URL: 'http://paths.localhost:8080/otree' };

let ctx: TestContext;
let manager: User;
beforeAll(async () => {
  ctx = await testContext(env);
  manager = await aUser(ctx, { role: 'manager' });
});
afterAll(() => ctx.close());

const fresh = (on: TestContext, { name }: Pick<Instance, 'name'>) => findInstance(on, manager, { name, action: 'instance.read' });

describe('the page about it', () => {
  const show = async (instance: Pick<Instance, 'name'>, person = manager, on = ctx) =>
    showAddresses(on, person, { instance: await fresh(on, instance), names: askDns(['127.0.0.1:9']) });

  it('names every kind with the address that it would give, or why not', async () => {
    const instance = await anInstance(ctx, { currentDeploymentId: 'd' });
    const { present, choices, former, shared, dns: facts } = await show(instance);
    expect(present).toEqual({ mode: 'subdomain', url: `http://${instance.name}.localhost:8080` });
    expect(choices.map(({ mode, whyNot, restarts }) => [mode, whyNot, restarts])).toEqual([
      ['subdomain', null, false],
      ['port', null, false],
      ['path', null, true],
      ['host', null, false],
    ]);
    expect(choices[1]?.url).toMatch(/^http:\/\/localhost:1\d{4}$/);
    expect(choices[2]?.url).toBe(`http://paths.localhost:8080/otree/${instance.name}`);
    expect([former, shared, facts]).toEqual([[], null, null]);
    const bare = await show(instance, manager, { ...ctx, config: loadConfig({ PUBLIC_URL: 'http://192.0.2.7:8080' }) });
    expect(bare.choices.map(({ url }) => url === null)).toEqual([true, false, true, true]);
  });

  it('lists addresses of before with what the way back would give', async () => {
    const port = 10_044;
    const instance = await anInstance(ctx, { addressMode: 'path' });
    await ctx.db.formerAddress.create({ data: { id: newId(), instanceId: instance.id, mode: 'port', port } });
    const { former, choices } = await show(instance);
    expect(former.map(({ mode, url }) => [mode, url])).toEqual([['port', `http://localhost:${port}`]]);
    expect(choices.find(({ mode }) => mode === 'port')?.url).toBe(`http://localhost:${port}`);
  });

  it('of a path names its neighbours to those who may see them, and counts the others', async () => {
    const own = await testContext(env);
    const owner = await aUser(own);
    const rows = [
      await anInstance(own, { name: 'mine', ownerId: owner.id, addressMode: 'path' }),
      await anInstance(own, { name: 'also-mine', ownerId: owner.id, addressMode: 'path' }),
      await anInstance(own, { name: 'of-another', addressMode: 'path' }),
      await anInstance(own, { name: 'elsewhere', ownerId: owner.id }),
      await anInstance(own, { name: 'gone', addressMode: 'path', deletedAt: new Date() }),
    ];
    const instance = await findInstance(own, owner, { name: rows[0]?.name ?? '', action: 'instance.read' });
    const { shared } = await showAddresses(own, owner, { instance, names: askDns(['127.0.0.1:9']) });
    expect(shared).toEqual({ origin: 'http://paths.localhost:8080', names: ['also-mine'], others: 1 });
    await own.close();
  });

  it('of a host name says where it leads and what to ask for', async () => {
    const hostName = `${newId()}.psy.test`;
    const instance = await anInstance(ctx, { addressMode: 'host', hostName });
    expect((await show(instance)).dns).toMatchObject({ hostName, leads: 'unknown', request: expect.stringContaining(hostName) });
  });

  it('on a Dokku host says that it cannot be changed', async () => {
    const instance = await anInstance(ctx);
    const config = loadConfig({ PLATFORM: 'dokku', DOKKU_HOST: 'd.test', DOKKU_DOMAIN: 'x.test' });
    const { fixedBecause, present, choices } = await show(instance, manager, { ...ctx, config });
    expect([fixedBecause === null, present.url, choices.every(({ whyNot }) => whyNot !== null)]).toEqual([false, `http://${instance.name}.x.test`, true]);
  });
});

describe('the list of instances', () => {
  it('says the kind of each', async () => {
    const instance = await anInstance(ctx, { addressMode: 'path' });
    const { instances } = await listInstances(ctx, manager, instanceListQuery.parse({ search: instance.name }));
    expect(instances).toMatchObject([{ addressMode: 'path', url: `http://paths.localhost:8080/otree/${instance.name}` }]);
  });
});
