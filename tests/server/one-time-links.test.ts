// One-time links over HTTP: invitations and forgotten passwords, with a mail server of the test.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../domain/ids.ts';
import { catchMails, tokenIn, type SmtpCatcher } from '../smtp-catcher.ts';
import { password, startPanel, type Client, type TestPanel } from './panel.ts';

const publicUrl = 'http://panel.lab.example:8080';
let smtp: SmtpCatcher;
let panel: TestPanel;
let manager: Client;

beforeAll(async () => {
  smtp = await catchMails();
  panel = await startPanel({ SMTP_URL: smtp.url, MAIL_FROM: 'The lab <lab@lab.example>', PUBLIC_URL: publicUrl });
  manager = await panel.signIn(await panel.person('manager'));
});
afterAll(async () => {
  await panel.close();
  await smtp.close();
});

const somebody = (more: object = {}) => {
  const userName = newId();
  return { name: 'Grace Hopper', userName, email: `${userName}@lab.example`, role: 'experimenter', ...more };
};
const post = (at: TestPanel, path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${at.url}/api/v1${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
const signInWith = async (at: TestPanel, login: string, secret: string): Promise<number> => (await post(at, '/session', { login, password: secret })).status;
const newPassword = 'a fresh long password';

describe('an invitation', () => {
  it('goes by mail under PUBLIC_URL, sets a password, signs in, and works once', async () => {
    const person = somebody();
    const made = await manager.send('POST', '/users', person, { host: 'evil.example' });
    expect([made.status, made.body]).toEqual([
      201,
      expect.objectContaining({ isInvited: true, invitation: expect.objectContaining({ mail: 'sent', purpose: 'invitation' }) }),
    ]);
    const [mail] = await smtp.mailsTo(person.email);
    expect(mail?.text).toContain(`${publicUrl}/invitation#token=`);
    expect(mail?.text).not.toContain('evil.example');
    const token = tokenIn(mail?.text ?? '');
    expect(JSON.stringify(await panel.ctx.db.oneTimeLink.findMany())).not.toContain(token);
    expect(await signInWith(panel, person.userName, '')).toBe(400);

    const owner = await post(panel, '/invitation/owner', { token });
    expect(await owner.json()).toEqual({ name: 'Grace Hopper', userName: person.userName, purpose: 'invitation' });
    const accepted = await post(panel, '/invitation', { token, password: newPassword });
    expect(accepted.status).toBe(201);
    const cookie = accepted.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect((await fetch(`${panel.url}/api/v1/me`, { headers: { cookie } })).status).toBe(200);
    expect(await signInWith(panel, person.email, newPassword)).toBe(201);
    const again = await post(panel, '/invitation', { token, password: 'another long password' });
    expect([again.status, await again.json()]).toEqual([410, expect.objectContaining({ code: 'link_dead' })]);
  });

  it('used by ten requests at once sets one password', async () => {
    const made = await manager.send('POST', '/users', somebody());
    const token = tokenIn((made.body['invitation'] as { url: string }).url);
    const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => post(panel, '/invitation', { token, password: `long password number ${at}` })));
    expect(answers.map(({ status }) => status).toSorted((one, two) => one - two)).toEqual([201, ...Array.from({ length: 9 }, () => 410)]);
  });

  it('that has run out, or whose person is disabled, opens nothing', async () => {
    const made = await manager.send('POST', '/users', somebody());
    const id = String(made.body['id']);
    const token = tokenIn((made.body['invitation'] as { url: string }).url);
    await panel.ctx.db.oneTimeLink.updateMany({ where: { userId: id }, data: { expiresAt: new Date(Date.now() - 1000) } });
    expect((await post(panel, '/invitation', { token, password: newPassword })).status).toBe(410);
    const link = await manager.send('POST', `/users/${id}/links`, { isMailed: false });
    await manager.send('PATCH', `/users/${id}`, { isDisabled: true });
    expect((await post(panel, '/invitation', { token: tokenIn(String(link.body['url'])), password: newPassword })).status).toBe(410);
  });

  it('is replaced by a manager: the old link dies, the new one works and is not mailed unless wanted', async () => {
    const person = somebody();
    const made = await manager.send('POST', '/users', person);
    const old = tokenIn((made.body['invitation'] as { url: string }).url);
    const fresh = await manager.send('POST', `/users/${String(made.body['id'])}/links`, { isMailed: false });
    expect(fresh.body).toMatchObject({ mail: 'off', purpose: 'invitation' });
    expect((await post(panel, '/invitation', { token: old, password: newPassword })).status).toBe(410);
    expect((await post(panel, '/invitation', { token: tokenIn(String(fresh.body['url'])), password: newPassword })).status).toBe(201);
    expect(smtp.mails.filter(({ to }) => to === person.email)).toHaveLength(1);
  });
});

