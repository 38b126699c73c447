// MTurk requester keys on the wire: entered, tried, never shown again.

import { z } from 'zod';

/** What oTree reads (6.0 views/mturk.py by boto3). */
export const requesterVariables = { accessKeyId: 'AWS_ACCESS_KEY_ID', secretAccessKey: 'AWS_SECRET_ACCESS_KEY' } as const;

/** Body of `PUT /me/requester-key`. */
export const putRequesterKeySchema = z.strictObject({
  accessKeyId: z
    .string()
    .trim()
    .regex(/^[A-Z0-9]{16,128}$/, 'Capital letters and digits, 20 as a rule; it begins with AKIA.'),
  secretAccessKey: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9/+=]{30,128}$/, 'Letters, digits and / + =, 40 as a rule.'),
});
export type RequesterKey = z.infer<typeof putRequesterKeySchema>;

/** The secret half is never read back. */
export const requesterKeySchema = z.object({
  key: z.object({ accessKeyId: z.string(), updatedAt: z.string() }).nullable(),
});
export type RequesterKeyView = z.infer<typeof requesterKeySchema>;

export const mturkModes = ['sandbox', 'live'] as const;
export type MturkMode = (typeof mturkModes)[number];
export const tryRequesterKeySchema = z.strictObject({ mode: z.enum(mturkModes) });

/** What MTurk said to the keys. */
export const triedKeySchema = z.object({ isWell: z.boolean(), sentence: z.string(), hint: z.string().nullable() });
export type TriedKey = z.infer<typeof triedKeySchema>;
