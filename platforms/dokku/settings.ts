// The variables of an app: exactly those that are wanted, and those that Dokku itself keeps there.

import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../../contracts/errors.ts';
import { configExport, configImport } from '../dokku-commands.ts';
import { readConfig } from '../dokku-reports.ts';
import type { InstanceSpec } from '../platform.ts';
import { ask, change } from './asking.ts';
import type { Host } from './host.ts';
import { launchVariables } from './launch.ts';

export type Variables = Readonly<Record<string, string>>;

/** Number of the release whose image an app has; `none` while that is being changed. */
export const RELEASE = 'ARBORETUM_RELEASE';
/** Rooms for the next start (launcher/container.py). */
export const ROOMS = 'ARBORETUM_ROOMS';
/** What Dokku keeps there, and what other methods set. */
const KEPT = new RegExp(`^(?:DATABASE_URL|GIT_REV|NO_VHOST|DOKKU_\\w+|${RELEASE}|${ROOMS})$`);
const REPAIRS = 3;

/** What an app has. @throws platform_failed */
export const readVariables = async (host: Host, app: string): Promise<Variables> => readConfig((await ask(host, configExport(app))).stdout);

/** Gives an app the instance's variables; whatever else stood there goes. `more`: further ones of ours. */
export async function writeSettings(host: Host, app: string, { spec, more = {} }: { spec: InstanceSpec; more?: Variables }): Promise<void> {
  await rewrite(host, app, (before) => ({
    ...Object.fromEntries(Object.entries(before).filter(([name]) => KEPT.test(name))),
    ...launchVariables(spec),
    ...more,
  }));
}

/** Sets some variables beside the others. */
export async function setVariables(host: Host, app: string, values: Variables): Promise<void> {
  await rewrite(host, app, (before) => ({ ...before, ...values }));
}

/** Takes one variable away, whoever set it. */
export async function dropVariable(host: Host, app: string, name: string): Promise<void> {
  await rewrite(host, app, ({ [name]: _gone, ...others }) => others);
}

/** Writes, reads back, and writes again: another writer may have truncated the file meanwhile. @throws platform_failed */
async function rewrite(host: Host, app: string, wantedOf: (before: Variables) => Variables): Promise<void> {
  let before = await readVariables(host, app);
  const wanted = wantedOf(before);
  for (let attempt = 0; !isDeepStrictEqual(sorted(before), sorted(wanted)); attempt += 1) {
    if (attempt > REPAIRS)
      throw new AppError('platform_failed', { reason: 'Dokku does not keep the settings of this experiment; something else writes to them.' });
    const isReplaced = Object.keys(before).some((name) => !(name in wanted));
    await change(host, configImport(app, { replace: isReplaced }), {
      input: Buffer.from(JSON.stringify(wanted)),
      isDone: async () => true, // it is read back in any case
    });
    before = await readVariables(host, app);
  }
}

const sorted = (variables: Variables): readonly (readonly [string, string])[] => Object.entries(variables).toSorted(([a], [b]) => (a < b ? -1 : 1));