describe('a forgotten password', () => {
  it('is answered in the same way for everybody; who is known gets a link for an hour, which ends other sign-ins', async () => {
    const user = await panel.person('experimenter');
    const elsewhere = await panel.signIn(user);
    const [known, unknown] = [await post(panel, '/forgotten-password', { login: user.userName }), await post(panel, '/forgotten-password', { login: newId() })];
    expect([known.status, await known.text()]).toEqual([unknown.status, await unknown.text()]);
    const shape = ({ headers }: Response): string[] => [...headers.keys()].filter((name) => !name.startsWith('ratelimit')).toSorted();
    expect(shape(known)).toEqual(shape(unknown));
    const [mail] = await smtp.mailsTo(user.email);
    expect(mail?.text).toContain('within one hour');
    expect((await post(panel, '/invitation', { token: tokenIn(mail?.text ?? ''), password: newPassword })).status).toBe(201);
    expect(await signInWith(panel, user.userName, password)).toBe(401);
    expect(await signInWith(panel, user.userName, newPassword)).toBe(201);
    expect((await elsewhere.send('GET', '/me')).status).toBe(401);
  });

  it('is answered before anything is looked up: a database that hangs on the person delays nothing', async () => {
    const user = await panel.person('experimenter');
    await panel.ctx.db.$transaction(async (tx) => {
      // Whoever wanted to read or write the row now would wait for the end of this transaction.
      await tx.$executeRaw`LOCK TABLE "user" IN ACCESS EXCLUSIVE MODE`;
      expect((await post(panel, '/forgotten-password', { login: user.userName })).status).toBe(204);
    });
    await smtp.mailsTo(user.email);
  });

  it('fills nobody’s mailbox: three links an hour, and then silence with the same answer', async () => {
    const user = await panel.person('experimenter');
    for (let at = 0; at < 3; at += 1) {
      expect((await post(panel, '/forgotten-password', { login: user.email })).status).toBe(204);
      await smtp.mailsTo(user.email, at + 1);
    }
    expect((await post(panel, '/forgotten-password', { login: user.email })).status).toBe(204);
    const last = await panel.person('experimenter');
    await post(panel, '/forgotten-password', { login: last.email });
    await smtp.mailsTo(last.email);
    expect(smtp.mails.filter(({ to }) => to === user.email)).toHaveLength(3);
  });

  it('is limited like a sign-in', async () => {
    const login = newId();
    const statuses: number[] = [];
    for (let at = 0; at < 22; at += 1) statuses.push((await post(panel, '/forgotten-password', { login })).status);
    expect(statuses.slice(20)).toEqual([429, 429]);
  });
});

describe('tokens and addresses', () => {
  it('are never in the panel’s log', () => {
    const logged = JSON.stringify(panel.ctx.logged);
    for (const { text, to } of smtp.mails) {
      expect(tokenIn(text) === '' || !logged.includes(tokenIn(text))).toBe(true);
      expect(logged).not.toContain(to);
    }
  });
});

describe('sessions', () => {
  it('end on HTTP at once when the role changes, and when the account is disabled or deleted', async () => {
    const [one, two, three] = [await panel.person('experimenter'), await panel.person('experimenter'), await panel.person('experimenter')];
    const clients = [await panel.signIn(one), await panel.signIn(two), await panel.signIn(three)];
    await manager.send('PATCH', `/users/${one.id}`, { role: 'manager' });
    await manager.send('PATCH', `/users/${two.id}`, { isDisabled: true });
    expect((await manager.send('DELETE', `/users/${three.id}`)).status).toBe(204);
    for (const client of clients) expect((await client.send('GET', '/me')).status).toBe(401);
  });

  it('note when a person was here last', async () => {
    const user = await panel.person('experimenter');
    const client = await panel.signIn(user);
    await client.send('GET', '/me');
    await expect.poll(async () => (await panel.ctx.db.user.findUnique({ where: { id: user.id } }))?.lastSeenAt).toBeInstanceOf(Date);
  });
});
