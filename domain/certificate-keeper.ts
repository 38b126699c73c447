// The worker's round over certificates: looks into the folder, puts changes into place, asks for what is due, warns of what ends.

import { tellOfExpiry } from './certificate-expiry.ts';
import { readCertificateFiles } from './certificate-files.ts';
import { keepGood } from './certificate-kept.ts';
import { namesToCertify } from './certificate-names.ts';
import { chooseCertificate } from './certificate-reading.ts';
import { requestDue } from './certificate-requests.ts';
import { rememberSeen } from './certificate-seen.ts';
import { chooserOf, listAvailable, type Available, type CertificateFor } from './certificates.ts';
import type { WorkerContext } from './context.ts';
import { installCertificates } from './install-certificates.ts';

export type NameWithCertificate = { readonly hostName: string; readonly found: Available | null };

const installMs = 60_000;
const hourMs = 3_600_000;

/** Remembers in memory what is in place; after a start of the worker everything is put into place once. */
export class CertificateKeeper {
  #placed: string | null = null;
  #tellAfter = 0;

  /** One round; does nothing where the front door takes no https. */
  async round(ctx: WorkerContext, now = new Date()): Promise<void> {
    if (ctx.config.HTTPS_PORT === undefined) return;
    const hostNames = await namesToCertify(ctx);
    const files = await readCertificateFiles(ctx.config.certificatesDir);
    await Promise.all([rememberSeen(ctx, hostNames, files), keepGood(ctx, files)]);
    const available = await listAvailable(ctx, files);
    const wanted = hostNames.map((hostName) => ({ hostName, found: chooseCertificate(available, hostName, now) }));
    await this.#place(ctx, wanted, chooserOf(available));
    await requestDue(ctx, wanted, now);
    await this.#tell(ctx, wanted, now);
    // What ended and belongs to nobody: a name that comes back while it is good spends no further attempt.
    await ctx.db.certificate.deleteMany({ where: { hostName: { notIn: [...hostNames] }, OR: [{ expiresAt: null }, { expiresAt: { lt: now } }] } });
  }

  async #place(ctx: WorkerContext, wanted: readonly NameWithCertificate[], certificateFor: CertificateFor): Promise<void> {
    const marks = wanted.map(({ hostName, found }) => `${hostName} ${found?.mark ?? '-'}`).join('\n');
    if (marks === this.#placed) return;
    if (await installCertificates(ctx, certificateFor, AbortSignal.timeout(installMs))) this.#placed = marks;
  }

  async #tell(ctx: WorkerContext, wanted: readonly NameWithCertificate[], now: Date): Promise<void> {
    if (now.getTime() < this.#tellAfter) return;
    // A mail server that does not answer is not asked every minute.
    if ((await tellOfExpiry(ctx, wanted, now)) === 'failed') this.#tellAfter = now.getTime() + hourMs;
  }
}
