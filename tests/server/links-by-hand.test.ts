// One-time links without a mail server: managers hand them over.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../domain/ids.ts';
import { tokenIn } from '../smtp-catcher.ts';
import { startPanel, type Client, type TestPanel } from './panel.ts';

let panel: TestPanel;
let manager: Client;
let nobody: Client;
beforeAll(async () => {
  panel = await startPanel();
  manager = await panel.signIn(await panel.person('manager'));
  nobody = await panel.signIn(null);
});
afterAll(() => panel.close());

it('an invitation comes back as a link', async () => {
  const userName = newId();
  const made = await manager.send('POST', '/users', { name: 'Grace', userName, email: `${userName}@lab.example`, role: 'experimenter' });
  expect(made.body['invitation']).toMatchObject({ mail: 'off', url: expect.stringContaining('/invitation#token=') });
  expect((await manager.send('GET', `/users/${String(made.body['id'])}`)).body).toMatchObject({ isInvited: true, linkExpiresAt: expect.any(String) });
});

it('who forgot a password is told to ask, and a manager makes the link', async () => {
  expect((await nobody.send('GET', '/panel')).body).toMatchObject({ hasMail: false });
  const user = await panel.person('experimenter');
  expect((await nobody.send('POST', '/forgotten-password', { login: user.userName })).status).toBe(204);
  expect(await panel.ctx.db.oneTimeLink.count({ where: { userId: user.id } })).toBe(0);
  const link = await manager.send('POST', `/users/${user.id}/links`, { isMailed: true });
  expect(link.body).toMatchObject({ purpose: 'password_reset', mail: 'off' });
  const accepted = await nobody.send('POST', '/invitation', { token: tokenIn(String(link.body['url'])), password: 'a fresh long password' });
  expect([accepted.status, accepted.body['person']]).toEqual([201, expect.objectContaining({ userName: user.userName })]);
});

it('a test mail says that there is no mail server', async () => {
  expect((await manager.send('POST', '/system/test-mail')).body).toMatchObject({ code: 'mail_off' });
  expect((await manager.send('GET', '/system/mail')).body).toMatchObject({ isConfigured: false, last: null });
});
