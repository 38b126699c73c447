// Gets a certificate for one host name by ACME and puts it into place.

import { AppError } from '../../contracts/errors.ts';
import { noteFailure, sayingOf } from '../../domain/certificate-failures.ts';
import { CertificateProblem, fitOf, readPair } from '../../domain/certificate-reading.ts';
import type { CertificateJobInput } from '../../domain/certificate-requests.ts';
import { certificatesOf, keepCertificate } from '../../domain/certificates.ts';
import { installCertificates } from '../../domain/install-certificates.ts';
import type { DoorCertificate } from '../../platforms/front-door.ts';
import { openAuthority } from '../adapters.ts';
import type { PanelRun } from '../job-run.ts';

/** Safe to repeat: what a killed worker left in the folder of challenges goes with the next attempt. @throws acme_… codes */
export async function issueCertificate(run: PanelRun): Promise<void> {
  const { hostName } = run.job.input as unknown as CertificateJobInput;
  const certificate = await attempt(run, hostName);
  await run.step('install', 'Showing it to browsers', async () => {
    await keepCertificate(run.ctx, hostName, certificate);
    await installCertificates(run.ctx, await certificatesOf(run.ctx), run.signal);
  });
}

async function attempt(run: PanelRun, hostName: string): Promise<DoorCertificate> {
  try {
    const authority = await openAuthority(run.ctx);
    const certificate = await authority.issue(hostName, run);
    checkGiven(certificate, hostName, authority.name);
    return certificate;
  } catch (error) {
    if (run.signal.aborted) await run.ctx.db.certificate.updateMany({ where: { hostName }, data: { nextTryAt: new Date() } });
    else if (error instanceof AppError) {
      const saying = sayingOf(error);
      if (saying !== null) run.write(`       The authority says: ${saying}\n`);
      await noteFailure(run.ctx, hostName, error);
    }
    throw error;
  }
}

/** The front door would refuse it, and take no other change until then. */
function checkGiven({ chain, privateKey }: DoorCertificate, hostName: string, authority: string): void {
  try {
    if (fitOf(readPair(chain, privateKey.open()), hostName) === null) throw new CertificateProblem('It is for another name.');
  } catch (error) {
    if (!(error instanceof CertificateProblem)) throw error;
    throw new AppError('acme_refused', { authority, hostName, detail: `What it gave cannot be used. ${error.message}` });
  }
}
