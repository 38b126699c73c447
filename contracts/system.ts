// What managers see of the panel itself.

import { z } from 'zod';

export const systemSchema = z.object({
  version: z.string(),
  nodeVersion: z.string(),
  startedAt: z.string(),
  platform: z.string(),
  addressMode: z.string(),
  publicUrl: z.string(),
  parts: z.array(z.object({ name: z.string(), isWell: z.boolean(), detail: z.string() })),
});
export type SystemView = z.infer<typeof systemSchema>;
