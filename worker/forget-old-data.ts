// What is remembered about data that are gone: the seats of the Lobby, and the last error of the experiment.

import { announceInstance } from '../domain/instances.ts';
import { roomsOf, withRooms } from '../domain/rooms.ts';
import { clearSeats } from '../domain/seats.ts';
import { noTraceback } from '../domain/tracebacks.ts';
import type { JobRun } from './job-run.ts';

/** Right after a wipe or an exchange, while nothing runs. */
export async function forgetOldData({ ctx, instance }: Pick<JobRun, 'ctx' | 'instance'>): Promise<void> {
  for (const room of roomsOf(await withRooms(ctx, instance))) await clearSeats(ctx, instance, room.name);
  await ctx.db.instance.update({ where: { id: instance.id }, data: noTraceback });
  await announceInstance(ctx, instance.id);
}
