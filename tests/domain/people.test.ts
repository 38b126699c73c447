// People: signing in, passwords, the first manager, disabling.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemActor } from '../../domain/context.ts';
import { changePerson } from '../../domain/change-people.ts';
import { changePassword, createFirstManager, createPerson, listPeople, prepareFirstManager, signIn } from '../../domain/people.ts';
import { testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const password = 'correct horse battery';
const make = (userName: string, role: 'manager' | 'experimenter' = 'experimenter') =>
  createPerson(ctx, systemActor, { name: userName, userName, email: `${userName}@lab.example`, password, role });

describe('the first manager', () => {
  it('is made with a one-time token, once', async () => {
    const token = await prepareFirstManager(ctx);
    expect(token).not.toBeNull();
    const person = { name: 'Ada', userName: 'ada', email: 'ada@lab.example', password };
    await expect(createFirstManager(ctx, 'guess', person)).rejects.toMatchObject({ code: 'link_used' });
    const results = await Promise.allSettled(
      [1, 2, 3].map((at) => createFirstManager(ctx, token ?? '', { ...person, userName: `ada${at}`, email: `ada${at}@lab.example` })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await prepareFirstManager(ctx)).toBeNull();
  });
});

describe('signing in', () => {
  it('takes the user name or the e-mail address, in any case of letters', async () => {
    const { id } = await make('grace');
    expect((await signIn(ctx, 'grace', password))?.id).toBe(id);
    expect((await signIn(ctx, ' Grace@Lab.Example ', password))?.id).toBe(id);
    expect(await signIn(ctx, 'grace', 'wrong')).toBeNull();
  });

  it('does the same work for an unknown person as for a wrong password', async () => {
    await make('timing');
    const times: Record<'timing' | 'nobody-of-this-name', number[]> = { timing: [], 'nobody-of-this-name': [] };
    // Turn by turn, so that a busy machine slows both.
    for (let at = 0; at < 30; at += 1) {
      for (const login of ['timing', 'nobody-of-this-name'] as const) {
        const begin = performance.now();
        await signIn(ctx, login, 'wrong password');
        times[login].push(performance.now() - begin);
      }
    }
    const median = (list: number[]): number => list.toSorted((one, two) => one - two)[15] ?? 0;
    const [known, unknown] = [median(times.timing), median(times['nobody-of-this-name'])];
    // Without the decoy hash an unknown name answers some ten times faster.
    expect(unknown / known).toBeGreaterThan(0.5);
    expect(unknown / known).toBeLessThan(2);
  });

  it('ends for a disabled person, and never for the last manager', async () => {
    const person = await make('temp');
    await changePerson(ctx, systemActor, { personId: person.id, change: { isDisabled: true } });
    expect(await signIn(ctx, 'temp', password)).toBeNull();
    const managers = await ctx.db.user.findMany({ where: { role: 'manager' } });
    expect(managers).toHaveLength(1);
    await expect(changePerson(ctx, systemActor, { personId: managers[0]?.id ?? '', change: { isDisabled: true } })).rejects.toMatchObject({
      code: 'last_manager',
    });
  });

  it('with a changed password ends every other sign-in of the person', async () => {
    const person = await make('changer');
    await expect(changePassword(ctx, person, { present: 'wrong', next: 'a new long password' })).rejects.toMatchObject({ code: 'wrong_password' });
    const after = await changePassword(ctx, person, { present: password, next: 'a new long password' });
    expect(after.sessionEpoch).toBe(person.sessionEpoch + 1);
    expect(await signIn(ctx, 'changer', password)).toBeNull();
    expect(await signIn(ctx, 'changer', 'a new long password')).not.toBeNull();
  });
});

describe('an account', () => {
  it('with a taken user name or address is refused at that field', async () => {
    await make('taken');
    await expect(make('taken')).rejects.toMatchObject({ code: 'user_name_taken', fields: { userName: expect.any(String) } });
    await expect(
      createPerson(ctx, systemActor, { name: 'x', userName: 'other', email: 'taken@lab.example', password, role: 'experimenter' }),
    ).rejects.toMatchObject({ code: 'email_taken' });
  });

  it('stands in the list where a person would look for it', async () => {
    for (const name of ['sorted10', 'sorted2', 'Sorted1'])
      await createPerson(ctx, systemActor, { name, userName: name.toLowerCase(), email: `${name.toLowerCase()}@lab.example`, password, role: 'experimenter' });
    const names = (await listPeople(ctx)).map(({ name }) => name).filter((name) => /^sorted/i.test(name));
    expect(names).toEqual(['Sorted1', 'sorted2', 'sorted10']);
  });
});
