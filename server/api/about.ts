// What the panel is made of, and its mail server.

import { AppError } from '../../contracts/errors.ts';
import { aboutSchema, mailStateSchema } from '../../contracts/system.ts';
import { readMailState, sendMail } from '../../domain/mail.ts';
import { testMail } from '../../domain/mail-texts.ts';
import { readVersions } from '../../domain/versions.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';
import { panelVersion } from '../version.ts';

export const aboutRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/about',
    action: 'about.read',
    summary: 'Versions of the panel and of what it stands on',
    response: aboutSchema,
    run: async ({ ctx }) => ({ panel: panelVersion, licence: 'MIT', ...(await readVersions(ctx)) }),
  }),
  endpoint({
    method: 'get',
    path: '/system/mail',
    action: 'system.read',
    summary: 'Whether mails can be sent, and what became of the last one',
    response: mailStateSchema,
    run: ({ ctx }) => readMailState(ctx),
  }),
  endpoint({
    method: 'post',
    path: '/system/test-mail',
    action: 'mail.test',
    summary: 'Send a test mail to oneself',
    response: mailStateSchema,
    run: async ({ ctx, person }) => {
      const result = await sendMail(ctx, { to: person.email, ...testMail(ctx.config, person) });
      if (result === 'off') throw new AppError('mail_off');
      const state = await readMailState(ctx);
      if (result === 'failed') throw new AppError('mail_failed', { reason: state.last?.problem ?? 'for an unknown reason' });
      return state;
    },
  }),
];
