// Jobs on the wire: long actions with steps, a log and a result.

import { z } from 'zod';
import { addressModes, hostNameSchema } from './addresses.ts';
import { scaleShape } from './limits.ts';
import { moveShape } from './moving.ts';
import { jobStates } from './states.ts';

/** What each kind of job is called in the page and in the pusher's terminal. */
export const jobKinds = {
  'create-instance': 'Create',
  adopt: 'Take over',
  deploy: 'Deploy',
  start: 'Start',
  stop: 'Stop',
  restart: 'Restart',
  'set-admin-password': 'Set admin password',
  'reset-database': 'Reset database',
  'back-up': 'Back up',
  restore: 'Restore a backup',
  'roll-back': 'Roll back',
  delete: 'Delete',
  'create-course': 'Create course',
  'delete-course': 'Delete course',
  'set-environment': 'Apply environment',
  scale: 'Scale',
  'change-address': 'Change address',
  'give-up-address': 'Give up an address',
  'issue-certificate': 'Get a certificate',
  'run-bots': 'Play bots',
  move: 'Move to another platform',
} as const;
export type JobKind = keyof typeof jobKinds;
/** Kinds that belong to no instance. */
export const panelJobKinds = ['create-course', 'delete-course', 'issue-certificate'] as const satisfies readonly JobKind[];
export type PanelJobKind = (typeof panelJobKinds)[number];
export const jobKindNames = Object.keys(jobKinds) as [JobKind, ...JobKind[]];

/** Kinds after which the database may hold other data than before. */
export const dataKinds = ['adopt', 'deploy', 'roll-back', 'restore', 'reset-database'] as const satisfies readonly JobKind[];

/** Kinds that may be run again from the start when a worker died in the middle; the others end as interrupted. */
export const restartableKinds: readonly JobKind[] = [
  'create-instance',
  'adopt',
  'start',
  'stop',
  'restart',
  'set-admin-password',
  'delete',
  'create-course',
  'delete-course',
  'set-environment',
  'scale',
  'change-address',
  'give-up-address',
  'issue-certificate',
];

/**
 * What can be cancelled, and with the beginning of which step no longer (null: until its end): nothing is ever cut off in the
 * middle of a stop, a wipe or a switch. Kinds that are missing have changed something when they are asked for already.
 */
const cancellableUntil: Readonly<Partial<Record<JobKind, string | null>>> = {
  deploy: 'switch',
  'back-up': null,
  'reset-database': 'stop',
  restore: 'stop',
  'roll-back': 'switch',
  'run-bots': null,
  move: 'switch',
};

/** Whether a job may be cancelled as it stands. Pure; the page shows the button by it, the panel decides by it. */
export function isCancellable(job: { readonly kind: string; readonly state: string; readonly steps: readonly { readonly name: string }[] }): boolean {
  const until = cancellableUntil[job.kind as JobKind];
  if (until === undefined) return false;
  return job.state === 'queued' || (job.state === 'running' && !job.steps.some(({ name }) => name === until));
}

export const stepSchema = z.object({
  name: z.string(),
  label: z.string(),
  state: z.enum(['running', 'succeeded', 'failed']),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
});
export type Step = z.infer<typeof stepSchema>;

export const jobSchema = z.object({
  id: z.string(),
  kind: z.enum(jobKindNames),
  title: z.string(),
  instanceId: z.string().nullable(),
  instanceName: z.string().nullable(),
  /** The instance was deleted: there is no page of it any more. */
  isInstanceGone: z.boolean(),
  deploymentId: z.string().nullable(),
  /** Id of the deployment that a roll back goes to; null for other kinds. */
  rollBackTo: z.string().nullable(),
  state: z.enum(jobStates),
  steps: z.array(stepSchema),
  error: z.object({ code: z.string(), sentence: z.string(), hint: z.string() }).nullable(),
  actorName: z.string(),
  /** Who asked for its end, null when nobody has; it ends a moment later. */
  cancelledByName: z.string().nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
});
export type JobView = z.infer<typeof jobSchema>;

