// Instances on the wire.

import { z } from 'zod';
import { addressModes } from './addresses.ts';
import { jobSchema } from './jobs.ts';
import { movePlatforms } from './moving.ts';
import { instanceStates } from './states.ts';
import { standings } from './roles.ts';

const reservedNames = [
  'admin',
  'api',
  'app',
  'arboretum',
  'assets',
  'dashboard',
  'git',
  'healthz',
  'lobby',
  'localhost',
  'mail',
  'metrics',
  'new',
  'panel',
  'readyz',
  'root',
  'static',
  'system',
  'www',
];

/** An instance's name: part of its address and of its git remote. */
export const instanceNameSchema = z
  .string()
  .trim()
  .min(3, 'At least 3 characters.')
  .max(40, 'At most 40 characters.')
  .regex(/^[a-z][a-z0-9-]*[a-z0-9]$/, 'Small letters, digits and hyphens; a letter first, no hyphen at the end.')
  .refine((name) => !name.startsWith('xn--') && !name.includes('--'), 'No two hyphens in a row.')
  .refine((name) => !reservedNames.includes(name), 'This name is kept for the panel itself.');

/** A git branch, as a person would write it. */
export const branchSchema = z
  .string()
  .trim()
  .max(100, 'At most 100 characters.')
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'Letters, digits, dot, hyphen, underscore and slash.')
  .refine((branch) => !/\.\.|\/\/|@\{|\.lock$|[./]$/.test(branch), 'Git does not allow this branch name.');

export const roomSchema = z.object({
  name: z.string(),
  displayName: z.string(),
  labels: z.array(z.string()).nullable(),
  usesSecureUrls: z.boolean(),
  hasWelcomePage: z.boolean(),
  problem: z.string().nullable(),
  /** Code of the oTree session that is open in the room, null when none or not known. */
  sessionCode: z.string().nullable(),
  lobbyUrl: z.string(),
  /** Who edited it in the panel and when, and whether it takes the place of one in settings.py; null: it stands in settings.py only. */
  edited: z.object({ byName: z.string(), at: z.string(), isReplacing: z.boolean() }).nullable(),
});
export type RoomView = z.infer<typeof roomSchema>;

export const deploymentSchema = z.object({
  id: z.string(),
  number: z.number().int(),
  commit: z.string(),
  message: z.string(),
  author: z.string(),
  branch: z.string(),
  state: z.enum(['waiting', 'building', 'succeeded', 'failed', 'cancelled']),
  source: z.enum(['push', 'upload', 'sample']),
  otreeVersion: z.string().nullable(),
  createdByName: z.string(),
  createdAt: z.string(),
  endedAt: z.string().nullable(),
  jobId: z.string().nullable(),
  isCurrent: z.boolean(),
  /** Whole sentences about what deployed but is worth a look. */
  warnings: z.array(z.string()),
  /** Its release is still there and is not the one that is selected: it can run again without a build. */
  canRollBack: z.boolean(),
});
export type DeploymentView = z.infer<typeof deploymentSchema>;

export const instanceSummarySchema = z.object({
  id: z.string(),
  name: z.string(),
  owner: z.object({ id: z.string(), name: z.string() }),
  intent: z.enum(['run', 'stop']),
  state: z.enum(instanceStates),
  stateDetail: z.string().nullable(),
  stateSince: z.string(),
  observedAt: z.string().nullable(),
  url: z.string(),
  /** The kind of that address. */
  addressMode: z.enum(addressModes),
  otreeVersion: z.string().nullable(),
  memoryBytes: z.number().nullable(),
  createdAt: z.string(),
  lastDeployedAt: z.string().nullable(),
  /** When a participant or a person last did something here, as far as was observed. */
  lastActivityAt: z.string().nullable(),
  databaseBytes: z.number().nullable(),
  /** What its files take of its disk share. */
  diskBytes: z.number().nullable(),
  /** When a participant last asked for a page, to the minute. */
  lastParticipantAt: z.string().nullable(),
  /** The job under way, if any. */
  job: jobSchema.nullable(),
});
export type InstanceSummary = z.infer<typeof instanceSummarySchema>;

export const instanceSchema = instanceSummarySchema.extend({
  standing: z.enum(standings),
  git: z.object({ remoteUrl: z.string(), deployBranch: z.string().nullable(), current: deploymentSchema.nullable() }),
  otree: z.object({ adminUsername: z.string().nullable(), authLevel: z.enum(['STUDY', 'DEMO', '']), isProduction: z.boolean() }),
  /** Whether a deployment whose models differ empties the database (after a backup) without asking. */
  resetsOnDrift: z.boolean(),
  rooms: z.array(roomSchema),
  sessionConfigs: z.array(z.object({ name: z.string(), displayName: z.string(), numDemoParticipants: z.number().int() })),
  now: z.object({
    databaseBytes: z.number().nullable(),
    rows: z.number().int().nullable(),
    participantsInSession: z.number().int().nullable(),
    sessions: z.number().int().nullable(),
    /** Codes of the oTree sessions that people are in, a few at most. */
    sessionsInUse: z.array(z.string()),
    lastBackupAt: z.string().nullable(),
    webProcesses: z.number().int(),
    restarts: z.number().int(),
  }),
  platform: z.object({
    kind: z.string(),
    isolationNote: z.string(),
    hasMemoryLimit: z.boolean(),
    hasDiskLimit: z.boolean(),
    /** Another platform of this machine that can take it now, null: there is none. */
    canMoveTo: z.enum(movePlatforms).nullable(),
    /** Its data are on a database server that is nobody else's, and so it cannot be moved. */
    hasOwnDatabaseServer: z.boolean(),
    /** Name of the host that it runs on; null: there is one only, or it runs on none. */
    host: z.string().nullable(),
  }),
  /** In MiB; null: the panel's setting, which stands beside it. */
  limits: z.object({ memoryMib: z.number().nullable(), diskMib: z.number().nullable(), panelMemoryMib: z.number(), panelDiskMib: z.number() }),
  notes: z.string(),
  /** The last error in the experiment's log since the deployment, for those who may read the log. */
  lastTraceback: z.object({ at: z.string(), text: z.string() }).nullable(),
});
export type InstanceView = z.infer<typeof instanceSchema>;

export const instanceSorts = ['name', 'activity', 'created', 'state', 'owner', 'memory'] as const;
export type InstanceSort = (typeof instanceSorts)[number];
export const instanceFilters = ['all', 'mine', 'shared'] as const;
export type InstanceFilter = (typeof instanceFilters)[number];

/** What a list of instances is asked for; what is left out is not asked for. */
export const instanceListQuery = z.object({
  /** Every word has to occur in the name, the owner's name or the oTree version. */
  search: z.string().max(200).default(''),
  filter: z.enum(instanceFilters).default('all'),
  state: z.enum(instanceStates).optional(),
  /** Id of a person. */
  owner: z.string().max(40).optional(),
  sort: z.enum(instanceSorts).default('name'),
  order: z.enum(['asc', 'desc']).optional(),
  page: z.coerce.number().int().min(1).max(10_000).default(1),
});
export type InstanceListQuery = z.output<typeof instanceListQuery>;

export const instanceListSchema = z.object({
  instances: z.array(instanceSummarySchema),
  page: z.number().int(),
  pages: z.number().int(),
  /** Instances that fit, on all pages. */
  total: z.number().int(),
  /** Instances that this person may see at all. */
  visible: z.number().int(),
  /** How many fit but for the state, by state. */
  states: z.array(z.object({ state: z.enum(instanceStates), count: z.number().int() })),
  /** Owners of what this person may see, by name. */
  owners: z.array(z.object({ id: z.string(), name: z.string(), count: z.number().int() })),
});
export type InstanceList = z.infer<typeof instanceListSchema>;

export const createInstanceSchema = z.strictObject({ name: instanceNameSchema, ownerId: z.string().optional() });
export const changeInstanceSchema = z.strictObject({ deployBranch: branchSchema.nullable().optional(), resetsOnDrift: z.boolean().optional() });
export const adminPasswordSchema = z.object({ username: z.string().nullable(), password: z.string() });

export const createSessionSchema = z.strictObject({
  sessionConfigName: z.string().min(1, 'Choose a session config.').max(200),
  numParticipants: z.coerce.number({ error: 'A whole number.' }).int('A whole number.').min(1, 'At least 1.').max(2000, 'At most 2,000.'),
});
export const createdSessionSchema = z.object({ code: z.string(), adminUrl: z.string() });

export const deploymentListSchema = z.object({ deployments: z.array(deploymentSchema) });
export const createdInstanceSchema = z.object({ name: z.string(), job: jobSchema });

/** What an upload led to: a job, unless the same files are deployed already; and what was left out of the archive. */
export const uploadQuery = z.object({ filename: z.string().max(255).default('project.zip'), reason: z.string().trim().max(300).optional() });
export const uploadedSchema = z.object({ job: jobSchema.nullable(), isUnchanged: z.boolean(), leftOut: z.array(z.string()) });
export type UploadedView = z.infer<typeof uploadedSchema>;
