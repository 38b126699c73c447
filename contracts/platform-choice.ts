// Choosing where instances run: what is possible on this machine, what is proposed, and what was chosen.

import { z } from 'zod';

export const platformNames = ['local', 'swarm', 'dokku'] as const;
export type PlatformName = (typeof platformNames)[number];

/** Where experiments run, in a reader's words; after “Experiments run …”. */
export const platformWords: Readonly<Record<PlatformName, string>> = {
  local: 'on this machine, without containers',
  swarm: 'in containers of this machine’s Docker Engine',
  dokku: 'on a Dokku host',
};

export const platformOptionSchema = z.object({
  platform: z.enum(platformNames),
  /** What was looked at, one sentence each. */
  seen: z.array(z.string()),
  /** What keeps experiments apart there, and what they share. */
  isolation: z.string(),
  /** Null: it can be used. */
  whyNot: z.string().nullable(),
  /** What somebody can do about `whyNot`; null: nothing to do. */
  fix: z.string().nullable(),
  /** The engine has to be made the manager of a Swarm first. */
  needsSwarm: z.boolean(),
});
export type PlatformOption = z.infer<typeof platformOptionSchema>;

export const platformChoiceSchema = z.object({
  present: z.enum(platformNames),
  /** `environment`: PLATFORM is given to the start; `nobody`: nobody has chosen, so it is the default. */
  chosenBy: z.enum(['environment', 'person', 'nobody']),
  proposed: z.enum(platformNames),
  whyProposed: z.string(),
  /** Why another one cannot be chosen now; null: it can. */
  whyFixed: z.string().nullable(),
  options: z.array(platformOptionSchema),
  /** Where the engine can be made the manager of a Swarm; the first one does for one host. */
  addresses: z.array(z.object({ address: z.string(), note: z.string() })),
});
export type PlatformChoice = z.infer<typeof platformChoiceSchema>;

export const choosePlatformSchema = z.strictObject({ platform: z.enum(platformNames) });
