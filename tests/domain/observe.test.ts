// Observing: what the platform says becomes the state, unless a job knows better; intent and state come together.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listActivity } from '../../domain/activity.ts';
import { systemActor, type WorkerContext } from '../../domain/context.ts';
import { readFacts } from '../../domain/facts.ts';
import { guard } from '../../domain/guard.ts';
import { newId } from '../../domain/ids.ts';
import { halfDeleted, setState } from '../../domain/instance-state.ts';
import { requestJob } from '../../domain/jobs.ts';
import { observeInstances, reconcileInstances, stateOf } from '../../domain/observe.ts';
import type { Observation } from '../../platforms/platform.ts';
import type { Instance } from '../../prisma/client/client.ts';
import { anInstance, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const seenAs = (state: Observation['state']): Observation => ({
  state,
  detail: null,
  exitCode: null,
  restarts: 0,
  memoryBytes: 1,
  diskBytes: null,
  webProcesses: state === 'running' ? 1 : 0,
  startedAt: null,
});

/** A worker whose platform sees every instance in one state; nothing else of a platform is asked here. */
const workerThatSees = (state: Observation['state'], more: Partial<Observation> = {}): WorkerContext => {
  const platform = { observe: (ids: readonly string[]) => Promise.resolve(new Map(ids.map((id) => [id, { ...seenAs(state), ...more }]))) };
  return { ...ctx, platform, frontDoor: {} } as unknown as WorkerContext;
};

async function aDeployed(fields: Partial<Pick<Instance, 'intent' | 'state'>> = {}): Promise<Instance> {
  const instance = await anInstance(ctx, { state: 'running', ...fields });
  const deployment = await ctx.db.deployment.create({
    data: { id: newId(), instanceId: instance.id, number: 1, commit: 'a'.repeat(40), message: '', author: '', branch: 'main', createdByName: 'test' },
  });
  return ctx.db.instance.update({ where: { id: instance.id }, data: { currentDeploymentId: deployment.id } });
}

const stateNow = async ({ id }: Instance): Promise<string> => (await ctx.db.instance.findUniqueOrThrow({ where: { id } })).state;

describe('observing', () => {
  it('writes what is seen and shows it to those who may see it', async () => {
    const instance = await aDeployed();
    ctx.recorded.length = 0;
    await observeInstances(workerThatSees('crashed'), { only: instance.id });
    expect(await stateNow(instance)).toBe('crashed');
    const shown = ctx.recorded.find((event) => event.name === 'instance' && event.values[1].state === 'crashed');
    expect(shown?.values[0]).toEqual({ instanceId: instance.id, ownerId: instance.ownerId, sharedWith: [] });
  });

  it('says nothing new when nothing is new', async () => {
    const instance = await aDeployed();
    await observeInstances(workerThatSees('running'), { only: instance.id });
    ctx.recorded.length = 0;
    await observeInstances(workerThatSees('running'), { only: instance.id });
    expect(ctx.recorded).toEqual([]);
  });

  it('that nobody can do makes it unknown, with the age of the last look, and those who play still count', async () => {
    const instance = await aDeployed();
    const observedAt = new Date(Date.now() - 60_000);
    await ctx.db.instance.update({ where: { id: instance.id }, data: { observedAt, facts: { participantsInSession: 3 } } });
    await observeInstances(workerThatSees('unknown', { detail: 'The host is away.' }), { only: instance.id });
    const row = await ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id } });
    expect(row).toMatchObject({ state: 'unknown', stateDetail: 'The host is away.', observedAt });
    expect(() => guard(row, undefined)).toThrow('3');
    await reconcileInstances(workerThatSees('unknown'));
    expect(await ctx.db.job.count({ where: { instanceId: instance.id } })).toBe(0);
    await observeInstances(workerThatSees('running'), { only: instance.id });
    expect(await stateNow(instance)).toBe('running');
  });

  it('does not call a deletion that stopped half-way anything else', async () => {
    const instance = await aDeployed({ state: 'deleting' });
    await setState(ctx, instance.id, { state: 'unknown', detail: halfDeleted });
    for (const seen of ['unknown', 'absent'] as const) await observeInstances(workerThatSees(seen, { detail: 'away' }), { only: instance.id });
    expect(await ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id } })).toMatchObject({ state: 'unknown', stateDetail: halfDeleted });
  });

  it('keeps what its files take when it moved by more than a twentieth, beside the other facts', async () => {
    const instance = await aDeployed();
    await ctx.db.instance.update({ where: { id: instance.id }, data: { facts: { rows: 12 } } });
    const facts = async () => readFacts(await ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id } }));
    const sizes: (number | null)[] = [];
    for (const diskBytes of [null, 0, 1000, 1040, 1100, null]) {
      await observeInstances(workerThatSees('running', { diskBytes }), { only: instance.id });
      sizes.push((await facts()).diskBytes);
    }
    expect(sizes).toEqual([null, 0, 1000, 1000, 1100, 1100]);
    expect((await facts()).rows).toBe(12);
  });

  it('keeps whether its data are on a server of its own, and forgets it nowhere that cannot tell', async () => {
    const instance = await aDeployed();
    const own: boolean[] = [];
    for (const more of [{}, { hasOwnDatabaseServer: true }, {}, { hasOwnDatabaseServer: false }]) {
      await observeInstances(workerThatSees('running', more), { only: instance.id });
      own.push(readFacts(await ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id } })).hasOwnDatabaseServer);
    }
    expect(own).toEqual([false, true, true, false]);
  });

  it('keeps on which host it runs, says when it moved, and forgets it where it runs on none', async () => {
    const instance = await aDeployed();
    const hosts: (string | null)[] = [];
    for (const more of [{}, { host: 'lab-1' }, { host: 'lab-2' }, {}]) {
      ctx.recorded.length = 0;
      await observeInstances(workerThatSees('running', more), { only: instance.id });
      hosts.push(readFacts(await ctx.db.instance.findUniqueOrThrow({ where: { id: instance.id } })).host);
      if (more.host !== undefined) expect(ctx.recorded.map(({ name }) => name)).toContain('instance');
    }
    expect(hosts).toEqual([null, 'lab-1', 'lab-2', null]);
  });

  it('leaves the state to a job that runs', async () => {
    const instance = await aDeployed({ state: 'stopping' });
    const job = await ctx.db.$transaction((tx) => requestJob(tx, systemActor, { kind: 'stop', instanceId: instance.id }));
    await ctx.db.job.update({ where: { id: job.id }, data: { state: 'running' } });
    await observeInstances(workerThatSees('running'), { only: instance.id });
    expect(await stateNow(instance)).toBe('stopping');
    await observeInstances(workerThatSees('stopped'), { only: instance.id, isJobOver: true });
    expect(await stateNow(instance)).toBe('stopped');
  });

  it('shows an instance without a project as waiting, whatever the platform says', () => {
    expect(stateOf({ currentDeploymentId: null }, seenAs('stopped'))).toBe('waiting');
    expect(stateOf({ currentDeploymentId: 'x' }, seenAs('absent'))).toBe('stopped');
  });
});

