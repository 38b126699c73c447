// The environment of an experiment on the wire: who may come in, what an error shows, and the owner's own variables.

import { z } from 'zod';

export const authLevels = ['STUDY', 'DEMO', ''] as const;
export type AuthLevel = (typeof authLevels)[number];

export const environmentLimits = { variables: 100, valueBytes: 32 * 1024 } as const;

const byPanel = 'the panel sets it itself.';
const byMachine = 'it would change how the experiment is started.';
const reserved: Readonly<Record<string, string>> = {
  OTREE_ADMIN_PASSWORD: 'use “Set admin password…” instead.',
  OTREE_AUTH_LEVEL: 'choose it under “Who may come in”.',
  OTREE_PRODUCTION: 'choose it under “What an error shows”.',
  OTREE_SECRET_KEY: byPanel,
  OTREE_REST_KEY: byPanel,
  OTREE_SKIP_CSRF: 'it would switch a protection of participants off.',
  DATABASE_URL: 'every instance has a database of its own, and the panel sets its address.',
  USE_TIMEOUT_WORKER: byPanel,
  FORWARDED_ALLOW_IPS: byPanel,
  WEB_CONCURRENCY: 'oTree runs exactly one web process.',
  PATH: byMachine,
  HOME: byMachine,
  USER: byMachine,
  LOGNAME: byMachine,
  SHELL: byMachine,
  TMPDIR: byMachine,
  BASH_ENV: byMachine,
  ENV: byMachine,
};
const reservedPrefixes: readonly (readonly [string, string])[] = [
  ['PYTHON', byMachine],
  ['LD_', byMachine],
  ['PG', 'it would change how oTree reaches its database.'],
  ['ARBORETUM_', byPanel],
];

/** Why a name cannot be used, as the end of a sentence; null when it can. */
export const whyReserved = (name: string): string | null =>
  Object.hasOwn(reserved, name) ? (reserved[name] ?? null) : (reservedPrefixes.find(([prefix]) => name.startsWith(prefix))?.[1] ?? null);

export const variableNameSchema = z
  .string()
  .trim()
  .min(1, 'A name.')
  .max(100, 'At most 100 characters.')
  .regex(/^[A-Z_][A-Z0-9_]*$/, 'Capital letters, digits and underscore; no digit first.');

const valueSchema = z
  .string()
  .refine((value) => new TextEncoder().encode(value).length <= environmentLimits.valueBytes, 'At most 32 KiB.')
  .refine((value) => !value.includes('\0'), 'A variable cannot hold a NUL byte.');

export const environmentSchema = z.object({
  authLevel: z.enum(authLevels),
  isProduction: z.boolean(),
  variables: z.array(z.object({ name: z.string(), updatedByName: z.string(), updatedAt: z.string() })),
  /** When something was changed that the running experiment does not have yet, else null. */
  pendingSince: z.string().nullable(),
});
export type EnvironmentView = z.infer<typeof environmentSchema>;

/** Everything is optional; what is left out stays. */
export const changeEnvironmentSchema = z.strictObject({
  authLevel: z.enum(authLevels).optional(),
  isProduction: z.boolean().optional(),
  set: z
    .array(z.strictObject({ name: variableNameSchema, value: valueSchema }))
    .max(environmentLimits.variables, `At most ${environmentLimits.variables} variables.`)
    .optional(),
  remove: z.array(variableNameSchema).max(environmentLimits.variables).optional(),
});
export type EnvironmentChange = z.infer<typeof changeEnvironmentSchema>;
export const variableValueSchema = z.object({ name: z.string(), value: z.string() });
