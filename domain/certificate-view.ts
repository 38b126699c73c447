// Certificates as managers see them: each name with what it shows, what went wrong and what comes next.

import type { CertificateName, CertificatesView } from '../contracts/certificates.ts';
import { readFailure, sayingOf } from './certificate-failures.ts';
import { isAskable, namesToCertify } from './certificate-names.ts';
import { chooseCertificate, daysLeft, stageOf, type CertificateFacts } from './certificate-reading.ts';
import { loadSeen } from './certificate-seen.ts';
import type { Context } from './context.ts';

type Parts = Pick<Context, 'config' | 'db'>;

/** Every name that needs one with what it shows or why there is none, and the files of the folder. */
export async function showCertificates(ctx: Parts, now = new Date()): Promise<CertificatesView> {
  const { config } = ctx;
  const authority = config.ACME_EMAIL === undefined ? null : new URL(config.ACME_DIRECTORY_URL).host;
  const common = { takesHttps: config.HTTPS_PORT !== undefined, authority, folder: config.certificatesDir };
  if (!common.takesHttps) return { ...common, seenAt: null, names: [], files: [] };
  const [{ seenAt, files, choosable }, hostNames, rows, jobs] = await Promise.all([
    loadSeen(ctx),
    namesToCertify(ctx),
    ctx.db.certificate.findMany({ omit: { privateKey: true, chain: true } }),
    newestJobs(ctx),
  ]);
  const names = hostNames.map((hostName): CertificateName => {
    const found = chooseCertificate(choosable, hostName, now);
    const stage = found ? stageOf(found.facts, now) : null;
    const row = rows.find((one) => one.hostName === hostName);
    const isAsked = authority !== null && isAskable(hostName);
    const failure = readFailure(row?.failure);
    return {
      hostName,
      certificate: found === null || stage === null || stage === 'ended' ? null : { ...presentFacts(found.facts, now), file: found.file, stage },
      isAsked,
      nextTryAt: isAsked && stage !== 'good' ? (row?.nextTryAt ?? now).toISOString() : null,
      error: failure && { code: failure.code, sentence: failure.message, hint: failure.hint, saying: sayingOf(failure) },
      job: jobs.get(hostName) ?? null,
    };
  });
  return { ...common, seenAt, names, files };
}

const presentFacts = (facts: CertificateFacts, now: Date) => ({
  issuer: facts.issuer,
  names: [...facts.names],
  expiresAt: facts.expiresAt.toISOString(),
  daysLeft: Math.floor(daysLeft(facts, now)),
});

/** The newest job of each name. */
async function newestJobs({ db }: Pick<Context, 'db'>): Promise<Map<string, { id: string; state: string }>> {
  const rows = await db.$queryRaw<{ hostName: string; id: string; state: string }[]>`
    SELECT DISTINCT ON (input->>'hostName') input->>'hostName' AS "hostName", id, state FROM job
    WHERE kind = 'issue-certificate' ORDER BY input->>'hostName', created_at DESC`;
  return new Map(rows.map(({ hostName, id, state }) => [hostName, { id, state }]));
}
