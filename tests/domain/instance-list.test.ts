// The list of instances: words, whose, state, order and pages, and how large a page may become.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { instanceListQuery, type InstanceList } from '../../contracts/instances.ts';
import { listInstances } from '../../domain/instance-list.ts';
import { newId } from '../../domain/ids.ts';
import type { User } from '../../prisma/client/client.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
let manager: User;
let [ada, bob]: User[] = [];
beforeAll(async () => {
  ctx = await testContext();
  manager = await aUser(ctx, { role: 'manager' });
  [ada, bob] = [await aUser(ctx, { name: 'Ada' }), await aUser(ctx, { name: 'bob 50%' })];
  const day = (date: number): Date => new Date(Date.UTC(2026, 0, date));
  await anInstance(ctx, {
    name: 'alpha',
    ownerId: ada.id,
    state: 'running',
    memoryBytes: 5n,
    createdAt: day(3),
    lastActivityAt: day(4),
    observedAt: new Date(),
    facts: { databaseBytes: 7_000_000_000, diskBytes: 12_345, lastParticipantAt: day(5).toISOString() },
  });
  await anInstance(ctx, { name: 'beta', ownerId: bob.id, state: 'running', createdAt: day(1), observedAt: new Date(Date.now() - 600_000) });
  const gamma = await anInstance(ctx, { name: 'gamma', ownerId: bob.id, state: 'waiting', memoryBytes: 9n, createdAt: day(2), lastActivityAt: day(9) });
  await anInstance(ctx, { name: 'gone', ownerId: ada.id, deletedAt: new Date() });
  await ctx.db.instanceShare.create({ data: { instanceId: gamma.id, userId: ada.id, level: 'view' } });
});
afterAll(() => ctx.close());

const list = (person: User | undefined, query: object = {}): Promise<InstanceList> => listInstances(ctx, person ?? manager, instanceListQuery.parse(query));
const names = async (person: User | undefined, query: object = {}): Promise<string[]> => (await list(person, query)).instances.map(({ name }) => name);

describe('the list', () => {
  it('has what one owns and what is shared, each to be asked for alone', async () => {
    expect(await names(ada)).toEqual(['alpha', 'gamma']);
    expect(await names(ada, { filter: 'mine' })).toEqual(['alpha']);
    expect(await names(ada, { filter: 'shared' })).toEqual(['gamma']);
    expect(await names(manager)).toEqual(['alpha', 'beta', 'gamma']);
    expect(await names(manager, { owner: bob?.id })).toEqual(['beta', 'gamma']);
  });

  it('finds every word in name or owner, and takes signs of SQL for what they are', async () => {
    expect(await names(manager, { search: 'BOB gam' })).toEqual(['gamma']);
    expect(await names(manager, { search: '50%' })).toEqual(['beta', 'gamma']);
    expect(await names(manager, { search: '_' })).toEqual([]);
    expect(await names(manager, { search: String.raw`'; DROP TABLE "user" --\ ` })).toEqual([]);
  });

  it('counts states with the other wishes, and shows as unknown what nobody has looked at', async () => {
    const all = await list(manager);
    expect(all.states).toEqual([
      { state: 'waiting', count: 1 },
      { state: 'running', count: 1 },
      { state: 'unknown', count: 1 },
    ]);
    expect(all.instances.find(({ name }) => name === 'beta')?.state).toBe('unknown');
    expect(await list(manager, { state: 'unknown' })).toMatchObject({ total: 1, visible: 3, instances: [{ name: 'beta' }] });
    expect((await list(ada)).owners.map(({ name, count }) => [name, count])).toEqual([
      ['Ada', 1],
      ['bob 50%', 1],
    ]);
  });

  it.each([
    [{ sort: 'activity' }, ['gamma', 'alpha', 'beta']],
    [{ sort: 'created' }, ['alpha', 'gamma', 'beta']],
    [{ sort: 'created', order: 'asc' }, ['beta', 'gamma', 'alpha']],
    [{ sort: 'owner' }, ['alpha', 'beta', 'gamma']],
    [{ sort: 'memory' }, ['gamma', 'alpha', 'beta']],
    [{ sort: 'name', order: 'desc' }, ['gamma', 'beta', 'alpha']],
  ])('sorts by %j', async (query, expected) => {
    expect(await names(manager, query)).toEqual(expected);
  });

  it('says what each takes and when a participant was last there', async () => {
    const [alpha, beta] = (await list(manager)).instances;
    const used = { memoryBytes: 5, databaseBytes: 7_000_000_000, diskBytes: 12_345, lastParticipantAt: '2026-01-05T00:00:00.000Z' };
    expect(alpha).toMatchObject({ ...used, createdAt: '2026-01-03T00:00:00.000Z', lastActivityAt: '2026-01-04T00:00:00.000Z' });
    expect(beta).toMatchObject({ memoryBytes: null, databaseBytes: null, diskBytes: null, lastParticipantAt: null, lastActivityAt: null });
  });

  it('brings the job under way and the last deployment along', async () => {
    const { id } = await anInstance(ctx, { name: 'with-job', ownerId: (await aUser(ctx)).id });
    const job = await ctx.db.job.create({ data: { id: newId(), kind: 'restart', instanceId: id, state: 'running', startedAt: new Date(), actorName: 'Ada' } });
    const endedAt = new Date();
    await ctx.db.deployment.create({
      data: {
        id: newId(),
        instanceId: id,
        number: 1,
        commit: 'a'.repeat(40),
        message: '',
        author: '',
        branch: 'main',
        createdByName: 'x',
        state: 'succeeded',
        otreeVersion: '6.0.15',
        endedAt,
      },
    });
    const [row] = (await list(manager, { search: 'with-job' })).instances;
    expect(row).toMatchObject({ otreeVersion: '6.0.15', lastDeployedAt: endedAt.toISOString(), job: { id: job.id, title: 'Restart', actorName: 'Ada' } });
    expect(row?.job?.createdAt).toBe(job.createdAt.toISOString());
  });
});

describe('a page', () => {
  it('has at most 50 rows and 40 KB, whatever their number; one past the end is the last one', async () => {
    const lab = await aUser(ctx, { name: 'Crowd' });
    const { panelRooms: _, ...template } = await anInstance(ctx, { ownerId: lab.id });
    await ctx.db.instance.createMany({
      data: Array.from({ length: 130 }, (_, at) => ({
        ...template,
        id: newId(),
        name: `crowd-${String(at).padStart(3, '0')}`,
        project: {},
        facts: {},
        lastTraceback: {},
      })),
    });
    const third = await list(manager, { owner: lab.id, page: 3 });
    expect([third.instances.length, third.pages, third.total]).toEqual([31, 3, 131]);
    expect((await list(manager, { owner: lab.id, page: 99 })).page).toBe(3);
    const first = await list(manager, { owner: lab.id });
    expect(first.instances).toHaveLength(50);
    expect(Buffer.byteLength(JSON.stringify(first))).toBeLessThan(40 * 1024);
  });
});
