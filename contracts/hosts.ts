// The machines on which instances run, as managers see them.

import { z } from 'zod';

const hostShape = {
  id: z.string(),
  name: z.string(),
  address: z.string().nullable(),
  role: z.enum(['manager', 'worker']),
  state: z.enum(['ready', 'down', 'unknown']),
  awaySince: z.string().nullable(),
  takesInstances: z.boolean(),
  /** Front door and database are here. */
  isPanelHost: z.boolean(),
  cores: z.number(),
  memoryBytes: z.number(),
};

/** As the worker tells it; null: the platform knows of one machine only. */
export const hostListSchema = z.object({ isSpread: z.boolean(), hosts: z.array(z.object({ ...hostShape, instanceIds: z.array(z.string()) })) }).nullable();

const hostInstanceSchema = z.object({ name: z.string(), participantsInSession: z.number().int() });

export const hostsSchema = z.object({
  /** Whether instances may run on any of them; otherwise only on the panel's. */
  isSpread: z.boolean(),
  hosts: z.array(z.object({ ...hostShape, instances: z.array(hostInstanceSchema) })),
});
export type HostsView = z.infer<typeof hostsSchema>;
export type SwarmHostView = HostsView['hosts'][number];

/** A secret: whoever types it adds a machine. */
export const joinCommandSchema = z.object({ command: z.string() });

/** Why now, where people are in a session on that host. */
export const drainHostSchema = z.strictObject({ reason: z.string().trim().min(3, 'A few words.').max(200).optional() });
export type DrainHost = z.infer<typeof drainHostSchema>;
