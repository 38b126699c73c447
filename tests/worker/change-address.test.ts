// The jobs that open another address and close one of before: what door and platform are asked for, and the way back.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findInstance } from '../../domain/access.ts';
import { changeAddress, giveUpAddress } from '../../domain/change-address.ts';
import type { WorkerContext } from '../../domain/context.ts';
import { newId } from '../../domain/ids.ts';
import { AppError } from '../../contracts/errors.ts';
import type { AddressMode } from '../../contracts/addresses.ts';
import type { FrontDoorRoute } from '../../platforms/front-door.ts';
import type { InstanceSpec, Observation } from '../../platforms/platform.ts';
import type { User } from '../../prisma/client/client.ts';
import { runJob } from '../../worker/run-job.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
let manager: User;
beforeAll(async () => {
  ctx = await testContext({ PATH_URL: 'http://paths.localhost:8080/otree' });
  manager = await aUser(ctx, { role: 'manager' });
});
afterAll(() => ctx.close());

type Faults = { readonly door?: (route: FrontDoorRoute) => Error | null; readonly start?: (spec: InstanceSpec) => Error | null };

/** A worker whose door and platform write down what they are asked for, and refuse what the test says. */
function aWorker(faults: Faults = {}) {
  const asked: string[] = [];
  const routes: FrontDoorRoute[] = [];
  const seen: Observation = { state: 'running', detail: null, exitCode: null, restarts: 0, memoryBytes: 1, diskBytes: null, webProcesses: 1, startedAt: null };
  const answer = (name: string, error?: Error | null): Promise<void> => {
    asked.push(error ? `${name} refused` : name);
    return error ? Promise.reject(error) : Promise.resolve();
  };
  const platform = {
    stop: () => answer('stop'),
    configure: ({ pathPrefix }: InstanceSpec) => answer(`configure “${pathPrefix}”`),
    start: (spec: InstanceSpec) => answer('start', faults.start?.(spec)),
    observe: (ids: readonly string[]) => Promise.resolve(new Map(ids.map((id) => [id, seen]))),
    upstreamSocket: () => '/none',
  };
  const frontDoor = {
    applyOne: (_id: string, route: FrontDoorRoute) => {
      const error = faults.door?.(route);
      if (!error) routes.push(route);
      return answer(`route ${route.address.mode}`, error);
    },
  };
  return { asked, routes, worker: { ...ctx, platform, frontDoor } as unknown as WorkerContext };
}

const never = new AbortController().signal;

async function place(isRunning = true) {
  const row = await anInstance(ctx, { state: isRunning ? 'running' : 'stopped', intent: isRunning ? 'run' : 'stop' });
  const deployment = await ctx.db.deployment.create({
    data: { id: newId(), instanceId: row.id, number: 1, commit: 'a'.repeat(40), message: '', author: '', branch: 'main', createdByName: 'test' },
  });
  await ctx.db.instance.update({ where: { id: row.id }, data: { currentDeploymentId: deployment.id } });
  const find = () => findInstance(ctx, manager, { name: row.name, action: 'instance.change-address' });
  return {
    name: row.name,
    ask: async (mode: AddressMode, keepsOld = true) =>
      (
        await changeAddress(ctx, manager, {
          instance: await find(),
          wish: { mode, keepsOld, ...(mode === 'host' ? { hostName: `${row.name}.lab.localhost` } : {}) },
        })
      ).id,
    giveUp: async (formerId: string) => (await giveUpAddress(ctx, manager, { instance: await find(), formerId })).id,
    read: () => ctx.db.instance.findUniqueOrThrow({ where: { id: row.id }, include: { formerAddresses: true } }),
  };
}

const end = (jobId: string) => ctx.db.job.findUniqueOrThrow({ where: { id: jobId } });
const refusal = new AppError('platform_failed', { reason: 'nginx: bind() failed (98: Address already in use).' });

