// The environment of an experiment: sealed values, reserved names, what a start gets and what a log never shows.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeEnvironmentSchema, whyReserved } from '../../contracts/environment.ts';
import { findInstance } from '../../domain/access.ts';
import { changeEnvironment, hideValues, readEnvironment, revealVariable } from '../../domain/environment-variables.ts';
import { newId } from '../../domain/ids.ts';
import { loadStartable, specOf } from '../../domain/specs.ts';
import { startJob } from '../../domain/start-job.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

async function anOwned(fields: Parameters<typeof anInstance>[1] = {}) {
  const owner = await aUser(ctx);
  const row = await anInstance(ctx, { ownerId: owner.id, ...fields });
  const instance = await findInstance(ctx, owner, { name: row.name, action: 'instance.set-environment' });
  const set = (...pairs: [string, string][]) => changeEnvironment(ctx, owner, { instance, change: { set: pairs.map(([name, value]) => ({ name, value })) } });
  return { owner, instance, set };
}

async function aRunning() {
  const made = await anOwned({ state: 'running' });
  const deployment = await ctx.db.deployment.create({
    data: { id: newId(), instanceId: made.instance.id, number: 1, commit: 'a'.repeat(40), message: '', author: '', branch: 'main', createdByName: 'test' },
  });
  await ctx.db.instance.update({ where: { id: made.instance.id }, data: { currentDeploymentId: deployment.id } });
  return { ...made, instance: { ...made.instance, currentDeploymentId: deployment.id } };
}

const opened = async (instanceId: string): Promise<Record<string, string>> => {
  const { environment } = specOf(ctx, await loadStartable(ctx, instanceId));
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value.open()]));
};

describe('variables', () => {
  it('reach the experiment with several lines, and are sealed in the database', async () => {
    const { instance, set } = await anOwned();
    await set(['API_KEY', 'line one\nline two'], ['EMPTY', '']);
    expect(await opened(instance.id)).toMatchObject({ API_KEY: 'line one\nline two', EMPTY: '', OTREE_AUTH_LEVEL: 'STUDY', OTREE_PRODUCTION: '1' });
    const rows = await ctx.db.environmentVariable.findMany({ where: { instanceId: instance.id } });
    expect(JSON.stringify(rows)).not.toContain('line one');
    // Bound to its place: moved to another name, it does not open.
    await ctx.db.environmentVariable.update({ where: { instanceId_name: { instanceId: instance.id, name: 'EMPTY' } }, data: { value: rows[0]?.value ?? '' } });
    await expect(opened(instance.id)).rejects.toThrow();
  });

  it('are listed without values, and a value that is shown is recorded', async () => {
    const { owner, instance, set } = await anOwned();
    await set(['API_KEY', 'very secret']);
    const view = await readEnvironment(ctx, instance.id);
    expect(view.variables).toMatchObject([{ name: 'API_KEY', updatedByName: owner.name }]);
    expect(JSON.stringify(view)).not.toContain('very secret');
    expect(await revealVariable(ctx, owner, { instance, name: 'API_KEY' })).toBe('very secret');
    const audit = await ctx.db.audit.findMany({ where: { instanceId: instance.id } });
    expect(audit.map(({ action }) => action)).toContain('instance.reveal-variable');
    expect(JSON.stringify(audit, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).not.toContain('very secret');
  });

  it.each([
    'OTREE_ADMIN_PASSWORD',
    'OTREE_AUTH_LEVEL',
    'OTREE_PRODUCTION',
    'OTREE_SECRET_KEY',
    'OTREE_REST_KEY',
    'DATABASE_URL',
    'PATH',
    'PYTHONPATH',
    'LD_PRELOAD',
    'ARBORETUM_X',
  ])('are refused with a sentence when the panel needs the name: %s', async (name) => {
    const { set } = await anOwned();
    expect(whyReserved(name)).toMatch(/\.$/);
    await expect(set([name, 'x'])).rejects.toMatchObject({ code: 'variable_reserved', fields: { name: expect.stringContaining(name) as string } });
  });

  it.each([
    ['lower', 'x'],
    ['1ST', 'x'],
    ['A-B', 'x'],
    ['GOOD', 'x\0y'],
    ['GOOD', 'x'.repeat(32 * 1024 + 1)],
  ])('are refused when the form is wrong: %s', (name, value) => {
    expect(changeEnvironmentSchema.safeParse({ set: [{ name, value }] }).success).toBe(false);
  });

  it('are at most 100, and nothing of a change that is too much is kept', async () => {
    const { instance, set } = await anOwned();
    await set(...Array.from({ length: 99 }, (_, at): [string, string] => [`V${at}`, 'x']));
    await expect(set(['ONE', 'x'], ['TWO', 'x'])).rejects.toMatchObject({ code: 'too_many_variables' });
    expect(await ctx.db.environmentVariable.count({ where: { instanceId: instance.id } })).toBe(99);
  });

  it('never stand in what a job writes', async () => {
    const { instance, set } = await anOwned();
    await set(['API_KEY', 'sk-123456789\nsecond line of it'], ['SHORT', 'on']);
    const hide = hideValues(ctx, await loadStartable(ctx, instance.id));
    expect(hide('key=sk-123456789; second line of it; on')).toBe('key=[redacted]; [redacted]; on');
  });
});

describe('auth level and production', () => {
  it('switched off reach oTree as off', async () => {
    const { owner, instance } = await anOwned();
    await changeEnvironment(ctx, owner, { instance, change: { authLevel: '', isProduction: false } });
    expect(await opened(instance.id)).toEqual({ OTREE_AUTH_LEVEL: '', OTREE_PRODUCTION: '' });
  });
});

describe('a change', () => {
  it('waits for a start that began after it', async () => {
    const { owner, instance, set } = await aRunning();
    await set(['A', 'x']);
    const changed = await readEnvironment(ctx, instance.id);
    expect(changed.pendingSince).not.toBeNull();
    const job = await startJob(ctx, owner, { instance, request: { kind: 'set-environment' }, sampleFolder: '' });
    expect(job.input).toEqual({});
    await ctx.db.job.update({ where: { id: job.id }, data: { state: 'succeeded', startedAt: new Date() } });
    expect((await readEnvironment(ctx, instance.id)).pendingSince).toBeNull();
  });

  it('is applied only with a reason while people are in a session', async () => {
    const { owner, instance } = await aRunning();
    const busy = { ...instance, facts: { participantsInSession: 2 } };
    await expect(startJob(ctx, owner, { instance: busy, request: { kind: 'set-environment' }, sampleFolder: '' })).rejects.toMatchObject({
      code: 'people_in_session',
    });
    await startJob(ctx, owner, { instance: busy, request: { kind: 'set-environment', reason: 'wrong key' }, sampleFolder: '' });
  });
});

describe('limits', () => {
  it('are those of the instance, else those of the panel', async () => {
    const { instance } = await anOwned({ memoryMib: 512 });
    expect(specOf(ctx, instance).limits).toMatchObject({ memoryMib: 512, diskMib: ctx.config.INSTANCE_DISK_MIB });
  });

  it('and the number of processes are stored with the job that applies them', async () => {
    const { instance } = await aRunning();
    const manager = await aUser(ctx, { role: 'manager' });
    await startJob(ctx, manager, { instance, request: { kind: 'scale', processes: 0, memoryMib: 768, diskMib: null }, sampleFolder: '' });
    expect(await ctx.db.instance.findUnique({ where: { id: instance.id } })).toMatchObject({ intent: 'stop', memoryMib: 768, diskMib: null });
  });
});
