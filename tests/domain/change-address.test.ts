// Changing an address: every kind to every other one and back, what is refused, and what stays free or taken.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressModes, type AddressMode } from '../../contracts/addresses.ts';
import { listActivity } from '../../domain/activity.ts';
import { findInstance } from '../../domain/access.ts';
import { instanceUrl } from '../../domain/addresses.ts';
import { changeAddress, giveUpAddress, putAddressBack, readAddressChange } from '../../domain/change-address.ts';
import { loadConfig } from '../../domain/config.ts';
import { newId } from '../../domain/ids.ts';
import { createInstance, forgetInstance } from '../../domain/instances.ts';
import { startJob } from '../../domain/start-job.ts';
import { askDns } from '../../domain/system-check-surroundings.ts';
import type { StartJob } from '../../contracts/jobs.ts';
import type { Instance, User } from '../../prisma/client/client.ts';
import { startDns, type DnsServer } from '../dns-server.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

const env = { PUBLIC_URL: 'http://localhost:8080', PATH_URL: 'http://paths.localhost:8080/otree' };
type Change = Extract<StartJob, { kind: 'change-address' }>;

let ctx: TestContext;
let dns: DnsServer;
let manager: User;
beforeAll(async () => {
  [ctx, dns] = await Promise.all([testContext(env), startDns()]);
  manager = await aUser(ctx, { role: 'manager' });
});
afterAll(() => Promise.all([ctx.close(), dns.close()]));

const fresh = (on: TestContext, { name }: Pick<Instance, 'name'>) => findInstance(on, manager, { name, action: 'instance.change-address' });
const endJobs = (on: TestContext, instance: Pick<Instance, 'id'>) =>
  on.db.job.updateMany({ where: { instanceId: instance.id, state: 'queued' }, data: { state: 'succeeded' } });

/** Asks, and lets the job end at once, as if the worker had done it. */
async function change(instance: Pick<Instance, 'id' | 'name'>, wish: Partial<Change> & Pick<Change, 'mode'>, on = ctx) {
  const job = await changeAddress(on, manager, {
    instance: await fresh(on, instance),
    wish: { keepsOld: true, ...wish },
    names: askDns([dns.address]),
  });
  await endJobs(on, instance);
  return readAddressChange(job);
}

const read = (instance: Pick<Instance, 'id'>) => ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id }, include: { formerAddresses: true } });
const hostOf = (instance: Pick<Instance, 'name'>): string => `${instance.name}.own.localhost`;
const wishFor = (instance: Pick<Instance, 'name'>, mode: AddressMode) => ({ mode, ...(mode === 'host' ? { hostName: hostOf(instance) } : {}) });

/** An instance that is reached in this way. */
async function placed(mode: AddressMode): Promise<Instance> {
  const instance = await anInstance(ctx);
  if (mode !== 'subdomain') await change(instance, wishFor(instance, mode));
  await ctx.db.formerAddress.deleteMany({ where: { instanceId: instance.id } });
  return instance;
}

const pairs = addressModes.flatMap((from) => addressModes.filter((to) => to !== from).map((to) => [from, to] as const));

