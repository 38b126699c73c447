// The rules of git: who reaches a repository, which push is taken, what it sets going.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adoptHeads, deploySample } from '../../domain/deployments.ts';
import { makeGitAccess } from '../../domain/git-access.ts';
import { newId } from '../../domain/ids.ts';
import { createRepository } from '../../domain/repositories.ts';
import { removeSshKey } from '../../domain/ssh-keys.ts';
import type { Instance, User } from '../../prisma/client/client.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
let sampleFolder = '';
const commitId = 'a'.repeat(40);
const none = '0'.repeat(40);

beforeAll(async () => {
  ctx = await testContext();
  mkdirSync(ctx.config.layout.repositoriesDir, { recursive: true });
  sampleFolder = path.join(ctx.config.layout.dataDir, 'sample');
  mkdirSync(sampleFolder);
  writeFileSync(path.join(sampleFolder, 'settings.py'), 'SESSION_CONFIGS = []\n');
});
afterAll(() => ctx.close());

async function aPusher(person: User) {
  const key = await ctx.db.sshKey.create({
    data: { id: newId(), userId: person.id, name: 'k', type: 'ssh-ed25519', publicKey: newId(), fingerprint: `SHA256:${newId()}` },
  });
  const found = await makeGitAccess(ctx).findPerson(key.fingerprint);
  if (!found) throw new Error('the key was not found');
  return found;
}

async function aRepository(fields: Partial<Pick<Instance, 'deployBranch' | 'state' | 'name'>> = {}) {
  const owner = await aUser(ctx);
  const instance = await anInstance(ctx, { ownerId: owner.id, ...fields });
  await createRepository(ctx.config.layout, instance.id);
  return { owner, instance, pusher: await aPusher(owner) };
}

const update = (branch: string, newCommit = commitId) => ({
  updates: [{ ref: branch.startsWith('refs/') ? branch : `refs/heads/${branch}`, oldCommit: none, newCommit }],
  options: [] as string[],
});

