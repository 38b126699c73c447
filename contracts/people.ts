// People, their keys and their sign-in on the wire.

import { z } from 'zod';
import { legalPageNames } from './legal.ts';
import { roles } from './roles.ts';

export const userNameSchema = z
  .string()
  .trim()
  .toLowerCase()
  .min(2, 'At least 2 characters.')
  .max(40, 'At most 40 characters.')
  .regex(/^[a-z0-9][a-z0-9._-]*$/, 'Letters, digits, dot, hyphen and underscore.');

/** NIST SP 800-63B: length counts, composition rules do not. */
export const passwordSchema = z.string().min(10, 'At least 10 characters.').max(200, 'At most 200 characters.');

export const emailSchema = z.string().trim().toLowerCase().max(200, 'At most 200 characters.').pipe(z.email('An address like ada@lab.example.'));

const accountSchema = z.object({
  id: z.string(),
  name: z.string(),
  userName: z.string(),
  email: z.string(),
  role: z.enum(roles),
  isDisabled: z.boolean(),
  createdAt: z.string(),
});
export const personSchema = accountSchema.extend({
  instances: z.number().int(),
  /** No password yet: the invitation waits. */
  isInvited: z.boolean(),
  /** Until when the newest one-time link may be used, null when there is none. */
  linkExpiresAt: z.string().nullable(),
  lastSeenAt: z.string().nullable(),
  course: z.object({ id: z.string(), name: z.string() }).nullable(),
  /** Names what the reader saw: a change that was made on top of another state is refused. */
  version: z.string(),
});
export type PersonView = z.infer<typeof personSchema>;
export const personListSchema = z.object({ people: z.array(personSchema) });

export const personNameSchema = z.string().trim().min(1, 'A name.').max(100, 'At most 100 characters.');
const newPerson = {
  name: personNameSchema,
  userName: userNameSchema,
  email: emailSchema,
  password: passwordSchema,
};
/** Without a password the person is invited: a one-time link lets them choose one. */
export const createPersonSchema = z.strictObject({ ...newPerson, password: passwordSchema.optional(), role: z.enum(roles) });

/** What is left out stays. `version` is the one that the reader saw. */
export const changePersonSchema = z.strictObject({
  name: personNameSchema.optional(),
  userName: userNameSchema.optional(),
  email: emailSchema.optional(),
  role: z.enum(roles).optional(),
  isDisabled: z.boolean().optional(),
  version: z.string().max(100).optional(),
});
export type PersonChange = z.infer<typeof changePersonSchema>;

/** The own profile; another e-mail address needs the present password. */
export const changeProfileSchema = z.strictObject({
  name: personNameSchema.optional(),
  userName: userNameSchema.optional(),
  email: emailSchema.optional(),
  present: z.string().max(200).optional(),
});
export type ProfileChange = z.infer<typeof changeProfileSchema>;

export const linkPurposes = ['invitation', 'password_reset'] as const;
/** What became of the mail: sent, not sent (the link has to be handed over), or there is no mail here. */
export const mailResults = ['sent', 'failed', 'off'] as const;
export type MailResult = (typeof mailResults)[number];
/** A one-time link, shown once: only its hash is kept. */
export const linkSchema = z.object({ url: z.string(), purpose: z.enum(linkPurposes), expiresAt: z.string(), mail: z.enum(mailResults) });
export type LinkView = z.infer<typeof linkSchema>;
export const makeLinkSchema = z.strictObject({ isMailed: z.boolean() });
/** The new account, and its invitation when it was made without a password. */
export const createdPersonSchema = personSchema.extend({ invitation: linkSchema.nullable() });

/** The page behind a one-time link. */
export const lookAtLinkSchema = z.strictObject({ token: z.string().min(1).max(200) });
export const linkOwnerSchema = z.object({ name: z.string(), userName: z.string(), purpose: z.enum(linkPurposes) });
export const acceptLinkSchema = z.strictObject({ token: z.string().min(1).max(200), password: passwordSchema });
export const forgottenPasswordSchema = z.strictObject({ login: z.string().trim().min(1, 'Your user name or e-mail address.').max(200) });

/** The page that the one-time link of the first start opens. */
export const firstRunSchema = z.strictObject({ ...newPerson, token: z.string().min(1).max(200) });

/** `login` is a user name or an e-mail address. */
export const signInSchema = z.strictObject({
  login: z.string().trim().min(1, 'Your user name or e-mail address.').max(200),
  password: z.string().min(1, 'Your password.').max(200),
});
export const changePasswordSchema = z.strictObject({ present: z.string().min(1, 'Your present password.').max(200), next: passwordSchema });

export const meSchema = z.object({
  person: accountSchema,
  csrfToken: z.string(),
  sshKeys: z.number().int(),
});
export type Me = z.infer<typeof meSchema>;

export const sshKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  fingerprint: z.string(),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
});
export type SshKeyView = z.infer<typeof sshKeySchema>;
export const sshKeyListSchema = z.object({ sshKeys: z.array(sshKeySchema) });
export const addSshKeySchema = z.strictObject({
  publicKey: z.string().trim().min(1, 'Paste the one line of your .pub file.').max(20_000, 'This is too long for a public key.'),
  name: z.string().trim().max(100, 'At most 100 characters.').optional(),
});

/** What a visitor who is not signed in may know. */
export const panelSchema = z.object({
  name: z.string(),
  version: z.string(),
  needsFirstManager: z.boolean(),
  isHttps: z.boolean(),
  notice: z.string().nullable(),
  /** Whether the panel can send mails. */
  hasMail: z.boolean(),
  /** Legal pages that have a text. */
  legalPages: z.array(z.enum(legalPageNames)),
});
export type PanelView = z.infer<typeof panelSchema>;