describe('every kind to every other', () => {
  it.each(pairs)('%s to %s: the new one holds, the old one leads to it, and the way back brings the same address', async (from, to) => {
    const instance = await placed(from);
    const before = instanceUrl(ctx.config, await read(instance));
    await change(instance, wishFor(instance, to));
    const moved = await read(instance);
    expect(moved).toMatchObject({ addressMode: to, hostName: to === 'host' ? hostOf(instance) : null });
    expect(moved.port === null).toBe(to !== 'port');
    expect(moved.formerAddresses.map(({ mode }) => mode)).toEqual([from]);
    await change(instance, wishFor(instance, from));
    const back = await read(instance);
    expect(instanceUrl(ctx.config, back)).toBe(before);
    expect(back.formerAddresses.map(({ mode }) => mode)).toEqual([to]);
  });

  it('round through all of them keeps each once', async () => {
    const instance = await anInstance(ctx);
    for (const mode of ['port', 'path', 'host', 'subdomain', 'path', 'port', 'host'] as const) await change(instance, wishFor(instance, mode));
    const { addressMode, formerAddresses } = await read(instance);
    expect([addressMode, ...formerAddresses.map(({ mode }) => mode).toSorted()]).toEqual(['host', 'path', 'port', 'subdomain']);
  });

  it('one host name to another keeps the first', async () => {
    const instance = await placed('host');
    await change(instance, { mode: 'host', hostName: `second.${hostOf(instance)}` });
    const { hostName, formerAddresses } = await read(instance);
    expect([hostName, formerAddresses[0]?.hostName]).toEqual([`second.${hostOf(instance)}`, hostOf(instance)]);
  });

  it('a host name that is its own name below the panel’s is that kind, and never had twice', async () => {
    const instance = await placed('port');
    const hostName = `${instance.name}.localhost`;
    await change(instance, { mode: 'host', hostName });
    expect(await read(instance)).toMatchObject({ addressMode: 'subdomain', hostName: null });
    await expect(change(instance, { mode: 'host', hostName })).rejects.toMatchObject({ code: 'address_unchanged' });
  });

  it('keeps the old one until the job is over, also when it is to be given up', async () => {
    const instance = await placed('port');
    const { port } = await read(instance);
    const { formerId, keepsOld } = await change(instance, { mode: 'subdomain', keepsOld: false });
    expect(keepsOld).toBe(false);
    expect((await read(instance)).formerAddresses).toMatchObject([{ id: formerId, port }]);
  });

  it('is recorded with both addresses and the reason, and open pages hear of the new one', async () => {
    const instance = await anInstance(ctx);
    await change(instance, { mode: 'path', reason: 'the firewall' });
    const audit = await ctx.db.audit.findFirstOrThrow({ where: { instanceId: instance.id, action: 'instance.change-address' } });
    expect(audit.detail).toEqual({
      from: `http://${instance.name}.localhost:8080`,
      to: `http://paths.localhost:8080/otree/${instance.name}`,
      keepsOld: true,
      reason: 'the firewall',
    });
    expect((await listActivity(ctx, instance.id, 1)).activity[0]).toMatchObject({
      text: `moved it from http://${instance.name}.localhost:8080 to http://paths.localhost:8080/otree/${instance.name}, keeping the old address`,
      reason: 'the firewall',
      job: { state: 'succeeded' },
    });
    await ctx.waitForEvent('instance', (_, summary) => summary.id === instance.id && summary.url.endsWith(`/otree/${instance.name}`));
  });
});