describe('a repository', () => {
  const access = () => makeGitAccess(ctx);

  it('is there for its owner and a manager, and not there for anybody else', async () => {
    const { instance, pusher } = await aRepository();
    const [stranger, manager] = [await aPusher(await aUser(ctx)), await aPusher(await aUser(ctx, { role: 'manager' }))];
    for (const command of ['git-receive-pack', 'git-upload-pack'] as const) {
      expect(await access().openRepository(pusher, instance.name, command)).toMatchObject({ instanceId: instance.id });
      expect(await access().openRepository(manager, instance.name, command)).toMatchObject({ instanceId: instance.id });
      await expect(access().openRepository(stranger, instance.name, command)).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it('closes at once for a removed key and a disabled person', async () => {
    const { instance, owner, pusher } = await aRepository();
    await removeSshKey(ctx, owner, pusher.keyId);
    await expect(access().openRepository(pusher, instance.name, 'git-receive-pack')).rejects.toMatchObject({ code: 'not_found' });
    const second = await aPusher(owner);
    await ctx.db.user.update({ where: { id: owner.id }, data: { disabledAt: new Date() } });
    await expect(access().openRepository(second, instance.name, 'git-receive-pack')).rejects.toMatchObject({ code: 'not_found' });
    expect(await access().findPerson((await ctx.db.sshKey.findUniqueOrThrow({ where: { id: second.keyId } })).fingerprint)).toBeNull();
  });

  it('remembers when a key was last used', async () => {
    const { instance, pusher } = await aRepository();
    await access().openRepository(pusher, instance.name, 'git-upload-pack');
    expect((await ctx.db.sshKey.findUniqueOrThrow({ where: { id: pusher.keyId } })).lastUsedAt).not.toBeNull();
  });

  it.each(['creating', 'failed', 'deleting'])('of an instance that is %s takes no push', async (state) => {
    const { instance, pusher } = await aRepository({ state });
    await expect(access().openRepository(pusher, instance.name, 'git-receive-pack')).rejects.toMatchObject({ code: 'push_refused' });
  });
});

describe('a push', () => {
  const judge = async (fields: Parameters<typeof aRepository>[0], push: ReturnType<typeof update>) => {
    const { instance, pusher } = await aRepository(fields);
    return makeGitAccess(ctx).judgePush(pusher, { instanceId: instance.id, name: instance.name, directory: '', maxPushMib: 1 }, push);
  };

  it('of main or master is taken when no branch is set, and of the set branch only when one is', async () => {
    expect(await judge({}, update('main'))).toEqual({ allowed: true });
    expect(await judge({}, update('master'))).toEqual({ allowed: true });
    expect(await judge({}, update('refs/tags/v1'))).toEqual({ allowed: true });
    expect(await judge({ deployBranch: 'study-2' }, update('study-2'))).toEqual({ allowed: true });
    expect(await judge({ deployBranch: 'study-2' }, update('main'))).toMatchObject({ allowed: false, hint: expect.stringContaining('main:study-2') });
    expect(await judge({}, update('feature'))).toMatchObject({ allowed: false, hint: expect.stringContaining('feature:main') });
    expect(await judge({}, update('refs/notes/x'))).toMatchObject({ allowed: false });
    expect(await judge({}, update('main', none))).toMatchObject({ allowed: false, reason: expect.stringContaining('cannot be deleted') });
  });

  it('waits for people in a session, unless it brings a reason, which is recorded', async () => {
    const { instance, pusher } = await aRepository({ state: 'running' });
    await ctx.db.instance.update({ where: { id: instance.id }, data: { facts: { participantsInSession: 2 } } });
    const access = makeGitAccess(ctx);
    const repository = { instanceId: instance.id, name: instance.name, directory: '', maxPushMib: 1 };
    expect(await access.judgePush(pusher, repository, update('main'))).toMatchObject({ allowed: false, reason: expect.stringContaining('2 people') });
    const withReason = { ...update('main'), options: ['reason=they  have\nagreed'] };
    expect(await access.judgePush(pusher, repository, withReason)).toEqual({ allowed: true });
    execFileSync('git', ['clone', '-q', ctx.config.layout.repositoryDir(instance.id), path.join(ctx.config.layout.dataDir, 'clone')], { stdio: 'ignore' });
    await deploySample(ctx, { id: pusher.personId, name: pusher.name }, { instance, folder: sampleFolder });
    await ctx.db.deployment.updateMany({ where: { instanceId: instance.id }, data: { state: 'failed' } });
    await ctx.db.job.updateMany({ where: { instanceId: instance.id }, data: { state: 'failed' } });
    await access.afterPush(pusher, repository, withReason);
    const [audit] = await ctx.db.audit.findMany({ where: { instanceId: instance.id, action: 'instance.push' }, orderBy: { id: 'desc' } });
    expect(audit?.detail).toMatchObject({ reason: 'they have agreed' });
  });
});

describe('after a push', () => {
  const setUp = async () => {
    const { instance, pusher } = await aRepository();
    const repository = { instanceId: instance.id, name: instance.name, directory: '', maxPushMib: 1 };
    return { instance, pusher, repository, access: makeGitAccess(ctx) };
  };

  it('nothing is deployed from an empty repository', async () => {
    const { pusher, repository, access } = await setUp();
    expect(await access.afterPush(pusher, repository, update('main'))).toBeNull();
  });

  it('of a commit that is being built or runs, nothing is built anew; of one that failed, it is', async () => {
    const { instance, pusher, repository, access } = await setUp();
    const first = await deploySample(ctx, { id: null, name: 'test' }, { instance, folder: sampleFolder });
    expect(await access.afterPush(pusher, repository, update('main'))).toEqual({ jobId: first.id });
    await ctx.db.job.update({ where: { id: first.id }, data: { state: 'succeeded' } });
    await ctx.db.deployment.updateMany({ where: { instanceId: instance.id }, data: { state: 'succeeded' } });
    expect(await access.afterPush(pusher, repository, update('main'))).toBeNull();
    await ctx.db.deployment.updateMany({ where: { instanceId: instance.id }, data: { state: 'failed' } });
    const again = await access.afterPush(pusher, repository, update('main'));
    expect(again?.jobId).toBeDefined();
    expect(again?.jobId).not.toBe(first.id);
  });

  it('whose row was lost in a crash, the next start of the server deploys the commit', async () => {
    const { instance } = await setUp();
    await deploySample(ctx, { id: null, name: 'test' }, { instance, folder: sampleFolder });
    await ctx.db.job.deleteMany({ where: { instanceId: instance.id } });
    await ctx.db.deployment.deleteMany({ where: { instanceId: instance.id } });
    await adoptHeads(ctx);
    expect(await ctx.db.deployment.findMany({ where: { instanceId: instance.id } })).toMatchObject([{ branch: 'main', createdByName: 'Arboretum' }]);
    await adoptHeads(ctx);
    expect(await ctx.db.deployment.count({ where: { instanceId: instance.id } })).toBe(1);
  });

  it('the sample does not replace a project', async () => {
    const { instance } = await setUp();
    await deploySample(ctx, { id: null, name: 'test' }, { instance, folder: sampleFolder });
    await expect(deploySample(ctx, { id: null, name: 'test' }, { instance, folder: sampleFolder })).rejects.toMatchObject({ code: 'push_refused' });
  });
});
