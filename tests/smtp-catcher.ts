// A mail server of a test's own: takes every mail, or refuses as it is told.

import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export type CaughtMail = { readonly to: string; readonly subject: string; readonly text: string };
export type SmtpCatcher = {
  readonly port: number;
  /** `smtp://` without a password. */
  readonly url: string;
  readonly mails: CaughtMail[];
  /** Waits until so many mails to this address are there; the test's own time limit ends it. */
  mailsTo(address: string, count?: number): Promise<CaughtMail[]>;
  close(): Promise<void>;
};

/** Listens on a free loopback port. @param password when given, sign-ins with another one are refused with 535 */
export async function catchMails(password?: string): Promise<SmtpCatcher> {
  const mails: CaughtMail[] = [];
  const arrivals = new EventEmitter().setMaxListeners(0);
  const server = new SMTPServer({
    authOptional: password === undefined,
    disabledCommands: ['STARTTLS'],
    hideSTARTTLS: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    onAuth: (auth, _session, done) => (auth.password === password ? done(null, { user: 'lab' }) : done(new Error('535 no'))),
    onData(stream, session, done) {
      let raw = '';
      stream.setEncoding('utf8').on('data', (piece: string) => (raw += piece));
      stream.on('end', () => {
        for (const { address } of session.envelope.rcptTo) mails.push(readMail(address, raw));
        done();
        arrivals.emit('mail');
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    mails,
    async mailsTo(address, count = 1) {
      for (;;) {
        const found = mails.filter(({ to }) => to === address);
        if (found.length >= count) return found;
        await once(arrivals, 'mail');
      }
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Headers and body of a plain-text mail, quoted-printable undone. */
function readMail(to: string, raw: string): CaughtMail {
  const [head = '', ...rest] = raw.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  const isQuoted = /content-transfer-encoding: quoted-printable/i.test(head);
  const bytes = body.replaceAll('=\r\n', '').replace(/(=[0-9A-F]{2})+/g, (run) => Buffer.from(run.replaceAll('=', ''), 'hex').toString('utf8'));
  return { to, subject: /^subject: (.*)$/im.exec(head)?.[1] ?? '', text: (isQuoted ? bytes : body).replaceAll('\r\n', '\n') };
}

/** The token of the one-time link in a text. */
export const tokenIn = (text: string): string => /#token=([\w-]+)/.exec(text)?.[1] ?? '';
