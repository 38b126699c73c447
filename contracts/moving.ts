// Platforms of one machine between which an instance can be moved.

import { z } from 'zod';

/** Both use the panel's own PostgreSQL and front door, so that data and addresses stay where they are. */
export const movePlatforms = ['local', 'swarm'] as const;
export type MovePlatform = (typeof movePlatforms)[number];

/** How people say it: it runs … */
export const moveWords: Readonly<Record<MovePlatform, string>> = {
  local: 'as a process of this machine',
  swarm: 'in a container',
};

/** Of the job `move`. */
export const moveShape = { to: z.enum(movePlatforms) };
