// Sign-ins: what the cookie is, when it ends, and how often one may try.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password, startPanel, type TestPanel } from './panel.ts';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startPanel();
});
afterAll(() => panel.close());

const statusWith = async (cookie: string): Promise<number> => (await fetch(`${panel.url}/api/v1/me`, { headers: { cookie } })).status;

describe('the cookie of a sign-in', () => {
  it('is out of reach for scripts and other sites, and its id is not in the database', async () => {
    const user = await panel.person('experimenter');
    const response = await fetch(`${panel.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ login: user.userName, password }),
    });
    const cookie = response.headers.getSetCookie()[0] ?? '';
    expect(cookie).toMatch(/^arboretum=.*; Path=\/;.*HttpOnly; SameSite=Lax/);
    const id =
      decodeURIComponent(cookie.split(/[=;]/)[1] ?? '')
        .replace(/^s:/, '')
        .split('.')[0] ?? '';
    const rows = await panel.ctx.db.loginSession.findMany();
    expect(id.length).toBeGreaterThan(20);
    expect(JSON.stringify(rows)).not.toContain(id);
  });

  it('is new at every sign-in: one that was planted before is worthless', async () => {
    const user = await panel.person('experimenter');
    const first = await panel.signIn(user);
    const again = await fetch(`${panel.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: first.cookie, 'x-csrf-token': first.me?.csrfToken ?? '' },
      body: JSON.stringify({ login: user.userName, password }),
    });
    expect(again.status).toBe(201);
    expect(again.headers.getSetCookie()[0]?.split(';')[0]).not.toBe(first.cookie);
    expect(await statusWith(first.cookie)).toBe(401);
  });

  it('is dead after signing out', async () => {
    const client = await panel.signIn(await panel.person('experimenter'));
    expect(await statusWith(client.cookie)).toBe(200);
    expect((await client.send('DELETE', '/session')).status).toBe(204);
    expect(await statusWith(client.cookie)).toBe(401);
  });

  it('is dead everywhere else after a new password, and alive where it was changed', async () => {
    const user = await panel.person('experimenter');
    const [here, elsewhere] = [await panel.signIn(user), await panel.signIn(user)];
    const changed = await here.send('POST', '/me/password', { present: password, next: 'another long password' });
    expect(changed.status).toBe(200);
    expect(await statusWith(elsewhere.cookie)).toBe(401);
    expect(await statusWith(changed.headers.getSetCookie()[0]?.split(';')[0] ?? '')).toBe(200);
  });
});

describe('trying passwords', () => {
  const tryOnce = async (login: string, secret: string): Promise<number> => {
    const response = await fetch(`${panel.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ login, password: secret }),
    });
    return response.status;
  };

  it('stops after twenty for one account, while a whole lab behind the same address signs in', async () => {
    const victim = await panel.person('experimenter');
    const statuses: number[] = [];
    for (let at = 0; at < 22; at += 1) statuses.push(await tryOnce(victim.userName, 'wrong password'));
    expect(statuses.filter((status) => status === 401)).toHaveLength(20);
    expect(statuses.slice(20)).toEqual([429, 429]);
    const lab = await panel.person('experimenter');
    for (let at = 0; at < 40; at += 1) expect(await tryOnce(lab.userName, password)).toBe(201);
  });

  it('stops at an open page, too: the present password cannot be guessed there, and other mistakes in the form do not count', async () => {
    const client = await panel.signIn(await panel.person('experimenter'));
    const next = 'another long password';
    const guess = { email: 'elsewhere@lab.example', present: 'wrong password' };
    // One after the other: what is under way counts until its answer is known.
    const codes: unknown[] = [];
    for (let at = 0; at < 25; at += 1) codes.push((await client.send('PATCH', '/me', { userName: '!' })).body['code']);
    expect(new Set(codes)).toEqual(new Set(['invalid_input']));
    codes.length = 0;
    for (let at = 0; at < 10; at += 1) codes.push((await client.send('PATCH', '/me', guess)).body['code']);
    for (let at = 0; at < 10; at += 1) codes.push((await client.send('POST', '/me/password', { present: 'wrong password', next })).body['code']);
    expect(new Set(codes)).toEqual(new Set(['wrong_password']));
    expect((await client.send('PATCH', '/me', guess)).body['code']).toBe('too_many_attempts');
    expect((await client.send('POST', '/me/password', { present: password, next })).body['code']).toBe('too_many_attempts');
    const other = await panel.signIn(await panel.person('experimenter'));
    expect((await other.send('POST', '/me/password', { present: password, next })).status).toBe(200);
  });

  it('says how long to wait', async () => {
    const user = await panel.person('experimenter');
    for (let at = 0; at < 20; at += 1) await tryOnce(user.userName, 'wrong password');
    const response = await fetch(`${panel.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ login: user.userName, password }),
    });
    expect(await response.json()).toMatchObject({ status: 429, code: 'too_many_attempts', hint: 'Wait 15 minutes, then try again.' });
  });
});
