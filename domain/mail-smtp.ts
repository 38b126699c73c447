// Mails by SMTP, with nodemailer.

import { createTransport, type Transporter } from 'nodemailer';
import type { Secret } from '../platforms/secret.ts';
import type { Config } from './config.ts';
import type { Mailer } from './mail.ts';

const connectMs = 4000;
const silenceMs = 8000;

function transportOf(address: Secret): { transport: Transporter; name: string } {
  const url = new URL(address.open());
  const isSecure = url.protocol === 'smtps:';
  const port = Number(url.port) || (isSecure ? 465 : 587);
  const transport = createTransport({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    secure: isSecure,
    ...(url.username ? { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } } : {}),
    // A password never goes over an open line, except to this machine itself.
    requireTLS: !isSecure && url.username !== '' && !isLoopback(url.hostname),
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: silenceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return { transport, name: `${url.hostname}:${port}` };
}

/** Connects, greets and signs in as for a mail, and sends none. @throws Error with a sentence, without the password; also when no mail server is set */
export async function tryMailServer({ SMTP_URL: address }: Pick<Config, 'SMTP_URL'>): Promise<void> {
  if (!address) throw new Error('no mail server is set');
  const { transport } = transportOf(address);
  try {
    await transport.verify();
  } catch (error) {
    throw new Error(explain(error), { cause: error });
  } finally {
    transport.close();
  }
}

/** The mail server of the settings; without SMTP_URL one that is not there. Opens a connection for each mail, so that a restart of the mail server goes unnoticed. */
export function openMailer(config: Pick<Config, 'SMTP_URL' | 'MAIL_FROM'>): Mailer {
  const { SMTP_URL: address, MAIL_FROM: from } = config;
  if (!address || !from) return { server: null, send: () => Promise.reject(new Error('no mail server is set')) };
  const { transport, name } = transportOf(address);
  return {
    server: { name, from },
    async send({ to, subject, text }) {
      try {
        // An object, not a string: an address with a comma would else become two.
        await transport.sendMail({ from, to: { name: '', address: to }, subject, text, headers: { 'Auto-Submitted': 'auto-generated' } });
      } catch (error) {
        throw new Error(explain(error), { cause: error });
      }
    },
  };
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || host.startsWith('127.');

const sentences: Readonly<Record<string, string>> = {
  EAUTH: 'the mail server refuses this user name and password',
  ECONNECTION: 'the mail server does not answer',
  ESOCKET: 'the mail server does not answer',
  ETIMEDOUT: 'the mail server does not answer in time',
  EDNS: 'the name of the mail server is not known',
  ETLS: 'the mail server offers no encrypted line that can be trusted',
  EENVELOPE: 'the mail server does not take mails from or for this address',
};

/** What nodemailer knows, in words; never the server's own text, which repeats addresses. @see nodemailer 10 errors.js */
function explain(error: unknown): string {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
  const sentence = sentences[String(code)] ?? 'the mail server refused the mail';
  return typeof responseCode === 'number' ? `${sentence} (answer ${responseCode})` : sentence;
}
