// When a certificate is asked for: the rule, one job for a name at a time, and the try by hand.

import { AppError } from '../contracts/errors.ts';
import type { Job } from '../prisma/client/client.ts';
import { record } from './audit.ts';
import { readFailure } from './certificate-failures.ts';
import { isAskable, namesToCertify } from './certificate-names.ts';
import { chooseCertificate, daysLeft, stageOf } from './certificate-reading.ts';
import { loadSeen } from './certificate-seen.ts';
import type { Available } from './certificates.ts';
import { systemActor, type Actor, type Context } from './context.ts';
import type { Transaction } from './database.ts';
import { announceJob } from './jobs.ts';
import { requestPanelJob } from './panel-jobs.ts';
import type { JobRow } from './present-job.ts';

export type CertificateJobInput = { readonly hostName: string };

const hourMs = 3_600_000;
/** Let's Encrypt allows five failed attempts for a name in an hour; one is left for the panel itself. */
const triesAnHour = 4;

const lock = (tx: Transaction): Promise<unknown> => tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('arboretum certificates'))`;
const jobsOf = (hostName: string) => ({ kind: 'issue-certificate', input: { path: ['hostName'], equals: hostName } });

/** Asks for what is missing or near its end and may be tried again by now. @returns the new jobs */
export async function requestDue(ctx: Context, wanted: readonly { hostName: string; found: Available | null }[], now: Date): Promise<Job[]> {
  if (ctx.config.ACME_EMAIL === undefined) return [];
  const due = wanted.filter(({ hostName, found }) => isAskable(hostName) && (found === null || stageOf(found.facts, now) !== 'good'));
  const jobs: Job[] = [];
  for (const { hostName } of due) {
    const job = await ctx.db.$transaction(async (tx) => {
      await lock(tx);
      const row = await tx.certificate.findUnique({ where: { hostName } });
      if (row && row.nextTryAt > now) return null;
      return (await findOpenJob(tx, hostName)) ? null : writeJob(tx, systemActor, hostName);
    });
    if (job) jobs.push(job);
  }
  for (const { id } of jobs) await announceJob(ctx, id);
  return jobs;
}

/**
 * Tries at once, because a person has put right what was wrong.
 * @throws not_found when the name needs none, acme_not_set, certificate_not_due, job_in_progress, certificate_too_soon,
 *   acme_rate_limited while the authority has said so
 */
export async function tryNow(ctx: Context, actor: Actor, hostName: string): Promise<JobRow> {
  if (ctx.config.ACME_EMAIL === undefined) throw new AppError('acme_not_set');
  if (ctx.config.HTTPS_PORT === undefined || !(await namesToCertify(ctx)).includes(hostName) || !isAskable(hostName)) throw new AppError('not_found');
  await refuseGood(ctx, hostName);
  const job = await ctx.db.$transaction(async (tx) => {
    await lock(tx);
    const open = await findOpenJob(tx, hostName);
    if (open) throw new AppError('job_in_progress', { kind: 'Get a certificate', actor: open.actorName });
    await refuseTooSoon(tx, hostName);
    await record(tx, actor, { action: 'certificate.try', subject: hostName });
    return writeJob(tx, actor, hostName);
  });
  return announceJob(ctx, job.id);
}

async function refuseGood(ctx: Context, hostName: string): Promise<void> {
  const now = new Date();
  const { choosable } = await loadSeen(ctx);
  const found = chooseCertificate(choosable, hostName, now);
  if (found && stageOf(found.facts, now) === 'good') throw new AppError('certificate_not_due', { hostName, days: Math.floor(daysLeft(found.facts, now)) });
}

async function refuseTooSoon(tx: Transaction, hostName: string): Promise<void> {
  const row = await tx.certificate.findUnique({ where: { hostName } });
  const failure = readFailure(row?.failure);
  if (row && failure?.code === 'acme_rate_limited' && row.nextTryAt > new Date()) throw failure;
  const since = new Date(Date.now() - hourMs);
  const tried = await tx.job.findMany({ where: { ...jobsOf(hostName), createdAt: { gt: since } }, orderBy: { createdAt: 'desc' }, take: triesAnHour });
  const oldest = tried[triesAnHour - 1];
  if (!oldest) return;
  const minutes = Math.max(1, Math.ceil((oldest.createdAt.getTime() - since.getTime()) / 60_000));
  throw new AppError('certificate_too_soon', { hostName, minutes });
}

const findOpenJob = (tx: Transaction, hostName: string): Promise<Job | null> =>
  tx.job.findFirst({ where: { ...jobsOf(hostName), state: { in: ['queued', 'running'] } } });

/** The row says at once that it is not to be tried again for an hour: a job that ends in no known way must not come every minute. */
async function writeJob(tx: Transaction, actor: Actor, hostName: string): Promise<Job> {
  const nextTryAt = new Date(Date.now() + hourMs);
  await tx.certificate.upsert({ where: { hostName }, create: { hostName, nextTryAt }, update: { nextTryAt } });
  return requestPanelJob(tx, actor, { kind: 'issue-certificate', input: { hostName } satisfies CertificateJobInput });
}