describe('changing an address', () => {
  it.each([
    ['subdomain', 'port'],
    ['port', 'host'],
    ['host', 'subdomain'],
  ] as const)('from %s to %s touches the front door only: nobody waits for a restart', async (from, to) => {
    const instance = await place();
    if (from !== 'subdomain') await runJob(aWorker().worker, await instance.ask(from, false), never);
    const { asked, routes, worker } = aWorker();
    const jobId = await instance.ask(to);
    await runJob(worker, jobId, never);
    expect((await end(jobId)).state).toBe('succeeded');
    expect(asked).toEqual([`route ${to === 'port' ? 'port' : 'name'}`]);
    expect(routes[0]?.redirects).toMatchObject([{ mode: from === 'port' ? 'port' : 'name' }]);
  });

  it.each([
    ['subdomain', 'path'],
    ['path', 'host'],
  ] as const)('from %s to %s starts oTree anew, with its path or without', async (from, to) => {
    const instance = await place();
    if (from === 'path') await runJob(aWorker().worker, await instance.ask('path'), never);
    const { asked, worker } = aWorker();
    const jobId = await instance.ask(to);
    await runJob(worker, jobId, never);
    expect((await end(jobId)).state).toBe('succeeded');
    const [prefix, route] = to === 'path' ? [`/otree/${instance.name}`, 'path'] : ['', 'name'];
    expect(asked).toEqual(['stop', `route ${route}`, `configure “${prefix}”`, 'start', `route ${route}`]);
    expect(await instance.read()).toMatchObject({ state: 'running', addressMode: to });
  });

  it('of a stopped one keeps the path for its next start', async () => {
    const instance = await place(false);
    const { asked, worker } = aWorker();
    await runJob(worker, await instance.ask('path'), never);
    expect(asked).toEqual(['route path', `configure “/otree/${instance.name}”`]);
  });

  it('without keeping the old one closes it at the end, and not before', async () => {
    const instance = await place();
    const { routes, worker } = aWorker();
    await runJob(worker, await instance.ask('port', false), never);
    expect(routes.map(({ redirects }) => redirects.length)).toEqual([1, 0]);
    expect((await instance.read()).formerAddresses).toEqual([]);
  });

  it('that is run once more after it was cut off ends the same', async () => {
    const instance = await place();
    const jobId = await instance.ask('path', false);
    const cut = new AbortController();
    const first = aWorker({
      start: () => {
        cut.abort(new Error('the worker stops'));
        return new Error('cut off');
      },
    });
    await runJob(first.worker, jobId, cut.signal);
    expect((await instance.read()).addressMode).toBe('path');
    await ctx.db.job.update({ where: { id: jobId }, data: { state: 'queued' } });
    const { asked, worker } = aWorker();
    await runJob(worker, jobId, never);
    expect((await end(jobId)).state).toBe('succeeded');
    expect(asked).toEqual(['stop', 'route path', `configure “/otree/${instance.name}”`, 'start', 'route path', 'route path']);
    expect((await instance.read()).formerAddresses).toEqual([]);
  });
});

describe('an address that cannot be opened', () => {
  it('gives place to the one before, and the job says so', async () => {
    const instance = await place();
    const { asked, routes, worker } = aWorker({ door: ({ address }) => (address.mode === 'port' ? refusal : null) });
    const jobId = await instance.ask('port', false);
    await runJob(worker, jobId, never);
    expect(asked).toEqual(['route port refused', 'route name']);
    expect(routes.at(-1)?.redirects).toEqual([]);
    expect(await instance.read()).toMatchObject({ addressMode: 'subdomain', port: null, formerAddresses: [] });
    const { state, errorCode, errorDetails } = await end(jobId);
    expect([state, errorCode]).toEqual(['failed', 'address_put_back']);
    expect(errorDetails).toMatchObject({ address: expect.stringMatching(/^http:\/\/localhost:\d+$/), reason: expect.stringContaining('already in use') });
  });

  it('because oTree does not start under its path: it runs again where it was', async () => {
    const instance = await place();
    const fault = new AppError('start_failed', { seconds: 60, lastLine: 'no such seam' });
    const { asked, worker } = aWorker({ start: ({ pathPrefix }) => (pathPrefix === '' ? null : fault) });
    const jobId = await instance.ask('path');
    await runJob(worker, jobId, never);
    const path = `configure “/otree/${instance.name}”`;
    expect(asked).toEqual(['stop', 'route path', path, 'start refused', 'route name', 'stop', 'configure “”', 'start']);
    expect(await instance.read()).toMatchObject({ addressMode: 'subdomain', state: 'running', formerAddresses: [] });
    expect((await end(jobId)).errorDetails).toMatchObject({ reason: fault.message, hint: fault.hint });
  });

  it('was put back already when the worker died: the next one brings that to its end', async () => {
    const instance = await place();
    const jobId = await instance.ask('port');
    const first = aWorker({ door: () => refusal });
    await runJob(first.worker, jobId, never);
    expect((await instance.read()).addressMode).toBe('subdomain');
    await ctx.db.job.update({ where: { id: jobId }, data: { state: 'queued' } });
    const { asked, worker } = aWorker();
    await runJob(worker, jobId, never);
    expect(asked).toEqual(['route name']);
    expect((await end(jobId)).errorCode).toBe('address_put_back');
  });
});

describe('giving up an address', () => {
  it('frees it only after the front door has let go of it', async () => {
    const instance = await place();
    await runJob(aWorker().worker, await instance.ask('port'), never);
    const [former] = (await instance.read()).formerAddresses;
    const refusing = aWorker({ door: () => refusal });
    const failing = await instance.giveUp(former?.id ?? '');
    await runJob(refusing.worker, failing, never);
    expect([(await end(failing)).state, (await instance.read()).formerAddresses.length]).toEqual(['failed', 1]);
    const { routes, worker } = aWorker();
    const jobId = await instance.giveUp(former?.id ?? '');
    await runJob(worker, jobId, never);
    await runJob(worker, jobId, never);
    expect((await end(jobId)).state).toBe('succeeded');
    expect(routes.map(({ redirects }) => redirects)).toEqual([[]]);
    expect((await instance.read()).formerAddresses).toEqual([]);
  });
});
