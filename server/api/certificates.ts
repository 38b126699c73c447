// Certificates, for managers: what each name shows, and trying again.

import { certificatesSchema } from '../../contracts/certificates.ts';
import { jobSchema } from '../../contracts/jobs.ts';
import { tryNow } from '../../domain/certificate-requests.ts';
import { showCertificates } from '../../domain/certificate-view.ts';
import { presentJob } from '../../domain/present-job.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const certificateRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/system/certificates',
    action: 'system.read',
    summary: 'Host names that need a certificate, what each shows or why it has none, and the files of the folder with their problems',
    response: certificatesSchema,
    run: ({ ctx }) => showCertificates(ctx),
  }),
  endpoint({
    method: 'post',
    path: '/system/certificates/:hostName/try',
    action: 'certificates.try',
    summary: 'Try at once to get a certificate by ACME, as often as the authority allows',
    response: jobSchema,
    status: 202,
    run: async ({ ctx, person, params }) => presentJob(await tryNow(ctx, person, params['hostName'] ?? '')),
  }),
];
