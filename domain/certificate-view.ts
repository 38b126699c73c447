// What is known of certificates without their keys: what the worker saw in the folder, what is kept, what went wrong.

import { z } from 'zod';
import { certificateFileSchema, type CertificateFileView, type CertificateName, type CertificatesView } from '../contracts/certificates.ts';
import { readFailure, sayingOf } from './certificate-failures.ts';
import type { CertificateFile } from './certificate-files.ts';
import { isAskable, namesToCertify } from './certificate-names.ts';
import { chooseCertificate, daysLeft, readFacts, stageOf, type CertificateFacts } from './certificate-reading.ts';
import type { Context } from './context.ts';
import { asJson } from './database.ts';

const seenName = 'certificates.seen';
const seenSchema = z.object({ at: z.string(), files: z.array(certificateFileSchema) });
const nothingSeen = { at: null, files: [] };

type Parts = Pick<Context, 'config' | 'db'>;
export type Choosable = { readonly facts: CertificateFacts; readonly file: string | null };

/** The worker tells what it saw: only it may read the keys. */
export async function rememberSeen({ db }: Pick<Context, 'db'>, files: readonly CertificateFile[]): Promise<void> {
  const value = asJson({ at: new Date().toISOString(), files: files.map(presentFile) });
  await db.setting.upsert({ where: { name: seenName }, create: { name: seenName, value }, update: { value } });
}

const presentFile = ({ file, pair, problem }: CertificateFile): CertificateFileView => ({
  file,
  names: [...(pair?.names ?? [])],
  issuer: pair?.issuer ?? '',
  startsAt: pair?.startsAt.toISOString() ?? null,
  expiresAt: pair?.expiresAt.toISOString() ?? null,
  problem,
  warning: pair?.warning ?? null,
});

/** What could be shown, as far as it is known without keys. */
export async function readSeenCertificates({
  db,
}: Pick<Context, 'db'>): Promise<{ seenAt: string | null; files: CertificateFileView[]; choosable: Choosable[] }> {
  const stored = seenSchema.safeParse((await db.setting.findUnique({ where: { name: seenName } }))?.value);
  const { at, files } = stored.success ? stored.data : nothingSeen;
  const rows = await db.certificate.findMany({ where: { chain: { not: null } }, select: { chain: true } });
  const fromFiles = files.flatMap(({ file, names, issuer, startsAt, expiresAt, problem }) =>
    problem !== null || startsAt === null || expiresAt === null
      ? []
      : [{ file, facts: { names, issuer, startsAt: new Date(startsAt), expiresAt: new Date(expiresAt) } }],
  );
  return { seenAt: at, files, choosable: [...fromFiles, ...rows.map(({ chain }) => ({ file: null, facts: readFacts(chain ?? '') }))] };
}

/** Every name that needs one with what it shows or why there is none, and the files of the folder. */
export async function showCertificates(ctx: Parts, now = new Date()): Promise<CertificatesView> {
  const { config } = ctx;
  const authority = config.ACME_EMAIL === undefined ? null : new URL(config.ACME_DIRECTORY_URL).host;
  const common = { takesHttps: config.HTTPS_PORT !== undefined, authority, folder: config.certificatesDir };
  if (!common.takesHttps) return { ...common, seenAt: null, names: [], files: [] };
  const [{ seenAt, files, choosable }, hostNames, rows, jobs] = await Promise.all([
    readSeenCertificates(ctx),
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
