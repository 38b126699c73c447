// Jobs: one at a time per instance, ended exactly once, never a ghost.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemActor } from '../../domain/context.ts';
import { followJob } from '../../domain/follow-job.ts';
import { openJobLog, readJobLog } from '../../domain/job-log.ts';
import { claimJob, endJob, recoverJobs, requestJob, sweepJobs, writeSteps } from '../../domain/jobs.ts';
import type { Job } from '../../prisma/client/client.ts';
import { anInstance, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const request = (kind: 'start' | 'stop' | 'deploy' | 'reset-database' | 'delete', instanceId: string): Promise<Job> =>
  ctx.db.$transaction((tx) => requestJob(tx, systemActor, { kind, instanceId }));
const claimed = async (jobId: string) => {
  const row = await claimJob(ctx, jobId);
  if (typeof row === 'string') throw new Error(`not claimed: ${row}`);
  return row;
};

describe('asking for a job', () => {
  it('is refused while another one is under way, with who asked', async () => {
    const { id } = await anInstance(ctx);
    await request('start', id);
    await expect(request('stop', id)).rejects.toMatchObject({ code: 'job_in_progress', details: { kind: 'Start', actor: 'Arboretum' } });
  });

  it('lets a deployment queue behind another job, but not behind a deletion', async () => {
    const { id } = await anInstance(ctx);
    await request('start', id);
    await request('deploy', id);
    const other = await anInstance(ctx);
    await request('delete', other.id);
    await expect(request('deploy', other.id)).rejects.toMatchObject({ code: 'job_in_progress' });
  });

  it('asked a hundred times at once does one thing', async () => {
    const { id } = await anInstance(ctx);
    const results = await Promise.allSettled(Array.from({ length: 100 }, () => request('start', id)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await ctx.db.job.count({ where: { instanceId: id } })).toBe(1);
  }, 30_000);
});

describe('running jobs', () => {
  it('are taken in the order of asking, one at a time for an instance', async () => {
    const { id } = await anInstance(ctx);
    const first = await request('deploy', id);
    const second = await request('deploy', id);
    expect(await claimJob(ctx, second.id)).toBe('later');
    const run = await claimed(first.id);
    expect(await claimJob(ctx, second.id)).toBe('later');
    await endJob(ctx, run, { state: 'succeeded' });
    expect(await claimJob(ctx, first.id)).toBe('over');
    await claimed(second.id);
  });

  it('of different instances run side by side', async () => {
    const [a, b] = await Promise.all([anInstance(ctx), anInstance(ctx)]);
    await claimed((await request('start', a.id)).id);
    await claimed((await request('start', b.id)).id);
  });

  it('are not ended by a worker whose claim is no longer the newest', async () => {
    const { id } = await anInstance(ctx);
    const job = await request('start', id);
    const old = await claimed(job.id);
    await recoverJobs(ctx);
    const now = await claimed(job.id);
    await writeSteps(ctx, old, [{ name: 'x', label: 'ghost', state: 'running', startedAt: '', endedAt: null }]);
    await endJob(ctx, old, { state: 'succeeded' });
    expect(await ctx.db.job.findUnique({ where: { id: job.id } })).toMatchObject({ state: 'running', attempt: now.attempt, steps: [] });
  });
});

describe('after a worker died', () => {
  it('what is safe to repeat is queued again, and the rest ends with a plain sentence', async () => {
    const [a, b] = await Promise.all([anInstance(ctx), anInstance(ctx)]);
    const start = await request('start', a.id);
    const reset = await request('reset-database', b.id);
    await claimed(start.id);
    await claimed(reset.id);
    const ended = await recoverJobs(ctx);
    expect(ended.map(({ id }) => id)).toContain(reset.id);
    expect(await ctx.db.job.findUnique({ where: { id: start.id } })).toMatchObject({ state: 'queued' });
    expect(await ctx.db.job.findUnique({ where: { id: reset.id } })).toMatchObject({ state: 'failed', errorCode: 'job_interrupted' });
  });

  it('rows that Redis lost are handed to the queue again', async () => {
    const { id } = await anInstance(ctx);
    const job = await request('start', id);
    ctx.queued.length = 0;
    await sweepJobs(ctx);
    expect(ctx.queued).toContain(job.id);
  });
});

describe('the log of a job', () => {
  it('is read whole by someone who comes late, in order, while it is still written', async () => {
    const { id } = await anInstance(ctx);
    const job = await claimed((await request('start', id)).id);
    const log = await openJobLog(ctx, job, { instanceId: id, ownerId: 'x' });
    const lines = Array.from({ length: 2000 }, (_, at) => `line ${at}\n`);
    let read = '';
    const following = followJob(ctx, job.id, { onText: (text) => (read += text), signal: new AbortController().signal });
    for (const line of lines) log.write(line);
    await log.close();
    await endJob(ctx, job, { state: 'succeeded' });
    expect((await following).state).toBe('succeeded');
    expect(read).toBe(lines.join(''));
    let late = '';
    await followJob(ctx, job.id, { onText: (text) => (late += text), signal: new AbortController().signal });
    expect(late).toBe(read);
  });

  it('ends at ten mebibytes with one line that says so', async () => {
    const { id } = await anInstance(ctx);
    const job = await claimed((await request('start', id)).id);
    const log = await openJobLog(ctx, job, null);
    for (let at = 0; at < 12; at += 1) log.write('x'.repeat(1024 * 1024));
    log.write('after\n');
    await log.close();
    let size = 0;
    let last = '';
    for (let after = -1; ;) {
      const piece = await readJobLog(ctx, job.id, after);
      size += piece.text.length;
      last = piece.text || last;
      after = piece.lastSequence;
      if (!piece.isTruncated) break;
    }
    expect(size).toBeLessThan(11 * 1024 * 1024);
    expect(last).toContain('longer than 10 MiB');
  }, 30_000);
});
