// Which platform was chosen in the page, for whoever starts a process; without Prisma, because `npm start` stays for as long as the panel.

import { z } from 'zod';
import { platformNames, type PlatformName } from '../contracts/platform-choice.ts';
import { ConfigProblem, type Config } from './config.ts';
import type { Surroundings } from './system-check-surroundings.ts';

/** Name of the setting. */
export const chosenName = 'platform.chosen';
export const chosenSchema = z.object({ platform: z.enum(platformNames), byName: z.string() });
/** Rows of a reading query, as the system check has it. */
type Query = NonNullable<Surroundings['query']>;

/** Null: nobody has chosen one. */
export async function readChosenPlatform(query: Query): Promise<PlatformName | null> {
  const [row] = await query<{ value: unknown }>(`SELECT value FROM setting WHERE name = '${chosenName}'`);
  return chosenSchema.safeParse(row?.value).data?.platform ?? null;
}

/**
 * Puts the chosen platform into the settings of this process, unless PLATFORM is given. Everything reads it there, so it is done once, before anything else.
 * @throws ConfigProblem when the chosen one needs a setting that is gone
 */
export async function settlePlatform(config: Config, query: Query): Promise<void> {
  if (config.isPlatformGiven) return;
  const chosen = await readChosenPlatform(query);
  if (chosen === 'dokku' && !(config.DOKKU_HOST && config.DOKKU_DOMAIN))
    throw new ConfigProblem(['DOKKU_HOST and DOKKU_DOMAIN are needed: it was chosen in the page that experiments run on a Dokku host.']);
  if (chosen !== null) setPlatform(config, chosen);
}

/** The one setting that may change while the process runs. */
export const setPlatform = (config: Config, platform: PlatformName): void => void Object.assign(config, { PLATFORM: platform });
