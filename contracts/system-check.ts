// What the system check found: each check with what was seen, what it means and what to do, and what follows for the IT department.

import { z } from 'zod';

/** `unknown`: cannot be seen from inside; `not-here`: does not apply to this panel. */
export const checkResults = ['good', 'attention', 'bad', 'unknown', 'not-here'] as const;
export type CheckResult = (typeof checkResults)[number];

/** Groups in the order in which they are shown, each with its heading. */
export const checkGroups = {
  addresses: 'Names and addresses',
  ports: 'Ports',
  machine: 'This machine',
  services: 'Services',
  data: 'Data',
} as const;
export type CheckGroup = keyof typeof checkGroups;

const groupNames = Object.keys(checkGroups) as [CheckGroup, ...CheckGroup[]];

/** What every check says, also those of the preflight. */
export const checkItemSchema = z.object({
  id: z.string(),
  title: z.string(),
  result: z.enum(checkResults),
  /** One sentence each. */
  seen: z.string(),
  means: z.string(),
  /** What somebody can do here; null: nothing to do. */
  fix: z.string().nullable(),
});
export type CheckItem = z.infer<typeof checkItemSchema>;

export const checkedSchema = checkItemSchema.extend({
  group: z.enum(groupNames),
  /** What the IT department is asked for because of it, ready to be sent; null: nothing. */
  request: z.string().nullable(),
});
export type Checked = z.infer<typeof checkedSchema>;

export const firewallRuleSchema = z.object({
  id: z.string(),
  /** `open`: let in from outside; `shut`: keep out; `out`: let out. */
  way: z.enum(['open', 'shut', 'out']),
  /** For example `443/tcp` or `10001–10999/tcp`. */
  ports: z.string(),
  what: z.string(),
  why: z.string(),
});
export type FirewallRule = z.infer<typeof firewallRuleSchema>;

export const capacitySchema = z.object({
  cores: z.number().int(),
  memoryMib: z.number().int(),
  /** How many instances fit side by side, and how many people may play at once: in one of them, and in all together. */
  instances: z.number().int(),
  peopleInOne: z.number().int(),
  peopleInAll: z.number().int(),
  /** The arithmetic, a line a step. */
  steps: z.array(z.string()),
});
export type Capacity = z.infer<typeof capacitySchema>;

/** In the place of the estimate where there is none. */
export const elsewhere = 'Instances run on the Dokku host. How many it takes cannot be said from here: the panel does not see its memory and its processor.';

export const systemCheckSchema = z.object({
  at: z.string(),
  tookMs: z.number().int(),
  checks: z.array(checkedSchema),
  firewall: z.array(firewallRuleSchema),
  /** null: instances run on another machine, of which the panel cannot know it. */
  capacity: capacitySchema.nullable(),
  /** The whole text for the IT department. */
  letter: z.string(),
});
export type SystemCheck = z.infer<typeof systemCheckSchema>;

/** null: nobody has run it yet. */
export const lastSystemCheckSchema = z.object({ last: systemCheckSchema.nullable() });

/** What only the worker sees, which has root's rights: the front door and what the platform can do. */
export const groundViewSchema = z.object({
  frontDoor: z.object({ state: z.enum(['ok', 'away', 'drifted']), reason: z.string().optional() }),
  memoryLimit: z.boolean(),
  separatesUsers: z.boolean(),
  isolationNote: z.string(),
});
export type GroundView = z.infer<typeof groundViewSchema>;

/** What needs somebody's care, worst first. */
export const needingCare = (checks: readonly Checked[]): Checked[] =>
  (['bad', 'attention'] as const).flatMap((result) => checks.filter((check) => check.result === result));
