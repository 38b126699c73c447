// Mails: what they say, and that a mail server which refuses or is away stops nothing.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigProblem, loadConfig } from '../../domain/config.ts';
import { mailOwner } from '../../domain/mail-owner.ts';
import { openMailer } from '../../domain/mail-smtp.ts';
import { readMailState, sendMail } from '../../domain/mail.ts';
import { Secret } from '../../platforms/secret.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';
import { catchMails, type SmtpCatcher } from '../smtp-catcher.ts';

let smtp: SmtpCatcher;
let ctx: TestContext;
beforeAll(async () => {
  smtp = await catchMails('right');
  ctx = await testContext({ SMTP_URL: `smtp://lab:right@127.0.0.1:${smtp.port}`, MAIL_FROM: 'lab@lab.example', PUBLIC_URL: 'https://panel.lab.example' });
});
afterAll(async () => {
  await ctx.close();
  await smtp.close();
});

const mail = { to: 'ada@secret.example', subject: 'Hello', text: 'Hello' };
const mailer = (url: string) => openMailer({ SMTP_URL: new Secret(url), MAIL_FROM: 'lab@lab.example' });

describe('a mail', () => {
  it('to a new owner has address, git remote and the next step', async () => {
    const owner = await aUser(ctx, { name: 'Ada' });
    const instance = await anInstance(ctx, { ownerId: owner.id, name: 'trust-game' });
    expect(await mailOwner(ctx, instance, owner)).toBe('sent');
    const [caught] = await smtp.mailsTo(owner.email);
    expect(caught?.subject).toBe('The oTree instance trust-game is yours');
    for (const part of [
      'Dear Ada',
      'https://trust-game.panel.lab.example',
      'ssh://git@panel.lab.example:2222/trust-game.git',
      'git push lab main',
      'https://panel.lab.example/keys',
    ])
      expect(caught?.text).toContain(part);
    expect(await readMailState(ctx)).toMatchObject({ isConfigured: true, server: `127.0.0.1:${smtp.port}`, last: { isSent: true, problem: null } });
  });

  it('is not sent to a disabled account', async () => {
    const owner = await aUser(ctx, { disabledAt: new Date() });
    expect(await mailOwner(ctx, await anInstance(ctx, { ownerId: owner.id }), owner)).toBe('off');
  });

  it('goes to one address, whatever it looks like', async () => {
    const before = smtp.mails.length;
    expect(await sendMail(ctx, { ...mail, to: 'a,b@lab.example' })).toBe('sent');
    expect(smtp.mails.slice(before).map(({ to }) => to)).toEqual(['"a,b"@lab.example']);
  });
});

describe('a mail server', () => {
  it('that refuses the password is said to, without the password or an address', async () => {
    const broken = { ...ctx, mailer: mailer(`smtp://lab:wrong-secret@127.0.0.1:${smtp.port}`) };
    expect(await sendMail(broken, mail)).toBe('failed');
    const state = await readMailState(broken);
    expect(state.last?.problem).toContain('refuses this user name and password');
    expect(JSON.stringify([state, ctx.logged])).not.toMatch(/wrong-secret|ada@secret/);
  });

  it('that is away fails within seconds, and is said to be away', async () => {
    const gone = await catchMails();
    await gone.close();
    const away = { ...ctx, mailer: mailer(gone.url) };
    expect(await sendMail(away, mail)).toBe('failed');
    expect((await readMailState(away)).last?.problem).toContain('does not answer');
  });

  it('that offers no encryption gets no password over the network', async () => {
    // 0.0.0.0 leads here, too, but does not count as this machine itself.
    await expect(mailer(`smtp://lab:right@0.0.0.0:${smtp.port}`).send(mail)).rejects.toThrow('offers no encrypted line');
    await expect(mailer(`smtp://lab:right@127.0.0.1:${smtp.port}`).send(mail)).resolves.toBeUndefined();
  });
});

describe('the settings of mails', () => {
  it('go together, or the start is refused with a sentence', () => {
    expect(() => loadConfig({ SMTP_URL: 'smtp://h', MAIL_FROM: 'a@b' })).toThrow(ConfigProblem);
    expect(() => loadConfig({ SMTP_URL: 'http://h', MAIL_FROM: 'a@b', PUBLIC_URL: 'http://x' })).toThrow(ConfigProblem);
    expect(() => loadConfig({ SMTP_URL: 'smtp://h' })).toThrow('SMTP_URL and MAIL_FROM go together.');
  });
});