describe('what is refused', () => {
  it('the address that it has', async () => {
    for (const mode of addressModes) {
      const instance = await placed(mode);
      await expect(change(instance, wishFor(instance, mode))).rejects.toMatchObject({ code: 'address_unchanged' });
    }
  });

  it('a host name of the panel, of the paths, or of nobody', async () => {
    const instance = await anInstance(ctx);
    for (const hostName of ['localhost', 'paths.localhost'])
      await expect(change(instance, { mode: 'host', hostName })).rejects.toMatchObject({ code: 'host_name_refused', fields: { hostName: expect.any(String) } });
    await expect(change(instance, { mode: 'host' })).rejects.toMatchObject({ code: 'invalid_input', fields: { hostName: 'Type the host name.' } });
  });

  it('a name directly below the panel’s, where instances are given those; deeper ones are free', async () => {
    const instance = await anInstance(ctx);
    await expect(change(instance, { mode: 'host', hostName: 'anything.localhost' })).rejects.toMatchObject({ code: 'host_name_refused' });
    await change(instance, { mode: 'host', hostName: `deep.${instance.name}.localhost` });
  });

  it('a host name that another instance has, or had and keeps; not once it is given up', async () => {
    const [one, two] = [await anInstance(ctx), await anInstance(ctx)];
    const hostName = `${newId()}.lab.localhost`;
    await change(one, { mode: 'host', hostName });
    const refusal = { code: 'host_name_refused', fields: { hostName: expect.stringContaining('nother instance has it') } };
    await expect(change(two, { mode: 'host', hostName })).rejects.toMatchObject(refusal);
    await change(one, { mode: 'subdomain' });
    await expect(change(two, { mode: 'host', hostName })).rejects.toMatchObject(refusal);
    await ctx.db.formerAddress.deleteMany({ where: { instanceId: one.id } });
    await change(two, { mode: 'host', hostName });
    await expect(change(one, { mode: 'host', hostName })).rejects.toMatchObject(refusal);
  });

  it('a host name that does not lead here, unless one goes on knowingly', async () => {
    const instance = await anInstance(ctx);
    const hostName = `${newId()}.psy.test`;
    await expect(change(instance, { mode: 'host', hostName })).rejects.toMatchObject({
      code: 'host_name_elsewhere',
      message: `DNS does not know ${hostName} yet. The address works once it leads here.`,
      hint: expect.stringContaining(`${hostName} A `),
    });
    dns.tell(hostName, ['203.0.113.77']);
    await expect(change(instance, { mode: 'host', hostName })).rejects.toMatchObject({ message: expect.stringContaining('203.0.113.77') });
    await change(instance, { mode: 'host', hostName, isConfirmed: true });
    expect(await read(instance)).toMatchObject({ hostName });
  });

  it('a path without PATH_URL, a name below an address or one that DNS does not know, anything on Dokku', async () => {
    const instance = await fresh(ctx, await anInstance(ctx));
    const ask = (settings: Readonly<Record<string, string>>, mode: AddressMode) =>
      changeAddress({ ...ctx, config: loadConfig(settings) }, manager, { instance, wish: { mode, keepsOld: true } });
    const refusal = (reason: string) => ({ code: 'address_not_here', fields: { mode: expect.stringContaining(reason) } });
    await expect(ask({}, 'path')).rejects.toMatchObject(refusal('PATH_URL'));
    await expect(ask({ PUBLIC_URL: 'http://192.0.2.7:8080', ADDRESS_MODE: 'subdomain' }, 'subdomain')).rejects.toMatchObject(refusal('below an address'));
    await expect(ask({ PUBLIC_URL: 'http://192.0.2.7:8080' }, 'subdomain')).rejects.toMatchObject(refusal('below an address'));
    await expect(ask({ PUBLIC_URL: 'http://no-such-name.invalid' }, 'subdomain')).rejects.toMatchObject(refusal('wildcard entry *.no-such-name.invalid'));
    await expect(ask({ PLATFORM: 'dokku', DOKKU_HOST: 'd.test', DOKKU_DOMAIN: 'x.test' }, 'port')).rejects.toMatchObject(refusal('Dokku'));
  });

  it('a port when all are in use; one that it had and kept it gets back', async () => {
    const few = await testContext({ ...env, INSTANCE_PORTS: '31001-31002' });
    const [one, two, three] = [await anInstance(few), await anInstance(few), await anInstance(few)];
    await change(one, { mode: 'port' }, few);
    await change(two, { mode: 'port' }, few);
    await change(one, { mode: 'subdomain' }, few);
    await expect(change(three, { mode: 'port' }, few)).rejects.toMatchObject({ code: 'address_not_here', fields: { mode: 'Every port is in use.' } });
    const onPorts = { ...few, config: { ...few.config, ADDRESS_MODE: 'port' as const } };
    const owner = await aUser(few);
    await expect(createInstance(onPorts, owner, { name: 'with-a-port', ownerId: owner.id })).rejects.toMatchObject({ code: 'platform_failed' });
    expect(await change(one, { mode: 'port' }, few)).toMatchObject({ to: { port: 31_001 } });
    await change(two, { mode: 'path' }, few);
    await few.db.formerAddress.deleteMany({ where: { instanceId: two.id } });
    expect(await change(three, { mode: 'port' }, few)).toMatchObject({ to: { port: 31_002 } });
    await few.close();
  });

  it('a change while people are in a session, unless there is a reason', async () => {
    const instance = await anInstance(ctx, { state: 'running', facts: { participantsInSession: 3 } });
    const request: Change = { kind: 'change-address', mode: 'port', keepsOld: true };
    const ask = async (reason?: string) =>
      startJob(ctx, manager, { instance: await fresh(ctx, instance), request: { ...request, ...(reason ? { reason } : {}) }, sampleFolder: '' });
    await expect(ask()).rejects.toMatchObject({ code: 'people_in_session' });
    expect((await ask('the network is moved')).kind).toBe('change-address');
  });

  it('a change by a colleague who only operates, or looks', async () => {
    const instance = await anInstance(ctx);
    for (const level of ['operate', 'view'] as const) {
      const colleague = await aUser(ctx);
      await ctx.db.instanceShare.create({ data: { instanceId: instance.id, userId: colleague.id, level } });
      const request: Change = { kind: 'change-address', mode: 'port', keepsOld: true };
      await expect(startJob(ctx, colleague, { instance: await fresh(ctx, instance), request, sampleFolder: '' })).rejects.toMatchObject({
        code: 'not_allowed',
      });
    }
  });
});