export const jobListSchema = z.object({ jobs: z.array(jobSchema), page: z.number().int(), pages: z.number().int() });
export type JobList = z.infer<typeof jobListSchema>;
export const jobListQuery = z.object({ page: z.coerce.number().int().min(1).max(10_000).default(1) });

/** A piece of a job's log: text after `after`, and the sequence to ask from next time. */
export const jobLogSchema = z.object({ text: z.string(), lastSequence: z.number().int(), isTruncated: z.boolean() });
export const jobLogQuery = z.object({ after: z.coerce.number().int().min(-1).default(-1) });

/** What becomes of a database that does not fit the new version: emptied after a backup, kept with the old version, or left as it is. */
export const driftChoices = ['reset', 'keep', 'go-on'] as const;
export type DriftChoice = (typeof driftChoices)[number];

/** Body of `POST /instances/{name}/jobs`: one member per kind that a person may start. */
export const startJobSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('start') }),
  z.strictObject({ kind: z.literal('stop'), reason: z.string().trim().max(300).optional() }),
  z.strictObject({ kind: z.literal('restart'), reason: z.string().trim().max(300).optional() }),
  z.strictObject({
    kind: z.literal('set-admin-password'),
    reason: z.string().trim().max(300).optional(),
    password: z
      .string()
      .min(8, 'At least 8 characters.')
      .max(100, 'At most 100 characters.')
      .regex(/^[\x21-\x7e]+$/, 'Letters, digits and signs of a plain keyboard, no spaces.'),
  }),
  z.strictObject({ kind: z.literal('reset-database'), confirm: z.string(), reason: z.string().trim().max(300).optional() }),
  z.strictObject({ kind: z.literal('back-up'), note: z.string().trim().max(300, 'At most 300 characters.').optional() }),
  z.strictObject({ kind: z.literal('restore'), backupId: z.string().max(40), confirm: z.string(), reason: z.string().trim().max(300).optional() }),
  z.strictObject({
    kind: z.literal('roll-back'),
    deploymentId: z.string().max(40),
    /** Only for tables that do not fit; without it the version in use stays. */
    onDrift: z.enum(driftChoices).exclude(['keep']).optional(),
    /** The instance's name; a reset asks for it. */
    confirm: z.string().optional(),
    reason: z.string().trim().max(300).optional(),
  }),
  z.strictObject({ kind: z.literal('delete'), confirm: z.string(), reason: z.string().trim().max(300).optional() }),
  z.strictObject({ kind: z.literal('deploy-sample') }),
  z.strictObject({
    kind: z.literal('deploy'),
    /** The failed deployment whose commit is deployed once more. */
    deploymentId: z.string(),
    onDrift: z.enum(driftChoices).exclude(['keep']),
    /** The instance's name; a reset asks for it. */
    confirm: z.string().optional(),
    reason: z.string().trim().max(300).optional(),
  }),
  z.strictObject({ kind: z.literal('set-environment'), reason: z.string().trim().max(300).optional() }),
  /** Names one session config; left out: all of them, one after the other. */
  z.strictObject({ kind: z.literal('run-bots'), config: z.string().max(200).optional() }),
  z.strictObject({ kind: z.literal('move'), reason: z.string().trim().max(300).optional(), ...moveShape }),
  z.strictObject({ kind: z.literal('scale'), reason: z.string().trim().max(300).optional(), ...scaleShape }),
  z.strictObject({
    kind: z.literal('change-address'),
    mode: z.enum(addressModes),
    /** For the kind `host` only. */
    hostName: hostNameSchema.optional(),
    /** The address of before goes on leading to the new one. */
    keepsOld: z.boolean(),
    /** Known: the host name does not lead here yet. */
    isConfirmed: z.boolean().optional(),
    reason: z.string().trim().max(300).optional(),
  }),
]);
export type StartJob = z.infer<typeof startJobSchema>;
