// Creates what belongs to a new instance: files, user id, database, repository, address.

import { createRepository } from '../../domain/repositories.ts';
import { setState } from '../../domain/instance-state.ts';
import { giveOsUserId } from '../../domain/os-user-ids.ts';
import { refreshRoute } from '../../domain/routes.ts';
import { specOf } from '../../domain/specs.ts';
import type { JobRun } from '../job-run.ts';

export async function createInstance({ ctx, instance, signal, step }: JobRun): Promise<void> {
  try {
    await step('platform', 'Database, folders and user', async () => ctx.platform.create(specOf(ctx, await giveOsUserId(ctx, instance)), signal));
    await step('repository', 'Git repository', () => createRepository(ctx.config.layout, instance.id));
    await step('address', 'Address', () => refreshRoute(ctx, instance.id, signal));
    await setState(ctx, instance.id, { state: 'waiting' });
  } catch (error) {
    await setState(ctx, instance.id, { state: 'failed', detail: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}
