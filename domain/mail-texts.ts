// What the mails say: plain text, links under PUBLIC_URL only.

import type { User } from '../prisma/client/client.ts';
import { gitRemoteUrl, instanceUrl, type Addressed } from './addresses.ts';
import type { Config } from './config.ts';

export type MailText = { readonly subject: string; readonly text: string };
type Reader = Pick<User, 'name'>;

const letter = (lines: readonly string[]): string => `${lines.join('\n')}\n\n-- \nArboretum, the control panel for oTree experiments\n`;

const aboutInstance = (config: Config, instance: Addressed): string[] => [
  `Its address for participants:  ${instanceUrl(config, instance)}`,
  `Its git remote:                ${gitRemoteUrl(config, instance.name)}`,
  `Its page in the panel:         ${new URL(`/instances/${instance.name}`, config.publicUrl).href}`,
];

/** The invitation of a new person; a course's people hear of their instance at once. @param url one-time link */
export function invitationMail(config: Config, reader: Pick<User, 'name' | 'userName'>, more: { url: string; days: number; instance?: Addressed }): MailText {
  return {
    subject: 'Your account for oTree experiments',
    text: letter([
      `Dear ${reader.name},`,
      '',
      `there is an account for you at ${config.publicUrl.origin}. Your user name is ${reader.userName}.`,
      'Open this link to choose a password and to sign in:',
      '',
      more.url,
      '',
      `The link works once, within ${more.days} days. Keep it to yourself.`,
      ...(more.instance ? ['', `An oTree instance, ${more.instance.name}, is yours.`, ...aboutInstance(config, more.instance)] : []),
    ]),
  };
}

/** The way to a new password. @param more one-time link and how long it is good */
export function resetMail(config: Config, reader: Pick<User, 'name' | 'userName'>, { url, hours }: { url: string; hours: number }): MailText {
  return {
    subject: 'A new password for your account',
    text: letter([
      `Dear ${reader.name},`,
      '',
      `somebody, most likely you, has asked for a new password for you at ${config.publicUrl.origin}.`,
      `Your user name is ${reader.userName}. Open this link to choose a password:`,
      '',
      url,
      '',
      `The link works once, within ${hours === 1 ? 'one hour' : `${hours} hours`}. If it was not you, do nothing: your password stays as it is.`,
    ]),
  };
}

export function ownerMail(config: Config, reader: Reader, instance: Addressed): MailText {
  return {
    subject: `The oTree instance ${instance.name} is yours`,
    text: letter([
      `Dear ${reader.name},`,
      '',
      `the oTree instance ${instance.name} is yours now.`,
      '',
      ...aboutInstance(config, instance),
      '',
      'Next step: in the folder of your project, type',
      '',
      `    git remote add lab ${gitRemoteUrl(config, instance.name)}`,
      '    git push lab main',
      '',
      `You need an SSH key for that: ${new URL('/keys', config.publicUrl).href} shows how to make one.`,
    ]),
  };
}

export const testMail = (config: Config, reader: Reader): MailText => ({
  subject: 'A test mail of your panel',
  text: letter([`Dear ${reader.name},`, '', `mails of ${config.publicUrl.origin} arrive. There is nothing to do.`]),
});

/** A certificate near its end; `file`: its name in the folder, null: by ACME. */
export type EndingCertificate = { readonly hostNames: readonly string[]; readonly days: number; readonly file: string | null };

export function expiryMail(config: Config, reader: Reader, ending: readonly EndingCertificate[]): MailText {
  const soonest = Math.min(...ending.map(({ days }) => days));
  const left = (days: number): string => (days < 1 ? 'less than a day' : days === 1 ? '1 day' : `${days} days`);
  return {
    subject: `A certificate ends in ${left(soonest)}: ${ending[0]?.hostNames[0] ?? ''}`,
    text: letter([
      `Dear ${reader.name},`,
      '',
      'browsers will warn participants away when these certificates have ended:',
      '',
      ...ending.flatMap(({ hostNames, days, file }) => [
        `* ${hostNames.slice(0, 5).join(', ')}${hostNames.length > 5 ? ` and ${hostNames.length - 5} more` : ''}`,
        `  ${left(days)} left; ${file === null ? 'the panel could not renew it so far' : `it comes from ${file} in ${config.certificatesDir}: put the new one there`}.`,
      ]),
      '',
      `What went wrong, and what to do: ${new URL('/system', config.publicUrl).href}`,
    ]),
  };
}
