// People, their keys and their sign-in on the wire.

import { z } from 'zod';
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

export const personSchema = z.object({
  id: z.string(),
  name: z.string(),
  userName: z.string(),
  email: z.string(),
  role: z.enum(roles),
  isDisabled: z.boolean(),
  createdAt: z.string(),
  instances: z.number().int(),
});
export type PersonView = z.infer<typeof personSchema>;
export const personListSchema = z.object({ people: z.array(personSchema) });

const newPerson = {
  name: z.string().trim().min(1, 'A name.').max(100, 'At most 100 characters.'),
  userName: userNameSchema,
  email: emailSchema,
  password: passwordSchema,
};
export const createPersonSchema = z.strictObject({ ...newPerson, role: z.enum(roles) });
export const changePersonSchema = z.strictObject({ isDisabled: z.boolean() });

/** The page that the one-time link of the first start opens. */
export const firstRunSchema = z.strictObject({ ...newPerson, token: z.string().min(1).max(200) });

/** `login` is a user name or an e-mail address. */
export const signInSchema = z.strictObject({
  login: z.string().trim().min(1, 'Your user name or e-mail address.').max(200),
  password: z.string().min(1, 'Your password.').max(200),
});
export const changePasswordSchema = z.strictObject({ present: z.string().min(1, 'Your present password.').max(200), next: passwordSchema });

export const meSchema = z.object({
  person: personSchema.omit({ instances: true }),
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
});
export type PanelView = z.infer<typeof panelSchema>;
