// Rooms that are edited in the panel: in the app's settings for the next start, and told to the container that runs.

import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../contracts/errors.ts';
import { enter } from '../dokku-commands.ts';
import type { EditedRoom } from '../project.ts';
import { settle, tryToAsk } from './asking.ts';
import { launcherWords } from './dockerfile.ts';
import { type Host, liveApp } from './host.ts';
import { packRooms } from './launch.ts';
import { isRunning } from './releases.ts';
import { ROOMS, setVariables } from './settings.ts';

const ATTEMPTS = 4;
const PAUSE_MS = 1000;

/** @see Platform.setRooms */
export async function setRooms(host: Host, instanceId: string, rooms: readonly EditedRoom[]): Promise<void> {
  const app = liveApp(instanceId);
  const word = await packRooms(rooms);
  await settle(host, app);
  await setVariables(host, app, { [ROOMS]: word });
  for (let attempt = 1; await isRunning(host, app); attempt += 1) {
    // A container that is just being started again cannot be entered; its next start reads what was set above only after a deploy.
    if ((await tryToAsk(host, enter(app, 'web', launcherWords('rooms', word)))).exitCode === 0) return;
    if (attempt === ATTEMPTS) throw new AppError('platform_failed', { reason: 'the running experiment could not be told its new rooms.' });
    await pause(PAUSE_MS);
  }
}
