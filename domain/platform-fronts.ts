// Instances at a front door that their platform has of its own: name and certificate follow the settings while they run.

import type { Instance } from '../prisma/client/client.ts';
import { platformHostName } from './addresses.ts';
import type { CertificateFor } from './certificates.ts';
import type { WorkerContext } from './context.ts';
import { announceInstance } from './instances.ts';

const limitMs = 300_000;

/**
 * One round: each running instance gets its name and its certificate, and what the host then says of that certificate is
 * written down; addresses are `https:` by that. One that a job is at, or that fails, is left for the next round.
 * @param readCertificates asked only where there is something to keep
 */
export async function keepPlatformFronts(ctx: WorkerContext, readCertificates: () => Promise<CertificateFor>): Promise<void> {
  if (ctx.config.PLATFORM === 'local') return;
  const instances = await ctx.db.instance.findMany({
    where: { deletedAt: null, intent: 'run', state: 'running', jobs: { none: { state: { in: ['queued', 'running'] } } } },
  });
  if (instances.length === 0) return;
  const certificateFor = await readCertificates();
  for (const instance of instances) {
    await keepFront(ctx, instance, certificateFor).catch((error: unknown) =>
      ctx.log.warn('an address could not be kept', { instance: instance.name, error: error instanceof Error ? error.message : String(error) }),
    );
  }
}

async function keepFront(ctx: WorkerContext, instance: Instance, certificateFor: CertificateFor): Promise<void> {
  const hostName = platformHostName(ctx.config, instance);
  const certificate = hostName === null ? null : certificateFor(hostName);
  const view = await ctx.platform.keepFront({ instanceId: instance.id, hostName, certificate }, AbortSignal.timeout(limitMs));
  if (view === null || instance.frontCertificateUntil?.getTime() === view.certificateUntil?.getTime()) return;
  await ctx.db.instance.update({ where: { id: instance.id }, data: { frontCertificateUntil: view.certificateUntil } });
  await announceInstance(ctx, instance.id);
}