describe('reconciling', () => {
  it('starts what is meant to run and stops what is not, once', async () => {
    const [meantToRun, meantToStop, well] = [await aDeployed({ state: 'stopped' }), await aDeployed({ intent: 'stop' }), await aDeployed()];
    await reconcileInstances(workerThatSees('stopped'));
    await reconcileInstances(workerThatSees('stopped'));
    const kinds = async ({ id }: Instance): Promise<string[]> => (await ctx.db.job.findMany({ where: { instanceId: id } })).map(({ kind }) => kind);
    expect(await kinds(meantToRun)).toEqual(['start']);
    expect(await kinds(meantToStop)).toEqual(['stop']);
    expect(await kinds(well)).toEqual([]);
    // What the panel does by itself stands beside what people do, with its reason and its result.
    const jobId = (await ctx.db.job.findFirstOrThrow({ where: { instanceId: meantToRun.id } })).id;
    const { activity } = await listActivity(ctx, meantToRun.id, 1);
    expect(activity).toMatchObject([{ actorName: 'Arboretum', text: 'started it', reason: 'It is meant to run and did not.', job: { id: jobId } }]);
    expect((await listActivity(ctx, meantToStop.id, 1)).activity).toMatchObject([{ actorName: 'Arboretum', text: 'stopped it' }]);
    expect((await ctx.db.instance.findUniqueOrThrow({ where: { id: meantToRun.id } })).lastActivityAt).toBeNull();
  });
});
