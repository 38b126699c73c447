// What the worker sees of the Docker Engine of this machine, whether or not instances run on it.

import { z } from 'zod';

/** `none`: in no Swarm; `unwell`: in one, but not able to do anything there just now. */
export const swarmStates = ['manager', 'worker', 'none', 'locked', 'unwell'] as const;

/** `takes`: it answers, and lets the panel in; `refuses`: not with what the settings say; `away`: the engine cannot reach or use it. */
const registryFactsSchema = z.object({
  address: z.string(),
  /** Whether the settings have a user name and a password for it. */
  hasAccount: z.boolean(),
  answer: z.enum(['takes', 'refuses', 'away']),
  /** The engine's own words; null: all is well. */
  reason: z.string().nullable(),
});
export type RegistryFacts = z.infer<typeof registryFactsSchema>;

export const engineFactsSchema = z.object({
  version: z.string(),
  /** Whether it knows all that the panel uses (20.10 or later). */
  isRecent: z.boolean(),
  swarm: z.enum(swarmStates),
  /** Where other hosts of its Swarm reach it; null: in none. */
  swarmAddress: z.string().nullable(),
  /** Hosts of its Swarm; null: only a manager knows. */
  hosts: z.number().int().nullable(),
  /** Does not go with Swarm. */
  hasLiveRestore: z.boolean(),
  storageDriver: z.string(),
  cgroupVersion: z.string(),
  /** What its kernel lets it limit. */
  limits: z.object({ memory: z.boolean(), swap: z.boolean(), processes: z.boolean(), processor: z.boolean() }),
  /** Where images and containers lie. */
  rootDir: z.string(),
  /** Null: the worker does not see that folder. */
  disk: z.object({ freeMib: z.number(), totalMib: z.number() }).nullable(),
  /** Those of the settings; without a size it is not there. */
  baseImages: z.array(z.object({ name: z.string(), sizeBytes: z.number().nullable() })),
  /** What the database servers of new instances begin with, in the same way; null: they get none of their own. */
  postgresImage: z.object({ name: z.string(), sizeBytes: z.number().nullable() }).nullable(),
  /** Of all images together, layers that they share counted once; null: the engine was too slow to say. */
  imagesBytes: z.number().nullable(),
  /** Images that this panel made. */
  ownImages: z.number().int(),
  /** Containers that run. */
  running: z.number().int(),
  /** Instances of this panel whose server runs there; one that stands here twice runs twice. */
  serving: z.array(z.string()),
  /** The image registry of the settings, as the engine finds it; null: none is set. */
  registry: registryFactsSchema.nullable(),
});
export type EngineFacts = z.infer<typeof engineFactsSchema>;

/** Who may use the engine's socket, and with it be root. */
export const socketRightsSchema = z.object({
  owner: z.string(),
  group: z.string(),
  /** Four digits, as `chmod` takes them. */
  mode: z.string(),
  /** Members of the group by name. */
  members: z.array(z.string()),
});
export type SocketRights = z.infer<typeof socketRightsSchema>;

export const engineReportSchema = z.object({
  socket: z.string(),
  /** Whether the worker has root's rights, which the server never has. */
  isRoot: z.boolean(),
  /** `absent`: there is no such socket; `refused`: the worker may not use it; `silent`: nobody behind it answers. */
  answer: z.enum(['answers', 'absent', 'refused', 'silent']),
  rights: socketRightsSchema.nullable(),
  /** Null: it does not answer. */
  facts: engineFactsSchema.nullable(),
});
export type EngineReport = z.infer<typeof engineReportSchema>;

/** Makes the engine the manager of a Swarm of its own, at one of this machine's addresses. */
export const makeManagerSchema = z.strictObject({ address: z.ipv4('An IPv4 address of this machine.') });