describe('several at once', () => {
  it('two changes of one instance: one wins, the other is told', async () => {
    const instance = await fresh(ctx, await anInstance(ctx));
    const ask = (mode: AddressMode) => changeAddress(ctx, manager, { instance, wish: { mode, keepsOld: true } });
    const results = await Promise.allSettled([ask('port'), ask('path')]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'job_in_progress' } });
    expect((await read(instance)).formerAddresses).toHaveLength(1);
  });

  it('ten instances get ten ports, and of two that want one host name one gets it', async () => {
    const many = await Promise.all(Array.from({ length: 10 }, () => anInstance(ctx)));
    const changes = await Promise.all(many.map((instance) => change(instance, { mode: 'port' })));
    expect(new Set(changes.map(({ to }) => to.port)).size).toBe(10);
    const hostName = `${newId()}.lab.localhost`;
    const results = await Promise.allSettled(many.slice(0, 2).map((instance) => change(instance, { mode: 'host', hostName })));
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('the way back after a refusal', () => {
  it.each(pairs)('%s to %s leaves the rows as they were', async (from, to) => {
    const instance = await placed(from);
    await change(instance, wishFor(instance, to));
    await change(instance, wishFor(instance, from));
    const before = await read(instance);
    const undone = await change(instance, wishFor(instance, to));
    await putAddressBack(ctx, instance, undone);
    await putAddressBack(ctx, instance, undone);
    const after = await read(instance);
    const columns = ({ addressMode, port, hostName, formerAddresses }: typeof after) => ({ addressMode, port, hostName, formerAddresses });
    expect(columns(after)).toEqual(columns(before));
  });
});

describe('giving up', () => {
  it('is a job about one address of this instance', async () => {
    const [instance, other] = [await placed('subdomain'), await anInstance(ctx)];
    const { formerId } = await change(instance, { mode: 'port' });
    await expect(giveUpAddress(ctx, manager, { instance: await fresh(ctx, other), formerId })).rejects.toMatchObject({ code: 'not_found' });
    const job = await giveUpAddress(ctx, manager, { instance: await fresh(ctx, instance), formerId });
    expect([job.kind, job.input]).toEqual(['give-up-address', { formerId }]);
    await expect(giveUpAddress(ctx, manager, { instance: await fresh(ctx, instance), formerId })).rejects.toMatchObject({ code: 'job_in_progress' });
  });

  it('needs a reason while people are in a session: some may still use it', async () => {
    const instance = await anInstance(ctx, { state: 'running', facts: { participantsInSession: 2 } });
    const { formerId } = await change(instance, { mode: 'port' });
    const ask = async (reason?: string) => giveUpAddress(ctx, manager, { instance: await fresh(ctx, instance), formerId, reason });
    await expect(ask()).rejects.toMatchObject({ code: 'people_in_session' });
    expect((await ask('nobody has it')).kind).toBe('give-up-address');
  });

  it('happens to all addresses when the instance is deleted', async () => {
    const instance = await placed('port');
    const { port } = await read(instance);
    await change(instance, wishFor(instance, 'host'));
    await forgetInstance(ctx, instance.id);
    expect(await read(instance)).toMatchObject({ port: null, hostName: null, formerAddresses: [] });
    const [next, another] = [await anInstance(ctx), await anInstance(ctx)];
    await ctx.db.instance.update({ where: { id: next.id }, data: { addressMode: 'port', port } });
    await change(another, { mode: 'host', hostName: hostOf(instance) });
  });
});

describe('a new instance', () => {
  it('cannot be called what another one has as a host name of its own', async () => {
    const taken = await anInstance(ctx);
    await ctx.db.instance.update({ where: { id: taken.id }, data: { addressMode: 'host', hostName: 'early-bird.localhost' } });
    await expect(createInstance(ctx, manager, { name: 'early-bird', ownerId: manager.id })).rejects.toMatchObject({ code: 'name_taken' });
    const other = await anInstance(ctx, { name: 'late-bird', addressMode: 'path' });
    await ctx.db.instance.update({ where: { id: taken.id }, data: { hostName: 'late-bird.localhost' } });
    await expect(change(other, { mode: 'subdomain' })).rejects.toMatchObject({ code: 'address_not_here' });
  });
});
