// Changes to accounts: who may be changed how, what ends, what stays.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changePerson, changeProfile, deletePerson } from '../../domain/change-people.ts';
import { systemActor } from '../../domain/context.ts';
import { createPerson, listPeople, showPerson } from '../../domain/people.ts';
import { newId } from '../../domain/ids.ts';
import type { User } from '../../prisma/client/client.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
let manager: User;
beforeAll(async () => {
  ctx = await testContext();
  manager = await aUser(ctx, { role: 'manager', name: 'Ada' });
});
afterAll(() => ctx.close());

const rowOf = (id: string): Promise<User> => ctx.db.user.findUniqueOrThrow({ where: { id } });

describe('changing a person', () => {
  it('changes name, user name, address and role, and only another role ends sign-ins', async () => {
    const person = await aUser(ctx);
    const userName = newId();
    await changePerson(ctx, manager, { personId: person.id, change: { name: 'Grace', userName, email: `${userName}@lab.example` } });
    expect(await rowOf(person.id)).toMatchObject({ name: 'Grace', userName, email: `${userName}@lab.example`, sessionEpoch: 0 });
    await changePerson(ctx, manager, { personId: person.id, change: { role: 'manager' } });
    expect(await rowOf(person.id)).toMatchObject({ role: 'manager', sessionEpoch: 1 });
    await changePerson(ctx, manager, { personId: person.id, change: { role: 'experimenter' } });
    expect(await rowOf(person.id)).toMatchObject({ role: 'experimenter', sessionEpoch: 2 });
  });

  it('to a user name or an address of somebody else is refused at that field', async () => {
    const [one, other] = [await aUser(ctx), await aUser(ctx)];
    const change = (change: object) => changePerson(ctx, manager, { personId: one.id, change });
    await expect(change({ userName: other.userName })).rejects.toMatchObject({ code: 'user_name_taken', fields: { userName: expect.any(String) } });
    await expect(change({ email: other.email })).rejects.toMatchObject({ code: 'email_taken', fields: { email: expect.any(String) } });
  });

  it('on top of a state that another manager has changed since is refused, with who and when', async () => {
    const person = await aUser(ctx);
    const { version } = await showPerson(ctx, person.id);
    const answers = await Promise.allSettled(['First', 'Second'].map((name) => changePerson(ctx, manager, { personId: person.id, change: { name, version } })));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const lost = answers.find((answer) => answer.status === 'rejected');
    expect(lost?.reason).toMatchObject({ code: 'person_changed', details: { who: 'Ada', when: 'just now' } });
  });

  it('kills links that were on their way to the old address', async () => {
    const person = await aUser(ctx);
    await ctx.db.oneTimeLink.create({ data: { tokenHash: newId(), userId: person.id, purpose: 'password_reset', expiresAt: new Date(Date.now() + 60_000) } });
    await changePerson(ctx, manager, { personId: person.id, change: { email: `${newId()}@lab.example` } });
    expect(await ctx.db.oneTimeLink.count({ where: { userId: person.id } })).toBe(0);
  });
});

describe('the last active manager', () => {
  it('is neither demoted, disabled nor deleted, also when two managers do it to each other at once', async () => {
    const own = await testContext();
    try {
      const [one, two] = [await aUser(own, { role: 'manager' }), await aUser(own, { role: 'manager' })];
      // Invited, but without a password: nobody who could look after the panel.
      await aUser(own, { role: 'manager', passwordHash: null });
      const answers = await Promise.allSettled([
        changePerson(own, one, { personId: two.id, change: { role: 'experimenter' } }),
        changePerson(own, two, { personId: one.id, change: { isDisabled: true } }),
      ]);
      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const left = await own.db.user.findFirstOrThrow({ where: { role: 'manager', disabledAt: null, passwordHash: { not: null } } });
      for (const act of [
        () => changePerson(own, systemActor, { personId: left.id, change: { role: 'experimenter' } }),
        () => changePerson(own, systemActor, { personId: left.id, change: { isDisabled: true } }),
        () => deletePerson(own, systemActor, { personId: left.id, heirId: one.id }),
      ])
        await expect(act()).rejects.toMatchObject({ code: 'last_manager' });
    } finally {
      await own.close();
    }
  });
});

describe('deleting a person', () => {
  it('is refused while instances are owned, and names them with the way out', async () => {
    const person = await aUser(ctx, { name: 'Grace' });
    await anInstance(ctx, { ownerId: person.id, name: 'trust-game' });
    await anInstance(ctx, { ownerId: person.id, name: 'ultimatum' });
    await expect(deletePerson(ctx, manager, { personId: person.id, heirId: manager.id })).rejects.toMatchObject({
      code: 'person_owns_instances',
      message: 'Grace owns trust-game, ultimatum.',
      hint: expect.stringContaining('Hand these instances over'),
    });
  });

  it('takes keys, shares, links and sign-ins along; records and rows of deleted instances stay', async () => {
    const person = await aUser(ctx);
    const deleted = await anInstance(ctx, { ownerId: person.id, deletedAt: new Date() });
    const shared = await anInstance(ctx);
    await ctx.db.sshKey.create({ data: { id: newId(), userId: person.id, name: 'k', type: 'ssh-ed25519', publicKey: 'k', fingerprint: newId() } });
    await ctx.db.instanceShare.create({ data: { instanceId: shared.id, userId: person.id, level: 'view' } });
    await ctx.db.oneTimeLink.create({ data: { tokenHash: newId(), userId: person.id, purpose: 'invitation', expiresAt: new Date() } });
    await ctx.db.loginSession.create({ data: { sid: newId(), sess: { passport: { user: person.id } }, expire: new Date(Date.now() + 60_000) } });
    await ctx.db.audit.create({ data: { actorId: person.id, actorName: person.name, action: 'instance.start', subject: 'x' } });
    await deletePerson(ctx, manager, { personId: person.id, heirId: manager.id });
    const ofPerson = { where: { userId: person.id } };
    expect([await ctx.db.sshKey.count(ofPerson), await ctx.db.instanceShare.count(ofPerson), await ctx.db.oneTimeLink.count(ofPerson)]).toEqual([0, 0, 0]);
    expect(await ctx.db.loginSession.count({ where: { sess: { path: ['passport', 'user'], equals: person.id } } })).toBe(0);
    expect(await ctx.db.audit.count({ where: { actorId: person.id } })).toBe(1);
    expect(await ctx.db.instance.findUnique({ where: { id: deleted.id } })).toMatchObject({ ownerId: manager.id });
    expect((await listPeople(ctx)).some(({ id }) => id === person.id)).toBe(false);
  });
});

describe('the own profile', () => {
  it('changes at once, but another e-mail address needs the present password', async () => {
    const userName = newId();
    const person = await createPerson(ctx, systemActor, {
      name: 'Own',
      userName,
      email: `${userName}@lab.example`,
      password: 'correct horse battery',
      role: 'experimenter',
    });
    expect(await changeProfile(ctx, person, { name: 'Own Name', email: person.email })).toMatchObject({ name: 'Own Name' });
    const email = `new-${userName}@lab.example`;
    await expect(changeProfile(ctx, person, { email })).rejects.toMatchObject({ code: 'wrong_password', fields: { present: expect.any(String) } });
    await expect(changeProfile(ctx, person, { email, present: 'wrong' })).rejects.toMatchObject({ code: 'wrong_password' });
    expect(await changeProfile(ctx, person, { email, present: 'correct horse battery' })).toMatchObject({ email });
  });
});
