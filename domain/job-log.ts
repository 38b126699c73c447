// A job's log: rows in PostgreSQL, written every 100 ms, read from a sequence on by the page and the pusher's terminal.

import type { Job } from '../prisma/client/client.ts';
import type { Audience, Context } from './context.ts';

const flushMs = 100;
const maxBytes = 10 * 1024 * 1024;
const maxPiece = 64 * 1024;

export type JobLogWriter = { write(text: string): void; close(): Promise<void> };

/** Opens the log of a running job for appending. Text past 10 MiB is dropped with one line that says so. */
export async function openJobLog(ctx: Context, job: Pick<Job, 'id'>, audience: Audience | null): Promise<JobLogWriter> {
  const last = await ctx.db.jobLog.aggregate({ where: { jobId: job.id }, _max: { sequence: true } });
  let sequence = last._max.sequence ?? -1;
  let pending = '';
  let written = 0;
  let timer: NodeJS.Timeout | null = null;
  let chain: Promise<void> = Promise.resolve();

  const flush = (): void => {
    timer = null;
    const text = pending;
    pending = '';
    chain = chain.then(async () => {
      const rows: { jobId: string; sequence: number; text: string }[] = [];
      for (let at = 0; at < text.length; at += maxPiece) rows.push({ jobId: job.id, sequence: (sequence += 1), text: text.slice(at, at + maxPiece) });
      if (rows.length === 0) return;
      await ctx.db.jobLog.createMany({ data: rows });
      ctx.events.jobLog(audience, job.id, sequence);
    });
    chain = chain.catch((error: unknown) => ctx.log.error('a piece of a job’s log was lost', { jobId: job.id, error: String(error) }));
  };

  return {
    write(text) {
      if (written > maxBytes) return;
      written += text.length;
      // PostgreSQL's text cannot hold NUL.
      pending += written > maxBytes ? '\n[the rest of this log was left out: it is longer than 10 MiB]\n' : text.replaceAll('\0', '\uFFFD');
      timer ??= setTimeout(flush, flushMs);
    },
    async close() {
      if (timer) clearTimeout(timer);
      flush();
      await chain;
    },
  };
}

/** Text after a sequence (−1: from the start), at most about 1 MiB at once. */
export async function readJobLog(
  ctx: Pick<Context, 'db'>,
  jobId: string,
  after: number,
): Promise<{ text: string; lastSequence: number; isTruncated: boolean }> {
  const rows = await ctx.db.jobLog.findMany({ where: { jobId, sequence: { gt: after } }, orderBy: { sequence: 'asc' }, take: 101 });
  const shown = rows.slice(0, 100);
  return { text: shown.map(({ text }) => text).join(''), lastSequence: shown.at(-1)?.sequence ?? after, isTruncated: rows.length > shown.length };
}
