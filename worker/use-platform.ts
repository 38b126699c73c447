// Taking another platform into use for new instances: the adapter is exchanged in the running worker.

import type { PlatformName } from '../contracts/platform-choice.ts';
import { rememberCapabilities } from '../domain/capabilities.ts';
import type { WorkerContext } from '../domain/context.ts';
import { setPlatform } from '../domain/chosen-platform.ts';
import { openPlatform } from './adapters.ts';

/** Everything in the worker asks the context for its platform each time, so it is exchanged there. @throws when it cannot be opened: then the present one stays */
export async function usePlatform(ctx: WorkerContext, name: PlatformName): Promise<void> {
  const platform = await openPlatform({ ...ctx, config: { ...ctx.config, PLATFORM: name } });
  try {
    await rememberCapabilities(ctx, platform);
  } catch (error) {
    platform.retire();
    throw error;
  }
  setPlatform(ctx.config, name);
  const before = ctx.platform;
  Object.assign(ctx, { platform });
  before.retire();
  ctx.log.info('the platform was chosen in the page', { platform: name });
}
