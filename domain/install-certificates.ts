// Putting certificates into place: the front door's own, and every instance's.

import { certificatesOf } from './certificates.ts';
import type { WorkerContext } from './context.ts';
import { refreshAllRoutes } from './routes.ts';

/** Gives the front door what it shows for the panel and for all paths, and brings every route in line. */
export async function installCertificates(ctx: WorkerContext, signal: AbortSignal): Promise<void> {
  const certificateFor = await certificatesOf(ctx);
  const { publicUrl, pathUrl } = ctx.config;
  await ctx.frontDoor.setCertificates({ panel: certificateFor(publicUrl.hostname), paths: pathUrl === null ? null : certificateFor(pathUrl.hostname) }, signal);
  await refreshAllRoutes(ctx, signal);
}
