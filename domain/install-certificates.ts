// Putting certificates into place: the front door's own, and every instance's.

import { AppError } from '../contracts/errors.ts';
import type { CertificateFor } from './certificates.ts';
import type { WorkerContext } from './context.ts';
import { refreshAllRoutes } from './routes.ts';

/** Gives the front door what it shows for the panel and for all paths, and brings every route in line. @returns whether it took its own */
export async function installCertificates(ctx: WorkerContext, certificateFor: CertificateFor, signal: AbortSignal): Promise<boolean> {
  const { publicUrl, pathUrl } = ctx.config;
  const own = { panel: certificateFor(publicUrl.hostname), paths: pathUrl === null ? null : certificateFor(pathUrl.hostname) };
  // One that the front door refuses, a key that is too short for one, must not hold up the rest.
  const isTaken = await ctx.frontDoor.setCertificates(own, signal).then(
    () => true,
    (error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      ctx.log.error('the front door refuses a certificate', { reason: String(error.details['reason']) });
      return false;
    },
  );
  await refreshAllRoutes(ctx, certificateFor, signal);
  return isTaken;
}
